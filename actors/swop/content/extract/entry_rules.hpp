#pragma once

#include "actors/swop/content/errors.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::content {

/// When an archive is too much. `bytes_max` counts what files say of their size, holes included, and a hard link as
/// a file of its own.
struct extract_limits {
  std::uint64_t bytes_max = std::uint64_t{256} << 30;
  std::uint64_t entries_max = 2'000'000;
  /// Bytes that come out of one byte of the archive, beyond the first `unsuspicious_bytes`.
  std::uint64_t ratio_max = 250;
  std::uint64_t unsuspicious_bytes = std::uint64_t{1} << 30;
};

/// What came out of an archive so far, against its limits.
class extract_budget {
public:
  explicit extract_budget(const extract_limits& limits) : limits_(limits) {}

  result<> add_entry();
  /// `count` bytes more; `read` bytes of the archive have been read altogether.
  result<> add_bytes(std::uint64_t count, std::uint64_t read);
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t entries() const { return entries_; }

private:
  extract_limits limits_;
  std::uint64_t bytes_ = 0;
  std::uint64_t entries_ = 0;
};

/// Whether a symbolic link in the folder `folder` (the parts of its path) stays in the archive's folder, wherever its
/// target leads through other such links: ".." may only stand at its beginning, and no more of them than there are
/// folders above it.
bool link_stays_inside(const std::vector<std::string>& folder, std::string_view target);

} // namespace swarm::content
