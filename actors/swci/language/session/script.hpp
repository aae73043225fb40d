#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::swci {

struct script_line {
  std::uint32_t number = 0; ///< in the file, from 1
  std::string text;         ///< without its end; remarks too

  bool operator==(const script_line&) const = default;
};

inline constexpr std::size_t script_bytes_max = 1 << 20;
inline constexpr std::size_t script_lines_max = 20'000;

/// The lines of an init script: they end with LF or CRLF, the last may have no end, a byte order mark is
/// passed over. Fails with errc::limit or errc::invalid, and the line's number, when the file or a line is
/// too long, is no UTF-8 or has control characters: such a file is none for SWCI, and nothing of it is run.
result<std::vector<script_line>> split_script(std::string_view bytes);

} // namespace swarm::swci
