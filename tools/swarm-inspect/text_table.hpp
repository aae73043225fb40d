#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::inspect {

enum class colour { none, dim, bold, red, yellow, green, cyan };

/// How to print: colours only on a terminal, and lines no longer than it is wide (0: any length).
struct style {
  bool colours = false;
  std::size_t width = 0;

  std::string paint(std::string_view text, colour with) const;
};

struct cell {
  std::string text;
  colour with = colour::none;
};

struct column {
  std::string title;
  bool right = false; ///< numbers
};

/// Aligned columns under their titles, one line a row. Widths count characters, not bytes (UTF-8). With a
/// width the last column is cut to fit.
std::string table(const std::vector<column>& columns, const std::vector<std::vector<cell>>& rows,
                  const style& how);

/// The number of characters of UTF-8 text. For this project's texts these are also the columns on a terminal.
std::size_t width_of(std::string_view text);
/// At most `width` characters, "…" at the end when something is missing.
std::string cut(std::string_view text, std::size_t width);

/// "12 us", "340 ms", "2.3 s", "4 m 10 s", "3 h 2 m", "2 d 4 h".
std::string age(double seconds);
/// "512 B", "1.5 MiB".
std::string bytes(double count);
/// "14:03:21.250" of today's local time, with the date for other days.
std::string clock_time(std::int64_t unix_ms, std::int64_t now_unix_ms);

} // namespace swarm::inspect
