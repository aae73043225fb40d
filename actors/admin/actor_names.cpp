#include "actors/admin/actor_names.hpp"

#include <algorithm>
#include <numeric>

namespace swarm::actors {

namespace {

constexpr std::size_t similar_max = 5;

/// Levenshtein's distance: insertions, deletions and exchanges from one text to the other.
std::size_t distance(std::string_view a, std::string_view b) {
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
  return row[b.size()];
}

bool ends_with_part(std::string_view path, std::string_view part) {
  return path.size() > part.size() && path.ends_with(part) && path[path.size() - part.size() - 1] == '/';
}

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// How far a path is from what was typed, comparing whole with whole and name with name.
std::size_t strangeness(std::string_view typed, std::string_view path) {
  if (path.find(typed) != std::string_view::npos) return 0;
  return 1 + std::min(distance(typed, path), distance(last_part(typed), last_part(path)));
}

} // namespace

name_match match_actor(std::string_view typed, const std::vector<std::string>& paths) {
  name_match out;
  if (std::find(paths.begin(), paths.end(), typed) != paths.end()) return {std::string(typed), {}};
  while (typed.starts_with('/'))
    typed.remove_prefix(1);
  std::vector<std::string> ends;
  for (const auto& path : paths)
    if (!typed.empty() && ends_with_part(path, typed)) ends.push_back(path);
  if (ends.size() == 1) return {ends.front(), {}};
  if (ends.size() > 1) {
    ends.resize(std::min(ends.size(), similar_max));
    return {{}, std::move(ends)};
  }
  std::vector<std::pair<std::size_t, std::string>> ranked;
  const auto tolerated = 1 + std::max<std::size_t>(2, last_part(typed).size() / 2);
  for (const auto& path : paths)
    if (const auto far = strangeness(typed, path); !typed.empty() && far <= tolerated)
      ranked.emplace_back(far, path);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [far, path] : ranked)
    if (out.similar.size() < similar_max) out.similar.push_back(path);
  return out;
}

} // namespace swarm::actors
