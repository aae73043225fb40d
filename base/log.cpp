#include "base/log.hpp"

#include "base/clock.hpp"
#include "base/log_file.hpp"
#include "base/log_format.hpp"
#include "base/log_tail.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <map>
#include <shared_mutex>

namespace swarm::log {

namespace {

constexpr std::size_t file_bytes_max = std::size_t{8} << 20U;
constexpr auto* text_pattern = "%Y-%m-%d %H:%M:%S,%e : %v";
constexpr auto* json_pattern = "%v"; // the line has its time itself

std::atomic<format> line_format = format::text;

const char* line_pattern() {
  return line_format == format::json ? json_pattern : text_pattern;
}

/// What each source is at. There are as many as roles in the process.
struct training_board {
  std::shared_mutex mutex;
  std::map<std::string, training, std::less<>> of;
};
training_board& trainings() {
  static training_board board;
  return board;
}

training training_of(std::string_view source) {
  auto& board = trainings();
  const std::shared_lock lock(board.mutex);
  const auto found = board.of.find(source);
  return found == board.of.end() ? training{} : found->second;
}

constexpr std::array<std::string_view, 6> names{"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF"};

spdlog::logger& logger() {
  static auto instance = [] {
    auto out = spdlog::stderr_logger_mt("swarm");
    out->set_pattern(line_pattern());
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
  const auto at = training_of(source);
  const auto line = line_format == format::json ? json_line(unix_milliseconds(), lvl, source, text, at)
                                                : text_line(lvl, source, text, at);
  logger().log(to_spdlog(lvl), "{}", line);
  add_to_tail(lvl, source, text);
}

void set_format(format how) {
  line_format = how;
  logger().set_pattern(line_pattern());
}

format parse_format(std::string_view name, format fallback) {
  return name == "json" ? format::json : name == "text" ? format::text : fallback;
}

void set_training(std::string_view source, training now) {
  auto& board = trainings();
  const std::unique_lock lock(board.mutex);
  if (now.contract.empty())
    board.of.erase(std::string(source));
  else
    board.of.insert_or_assign(std::string(source), std::move(now));
}

void set_level(level lvl) {
  logger().set_level(to_spdlog(lvl));
}

bool write_to(const std::string& file) try {
  auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, file_bytes_max, 1);
  sink->set_pattern(line_pattern());
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
