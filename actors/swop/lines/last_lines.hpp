#pragma once

#include "actors/swop/task/task_machine.hpp"
#include "base/result.hpp"

/// What a SWOP tells SWCIs of its organisation: what the programs of a part wrote last, of those that failed or of all; also
/// an SN that the part has started and that outlives it.
namespace swarm::swop {

inline constexpr std::size_t last_lines_max = 20;        ///< of one program that failed
inline constexpr std::size_t followed_lines_max = 200;   ///< of one program, of all that there are
inline constexpr std::size_t last_line_bytes_max = 2000; ///< of one line
/// Of all programs together, which share it evenly; the oldest lines are left out.
inline constexpr std::size_t last_lines_bytes_max = 256 * 1024;
/// Of the whole answer.
inline constexpr std::size_t last_lines_body_bytes_max = 1024 * 1024;

struct program_lines {
  std::uint32_t index = 0; ///< of its pair
  program_kind kind = program_kind::ml;
  std::string ended; ///< how, in words; empty: it runs
  std::vector<std::string> lines;
  std::string node; ///< of an SN: its name
  bool operator==(const program_lines&) const = default;
};

/// Whose lines are asked for.
struct lines_wish {
  part_id part;
  bool of_all = false; ///< also of programs that run, or have ended well
  bool operator==(const lines_wish&) const = default;
};
/// Where on a SWOP's server these lines are, and the reverse.
std::string lines_target(const lines_wish& wish);
std::optional<lines_wish> wish_of_target(std::string_view target);

/// "the program exited (exit code 3)".
std::string ended_text(const failure& why);

/// As JSON, within the bounds above. Lines that are not UTF-8 must not be among them.
std::string encode_last_lines(std::vector<program_lines> programs, std::size_t lines_max = last_lines_max);
/// Believes nothing: what breaks a bound fails with errc::limit, what is anything else with errc::invalid.
result<std::vector<program_lines>> decode_last_lines(std::string_view text,
                                                     std::size_t lines_max = last_lines_max);

/// Why a SWOP tells a client nothing, as its answer (status 403) has it; a client that understands neither says "refused".
enum class lines_refusal { other_organisation, no_swci };
std::string encode_refusal(lines_refusal why);
std::optional<lines_refusal> decode_refusal(std::string_view text);

} // namespace swarm::swop
