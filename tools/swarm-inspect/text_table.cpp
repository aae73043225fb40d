#include "tools/swarm-inspect/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace swarm::inspect {

namespace {

std::string_view code_of(colour c) {
  switch (c) {
  case colour::none:
    return "";
  case colour::dim:
    return "2";
  case colour::bold:
    return "1";
  case colour::red:
    return "31";
  case colour::yellow:
    return "33";
  case colour::green:
    return "32";
  case colour::cyan:
    return "36";
  }
  return "";
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::string padded(std::string_view text, std::size_t width, bool right, bool last) {
  const auto missing = width - std::min(width, width_of(text));
  if (right) return std::string(missing, ' ') + std::string(text);
  return std::string(text) + (last ? "" : std::string(missing, ' '));
}

} // namespace

std::string style::paint(std::string_view text, colour with) const {
  if (!colours || with == colour::none || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(with), text);
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string cut(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t seen = 0, at = 0;
  for (; at < text.size(); ++at)
    if (begins_character(text[at]) && ++seen == width) break;
  return std::string(text.substr(0, at)) + "…";
}

std::string table(const std::vector<column>& columns, const std::vector<std::vector<cell>>& rows,
                  const style& how) {
  std::vector<std::size_t> widths;
  for (const auto& c : columns)
    widths.push_back(width_of(c.title));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i].text));
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < columns.size(); ++i)
    before_last += widths[i] + 2;
  const auto last_max =
      how.width == 0 ? SIZE_MAX : std::max<std::size_t>(8, how.width - std::min(how.width, before_last));
  const auto line = [&](const auto& text_of, const auto& colour_of) {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool last = i + 1 == columns.size();
      const auto text = last ? cut(text_of(i), last_max) : text_of(i);
      out += how.paint(padded(text, widths[i], columns[i].right && !(last && text != text_of(i)), last),
                       colour_of(i));
      if (!last) out += "  ";
    }
    while (out.ends_with(' '))
      out.pop_back();
    return out + "\n";
  };
  auto out = line([&](std::size_t i) { return columns[i].title; }, [](std::size_t) { return colour::bold; });
  for (const auto& row : rows)
    out += line([&](std::size_t i) { return i < row.size() ? row[i].text : std::string{}; },
                [&](std::size_t i) { return i < row.size() ? row[i].with : colour::none; });
  return out;
}

std::string age(double s) {
  const auto two = [](std::int64_t big, std::string_view b, std::int64_t small, std::string_view sm) {
    return small == 0 ? fmt::format("{} {}", big, b) : fmt::format("{} {} {} {}", big, b, small, sm);
  };
  if (s < 0.0005) return fmt::format("{:.0f} us", s * 1e6);
  if (s < 0.0995) return fmt::format("{:.3g} ms", s * 1e3);
  if (s < 0.9995) return fmt::format("{:.0f} ms", s * 1e3);
  if (s < 59.95) return fmt::format("{:.1f} s", s);
  const auto whole = static_cast<std::int64_t>(std::llround(s));
  if (whole < 3600) return two(whole / 60, "m", whole % 60, "s");
  if (whole < 86400) return two(whole / 3600, "h", whole % 3600 / 60, "m");
  return two(whole / 86400, "d", whole % 86400 / 3600, "h");
}

std::string bytes(double count) {
  static constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (count >= 1023.95 && unit + 1 < units.size()) {
    count /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", count) : fmt::format("{:.1f} {}", count, units[unit]);
}

std::string clock_time(std::int64_t unix_ms, std::int64_t now_unix_ms) {
  const auto local = [](std::int64_t ms) {
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm out = {};
    ::localtime_r(&seconds, &out);
    return out;
  };
  const auto then = local(unix_ms), now = local(now_unix_ms);
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  const auto date =
      today ? std::string{}
            : fmt::format("{:04}-{:02}-{:02} ", then.tm_year + 1900, then.tm_mon + 1, then.tm_mday);
  return fmt::format("{}{:02}:{:02}:{:02}.{:03}", date, then.tm_hour, then.tm_min, then.tm_sec,
                     unix_ms % 1000);
}

} // namespace swarm::inspect
