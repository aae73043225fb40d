#include "tools/swarmd/doctor/judge/line.hpp"

#include <fmt/format.h>

#include <chrono>

namespace swarm::doctor {

std::string_view to_string(verdict which) {
  switch (which) {
  case verdict::ok:
    return "ok";
  case verdict::warning:
    return "warning";
  case verdict::wrong:
    return "wrong";
  case verdict::unchecked:
    return "not checked";
  }
  return "?";
}

std::string time_text(std::uint64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds at{seconds(unix_seconds)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count());
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kilo = 1024, mega = kilo * 1024, giga = mega * 1024;
  if (bytes >= giga) return fmt::format("{:.1f} GB", static_cast<double>(bytes) / giga);
  if (bytes >= mega) return fmt::format("{} MB", bytes / mega);
  return fmt::format("{} KB", bytes / kilo);
}

} // namespace swarm::doctor
