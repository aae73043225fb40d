// Task files, and bodies from the chain: any bytes yield a task whose body is read back, or messages fit for a terminal.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "config/tasks/task.hpp"

#include <algorithm>
#include <sstream>

using namespace swarm;

namespace {

void check_message(const std::string& text) {
  SWARM_ASSERT(!text.empty());
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  SWARM_ASSERT(std::none_of(text.begin(), text.end(), control));
}

void check(const tasks::reading<tasks::task_definition>& read) {
  SWARM_ASSERT(read.value.has_value() == read.errors.empty());
  SWARM_ASSERT(read.errors.size() <= schema::findings_max);
  for (const auto& warning : read.warnings)
    check_message(schema::told(warning, "t.yaml"));
  if (!read.value) return check_message(read.value.error().message);
  const auto lines = tasks::body_lines(*read.value);
  for (const auto& line : lines)
    SWARM_ASSERT(line.size() <= tasks::body_line_bytes_max);
  const auto again = tasks::task_of(read.value->head(), lines);
  SWARM_ASSERT(again.value && *again.value == *read.value);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text({data, size});
  check(tasks::read_task(text, "t.yaml"));
  const auto type = static_cast<tasks::task_type>(size % 4);
  check(tasks::task_of({"name", type, "author", "ROOTTASK", "outcome"}, lines_of(text)));
  return 0;
}
