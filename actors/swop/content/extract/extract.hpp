#pragma once

#include "actors/swop/content/extract/entry_rules.hpp"

#include <filesystem>
#include <stop_token>

namespace swarm::content {

struct extract_report {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

/// Unpacks a tar archive (plain, or packed with gzip, bzip2, xz or zstd) or a zip archive into the folder `to`.
/// Nothing is written outside of it, whatever the archive says; devices, owners and special permissions are not taken
/// over: files get mode 0644 or 0755. `to` need not exist; what is there already stays, and files of the same
/// name are replaced. It is unpacked beside `to` first, so an archive that fails leaves `to` as it was.
/// Blocks; ends soon after `stop` is requested.
result<extract_report> extract(const std::filesystem::path& archive, const std::filesystem::path& to,
                               const extract_limits& limits, const std::stop_token& stop);

} // namespace swarm::content
