#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace swarm::log {

namespace {

constexpr std::array<std::string_view, 6> names{"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF"};

spdlog::logger& logger() {
  static auto instance = [] {
    auto out = spdlog::stderr_logger_mt("swarm");
    out->set_pattern("%Y-%m-%d %H:%M:%S,%e : %v");
    out->flush_on(spdlog::level::trace);
    return out;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(level lvl) {
  static constexpr std::array table{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                    spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
  return table[static_cast<std::size_t>(lvl)];
}

} // namespace

void write(level lvl, std::string_view source, std::string_view text) {
  logger().log(to_spdlog(lvl), "{} : {} : {}", source, names[static_cast<std::size_t>(lvl)], text);
}

void set_level(level lvl) {
  logger().set_level(to_spdlog(lvl));
}

bool enabled(level lvl) {
  return logger().should_log(to_spdlog(lvl));
}

level parse_level(std::string_view name, level fallback) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto found = std::find(names.begin(), names.end(), upper == "WARN" ? "WARNING" : upper);
  return found == names.end() ? fallback : static_cast<level>(found - names.begin());
}

} // namespace swarm::log
