// BuildSteps of tasks: any text yields a plan that stays in the image and the context, or refusals fit for a terminal.
#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

#include <algorithm>

using namespace swarm;
using namespace swarm::build;

namespace {

void check_line(const std::string& text) {
  SWARM_ASSERT(!text.empty());
  SWARM_ASSERT(std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }));
}

bool leaves(const std::string& path) {
  return ("/" + path + "/").find("/../") != std::string::npos;
}

void check_image_path(const std::string& path) {
  SWARM_ASSERT(path.starts_with('/') && !leaves(path));
}

struct checker {
  void operator()(const pip_install& what) const {
    check_image_path(what.folder);
    SWARM_ASSERT(!what.words.empty());
    for (const auto& each : what.words)
      if (!each.path.empty()) check_image_path(each.path);
  }
  void operator()(const copy_files& what) const {
    check_image_path(what.target);
    for (const auto& each : what.sources)
      SWARM_ASSERT(!each.starts_with('/') && !leaves(each));
  }
  void operator()(const make_folders_step& what) const {
    for (const auto& each : what.paths)
      check_image_path(each);
  }
  void operator()(const write_text& what) const { check_image_path(what.path); }
};

void check(const plan& made) {
  for (const auto& each : made.notes)
    check_line(each);
  for (const auto& each : made.refusals)
    check_line(each);
  check_image_path(made.folder);
  for (const auto& each : made.steps) {
    check_line(each.shown);
    std::visit(checker{}, each.what);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text({data, size});
  std::vector<std::string> items(1);
  for (const char c : text) {
    if (c == '\n' && items.size() < 80)
      items.emplace_back();
    else
      items.back() += c;
  }
  check(read_dockerfile(items));
  check(read_requirements(items, true));
  return 0;
}
