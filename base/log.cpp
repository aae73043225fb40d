#include "base/log.hpp"

#include "base/log_file.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace swarm::log {

namespace {

constexpr std::size_t file_bytes_max = std::size_t{8} << 20U;
constexpr auto* line_pattern = "%Y-%m-%d %H:%M:%S,%e : %v";

constexpr std::array<std::string_view, 6> names{"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF"};

spdlog::logger& logger() {
  static auto instance = [] {
    auto out = spdlog::stderr_logger_mt("swarm");
    out->set_pattern(line_pattern);
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

bool write_to(const std::string& file) try {
  auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, file_bytes_max, 1);
  sink->set_pattern(line_pattern);
  logger().sinks().assign(1, std::move(sink));
  return true;
} catch (const spdlog::spdlog_ex&) {
  return false;
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
