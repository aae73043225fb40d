#include "base/log_tail.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

namespace swarm::log {

namespace {

struct kept_lines {
  std::atomic<bool> is_on = false;
  std::mutex mutex;
  std::uint64_t last = 0;
  std::deque<tail_line> lines;
};
kept_lines& kept() {
  static auto* all = new kept_lines; // never destroyed, as other threads write until the very end
  return *all;
}

} // namespace

void keep_tail() {
  kept().is_on = true;
}

void add_to_tail(level lvl, std::string_view source, std::string_view text) {
  auto& all = kept();
  if (!all.is_on) return;
  const auto now = unix_milliseconds();
  const std::lock_guard lock(all.mutex);
  all.lines.push_back(
      {++all.last, now, lvl, std::string(source), std::string(text.substr(0, tail_text_bytes_max))});
  if (all.lines.size() > tail_lines_max) all.lines.pop_front();
}

std::vector<tail_line> tail_after(std::uint64_t after, std::size_t lines_max) {
  auto& all = kept();
  const std::lock_guard lock(all.mutex);
  if (after > all.last) after = 0; // who asks knows lines of a process that was here before
  const auto newer = all.last - after;
  const auto count = std::min({static_cast<std::size_t>(newer), lines_max, all.lines.size()});
  return {all.lines.end() - static_cast<std::ptrdiff_t>(count), all.lines.end()};
}

} // namespace swarm::log
