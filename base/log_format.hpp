#pragma once

#include "base/log_level.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::log {

/// How lines look: for people, or one JSON object each, {"time","level","actor","message"} and what the source is at.
enum class format { text, json };
void set_format(format how);
/// Parses text and json; `fallback` for anything else.
format parse_format(std::string_view name, format fallback);

/// What a source is at; its lines say so from then on.
struct training {
  std::string contract; ///< empty: nothing
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  bool operator==(const training&) const = default;
};
void set_training(std::string_view source, training now);

/// A line without its end, as it is written; `unix_ms` is UTC in JSON, and the host's time for people, who get it from the writer.
std::string text_line(level lvl, std::string_view source, std::string_view text, const training& at);
std::string json_line(std::uint64_t unix_ms, level lvl, std::string_view source, std::string_view text,
                      const training& at);

} // namespace swarm::log
