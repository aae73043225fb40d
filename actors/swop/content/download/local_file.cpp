#include "actors/swop/content/download/local_file.hpp"

#include "base/file.hpp"

#include <algorithm>

namespace swarm::content {

namespace fs = std::filesystem;

namespace {

/// True when `path` is `root` or lies in it; both without links.
bool is_below(const fs::path& path, const fs::path& root) {
  const auto [in_root, in_path] = std::ranges::mismatch(root, path);
  return in_root == root.end();
}

bool is_allowed(const fs::path& real, const std::vector<fs::path>& allowed) {
  return std::ranges::any_of(allowed, [&](const fs::path& each) {
    std::error_code problem;
    const auto root = fs::canonical(each, problem);
    return !problem && is_below(real, root);
  });
}

} // namespace

result<> read_local_file(const url& from, const std::vector<fs::path>& allowed, const std::stop_token& stop,
                         const std::function<result<>(const answer_head&)>& on_head,
                         const std::function<result<>(bytes_view)>& on_body) {
  // The same answer whether a forbidden file is there or not: nobody learns what the host has.
  const auto forbidden = [] {
    return fail(
        content_errc::forbidden_path,
        "is not there, or does not lie in a path that is allowed; the operator allows one with --allow-path");
  };
  std::error_code problem;
  auto real = fs::weakly_canonical(from.path, problem);
  if (problem || !is_allowed(real, allowed)) return forbidden();
  const auto found = file::open(from.path);
  if (!found) {
    const bool is_missing = found.error().is(file_errc::not_found);
    return fail(is_missing ? content_errc::not_found : content_errc::refused, "{}", found.error().message);
  }
  const auto& opened = *found;
  real = fs::read_symlink("/proc/self/fd/" + std::to_string(opened.fd()), problem);
  if (problem || !is_allowed(real, allowed)) return forbidden();
  SWARM_TRY(const auto size, opened.size());
  SWARM_CHECK(on_head({.status = 200, .version = {}, .bytes = size, .first = {}}));
  bytes chunk(1 << 20);
  while (!stop.stop_requested()) {
    SWARM_TRY(const auto got, opened.read(chunk));
    if (got == 0) return {};
    SWARM_CHECK(on_body({chunk.data(), got}));
  }
  return fail(content_errc::stopped, "stopped");
}

} // namespace swarm::content
