#include "actors/admin/actor_names.hpp"

#include "base/spelling.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

constexpr std::size_t similar_max = 5;

bool ends_with_part(std::string_view path, std::string_view part) {
  return path.size() > part.size() && path.ends_with(part) && path[path.size() - part.size() - 1] == '/';
}

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// How far a path is from what was typed, comparing whole with whole and name with name.
std::size_t strangeness(std::string_view typed, std::string_view path) {
  if (path.find(typed) != std::string_view::npos) return 0;
  return 1 + std::min(edit_distance(typed, path), edit_distance(last_part(typed), last_part(path)));
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
