#pragma once

#include "base/log_tail.hpp"
#include "base/result.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The newest lines of a SWOP's own log, as it tells them to SWCIs of its organisation.
namespace swarm::swop {

inline constexpr std::size_t own_log_lines_max = 500;              ///< in one answer
inline constexpr std::size_t own_log_body_bytes_max = 1024 * 1024; ///< of one answer

/// Lines with higher numbers than `after`; 0: the newest. And the reverse.
std::string own_log_target(std::uint64_t after);
std::optional<std::uint64_t> after_of_target(std::string_view target);

/// A line as an object: number, time_ms, level, source, text.
boost::json::object log_line_json(const log::tail_line& line);
/// Of these lines the newest that there is room for.
std::string encode_own_log(const std::vector<log::tail_line>& lines);
/// Believes nothing: what breaks a bound fails with errc::limit, what is anything else with errc::invalid.
result<std::vector<log::tail_line>> decode_own_log(std::string_view text);

} // namespace swarm::swop
