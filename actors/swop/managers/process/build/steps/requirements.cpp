#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "actors/swop/managers/process/build/steps/pip_words.hpp"
#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "actors/swop/managers/process/build/steps/words.hpp"

#include <algorithm>

namespace swarm::build {

namespace {

constexpr std::string_view context = "/context";
constexpr std::string_view list = "/requirements.txt";

/// Whether one line may stand in the list, and whether it needs files of the build context.
result<bool> check_line(const std::string& text) {
  SWARM_TRY(const auto words, split_words(text, {}, false));
  bool needs_files = false;
  for (const auto& each : words) {
    std::string_view word = each.text;
    if (lower(word).find("file:") != std::string::npos || word.starts_with('/')
        || ("/" + each.text + "/").find("/../") != std::string::npos
        || word.find("=/") != std::string_view::npos)
      return fail(errc::denied, "only files of the build context are allowed, relative to it");
    if (word == ";" || word.starts_with("--hash=")) continue;
    if (word.starts_with('-')) {
      const auto what = pip_option(word.substr(0, word.find('=')));
      if (what == pip_option_kind::unknown)
        return fail(errc::invalid, "the option {} is not supported here",
                    shown(word.substr(0, word.find('='))));
      needs_files = needs_files || what == pip_option_kind::path;
    } else {
      needs_files = needs_files || names_file(word);
    }
  }
  return needs_files;
}

} // namespace

plan read_requirements(const std::vector<std::string>& items, bool has_context) {
  plan out;
  std::string text;
  std::size_t first = 0;
  bool needs_files = false;
  for (const auto& each : join_lines(items)) {
    if (first == 0) first = each.item;
    auto line = each.text;
    if (const auto comment = line.find(" #"); comment != std::string::npos) line.resize(comment);
    const auto needs = check_line(line);
    if (!needs)
      out.refusals.push_back(fmt::format("line {}: {}: {}", each.item, shown(line), needs.error().message));
    needs_files = needs_files || (needs && *needs);
    text += line + "\n";
  }
  if (first == 0) {
    out.notes.emplace_back("BuildSteps names no package; the environment holds Python alone");
    return out;
  }
  if (needs_files && has_context)
    out.steps.push_back({first, "files of the build context", copy_files{{""}, std::string(context), true}});
  out.steps.push_back({first, "requirements", write_text{std::string(list), std::move(text)}});
  out.steps.push_back(
      {first, "requirements", pip_install{{{{}, "-r"}, {std::string(list), {}}}, std::string(context), {}}});
  return out;
}

} // namespace swarm::build
