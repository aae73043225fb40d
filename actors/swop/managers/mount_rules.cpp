#include "actors/swop/managers/mount_rules.hpp"

#include "actors/swop/managers/manager.hpp"

#include <algorithm>

namespace swarm::managers {

namespace fs = std::filesystem;

namespace {

bool is_within(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

} // namespace

result<mount_rules> mount_rules::make(std::vector<fs::path> hidden, std::vector<fs::path> shown) {
  mount_rules out;
  out.hidden_ = std::move(hidden);
  out.shown_ = std::move(shown);
  for (auto* list : {&out.hidden_, &out.shown_})
    for (auto& each : *list) {
      std::error_code problem;
      each = fs::weakly_canonical(each, problem);
      if (problem) return fail(manager_errc::io, "{}: {}", each.native(), problem.message());
    }
  return out;
}

result<> mount_rules::check(const mount& each) const {
  std::error_code problem;
  const auto real = fs::canonical(each.source, problem);
  if (problem)
    return fail(manager_errc::path_missing, "{}: {}, but the task wants it as {}", each.source,
                problem.message(), each.target);
  const auto is_shown = std::ranges::any_of(
      shown_, [&](const fs::path& folder) { return is_within(real, folder) && real != folder; });
  for (const auto& hidden : hidden_)
    if (is_within(hidden, real) || (is_within(real, hidden) && !is_shown))
      return fail(manager_errc::path_not_allowed, "{}: a program may not see it, as {} is this node's own",
                  each.source, hidden.native());
  return {};
}

} // namespace swarm::managers
