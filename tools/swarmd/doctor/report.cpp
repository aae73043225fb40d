#include "tools/swarmd/doctor/report.hpp"

#include "config/parse.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace swarm::doctor {

namespace json = boost::json;

namespace {

constexpr std::size_t verdict_width = 13, check_width = 16;
constexpr int format_version = 1;

std::size_t count(const std::vector<node_report>& reports, verdict which) {
  std::size_t out = 0;
  for (const auto& each : reports)
    out += static_cast<std::size_t>(std::count_if(each.lines.begin(), each.lines.end(),
                                                  [&](const line& one) { return one.is == which; }));
  return out;
}

/// Further lines of a text stand below its first.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(2 + verdict_width + check_width, ' ');
  }
  return out;
}

std::string row(std::string_view first, std::string_view second, const std::string& text) {
  return fmt::format("  {:<{}}{:<{}}{}\n", first, verdict_width, second, check_width, indented(text));
}

json::object object_of(const node_report& of, const line& from) {
  return {{"node", of.node},
          {"role", of.role},
          {"check", from.check},
          {"verdict", json::string_view(to_string(from.is).data(), to_string(from.is).size())},
          {"text", from.text},
          {"remedy", from.remedy}};
}

} // namespace

verdict worst_of(const std::vector<node_report>& reports) {
  if (count(reports, verdict::wrong) > 0) return verdict::wrong;
  return count(reports, verdict::warning) > 0 ? verdict::warning : verdict::ok;
}

std::string text_of(const std::vector<node_report>& reports) {
  std::string out;
  for (const auto& each : reports) {
    if (each.lines.empty()) continue;
    out += each.node.empty() ? std::string("this host\n") : fmt::format("{} ({})\n", each.node, each.role);
    for (const auto& one : each.lines) {
      out += row(to_string(one.is), one.check, one.text);
      if (!one.remedy.empty()) out += row("", "", "-> " + one.remedy);
    }
  }
  return out
         + fmt::format("{}: {} wrong, {} warnings, {} ok, {} not checked\n", to_string(worst_of(reports)),
                       count(reports, verdict::wrong), count(reports, verdict::warning),
                       count(reports, verdict::ok), count(reports, verdict::unchecked));
}

std::string json_of(const std::vector<node_report>& reports) {
  json::array checks;
  for (const auto& each : reports)
    for (const auto& one : each.lines)
      checks.push_back(object_of(each, one));
  const auto worst = to_string(worst_of(reports));
  const auto version = config::version();
  return json::serialize(json::object{{"format", format_version},
                                      {"swarmd", json::string_view(version.data(), version.size())},
                                      {"verdict", json::string_view(worst.data(), worst.size())},
                                      {"wrong", count(reports, verdict::wrong)},
                                      {"warnings", count(reports, verdict::warning)},
                                      {"checks", std::move(checks)}})
         + "\n";
}

} // namespace swarm::doctor
