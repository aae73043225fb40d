#pragma once

#include "base/log_level.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace swarm::log {

/// Writes "<date time,ms> : <source> : <LEVEL> : <text>" to standard error, thread-safe. `source` is the
/// dotted name operators know, e.g. "swarm.blCnt" (SN), "swarm.SL", "swarm.swop".
void write(level lvl, std::string_view source, std::string_view text);
void set_level(level lvl);
bool enabled(level lvl);
/// Parses TRACE, DEBUG, INFO, WARNING, ERROR, OFF in any case; `fallback` for anything else.
level parse_level(std::string_view name, level fallback);

template <class... Args>
void emit(level lvl, std::string_view source, fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(lvl)) write(lvl, source, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void debug(std::string_view source, fmt::format_string<Args...> text, Args&&... args) {
  emit(level::debug, source, text, std::forward<Args>(args)...);
}
template <class... Args>
void info(std::string_view source, fmt::format_string<Args...> text, Args&&... args) {
  emit(level::info, source, text, std::forward<Args>(args)...);
}
template <class... Args>
void warning(std::string_view source, fmt::format_string<Args...> text, Args&&... args) {
  emit(level::warning, source, text, std::forward<Args>(args)...);
}
template <class... Args>
void error(std::string_view source, fmt::format_string<Args...> text, Args&&... args) {
  emit(level::error, source, text, std::forward<Args>(args)...);
}

} // namespace swarm::log
