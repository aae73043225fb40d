#include "actors/swci/language/help.hpp"

#include "actors/swci/language/table.hpp"
#include "actors/swci/language/words.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

constexpr std::size_t width = 92;
constexpr std::string_view indent = "    ";

void add_wrapped(std::vector<std::string>& to, std::string_view text) {
  std::string line;
  word_scanner words(text);
  while (const auto each = words.next_unfinished()) {
    if (!line.empty() && indent.size() + line.size() + 1 + each->text.size() > width) {
      to.push_back(std::string(indent) + line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(each->text);
  }
  to.push_back(std::string(indent) + line);
}

void add_help(std::vector<std::string>& to, const command_spec& spec) {
  if (!to.empty()) to.emplace_back();
  to.push_back(spec.how.usage);
  add_wrapped(to, spec.help);
  std::size_t longest = 0;
  for (const auto& each : spec.how.holes)
    longest = std::max(longest, each.name.size());
  for (const auto& each : spec.how.holes)
    if (each.name.find('|') == std::string::npos) // else the name says it
      to.push_back(fmt::format("{}{}{:{}}  {}", indent, indent, each.name, longest, info_of(each.kind).what));
}

/// What stands between `|` in a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

} // namespace

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  for (const auto* each : all_commands())
    out.push_back(each->how.name);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> help_lines(std::string_view name) {
  std::vector<std::string> words;
  word_scanner scanner(name);
  while (const auto each = scanner.next_unfinished())
    words.emplace_back(each->text);
  std::vector<std::string> out;
  for (const auto* each : commands_beginning_with(words))
    add_help(out, *each);
  return out;
}

std::string commands_as_markdown() {
  std::string out;
  for (const auto& area : command_areas()) {
    out += fmt::format("\n### {}\n\n| command | what it does |\n|---|---|\n", area.title);
    for (const auto& each : area.commands)
      out += fmt::format("| `{}` | {} |\n", cell(each.how.usage), cell(each.help));
  }
  return out;
}

} // namespace swarm::swci
