#include "base/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace swarm {

namespace {

constexpr std::size_t wrong_bytes_max = 64;

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto exchange = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchange});
    }
  }
  return row.back();
}

std::optional<std::string_view> nearest(std::string_view wrong,
                                        std::span<const std::string_view> candidates) {
  if (wrong.empty() || wrong.size() > wrong_bytes_max) return std::nullopt;
  std::optional<std::string_view> best;
  // One wrong, missing or surplus letter in three counts as a slip, and one in a word of two letters; more
  // makes another word.
  std::size_t best_distance = wrong.size() == 2 ? 2 : wrong.size() / 3 + 1;
  for (const auto candidate : candidates)
    if (const auto far = edit_distance(wrong, candidate); far < best_distance) {
      best_distance = far;
      best = candidate;
    }
  return best;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string_view> candidates,
                         std::string_view prefix) {
  const auto near = nearest(wrong, candidates);
  return near ? fmt::format("; did you mean '{}{}'?", prefix, *near) : std::string();
}

} // namespace swarm
