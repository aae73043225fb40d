#include "config/schema/finding.hpp"

#include "config/values.hpp"

#include <fmt/format.h>

namespace swarm::schema {

std::string told(const finding& what, std::string_view name, line_numbers as) {
  std::string out(name);
  if (what.line != 0)
    out += as == line_numbers::of_task_body ? fmt::format(":{:04}", what.line - 1)
                                            : fmt::format(":{}", what.line);
  if (what.column != 0 && as == line_numbers::of_file_and_columns) out += fmt::format(":{}", what.column);
  if (!what.path.empty()) out += fmt::format(": {}", what.path);
  return fmt::format("{}: {}", out, what.text);
}

std::string told(const findings& all, std::string_view name, line_numbers as) {
  std::string out;
  for (const auto& each : all)
    out += (out.empty() ? "" : "\n") + told(each, name, as);
  return out;
}

std::string path_of(std::string_view parent, std::string_view key) {
  const auto shown = config::printable(key);
  return parent.empty() ? shown : fmt::format("{}.{}", parent, shown);
}

std::string path_of(std::string_view parent, std::size_t index) {
  return fmt::format("{}[{}]", parent, index);
}

} // namespace swarm::schema
