#pragma once

#include "merge/store/shard_file.hpp"

/// The answer to GET /shards/FIRST: the hashes of the chunks of a run of a merge that a node has made, so that who needs the merge
/// can tell its chunks by them. All lists of a merge together are believed when they have its digest.
namespace swarm::actors {

struct shard_list {
  std::uint64_t first = 0;
  std::vector<hash32> hashes; ///< at least one
  bool operator==(const shard_list&) const = default;
};

bytes encode(const shard_list& list);
/// Accepts only the exact length, and no more than `hashes_max` hashes.
result<shard_list> decode_shard_list(bytes_view raw, std::uint64_t hashes_max);
/// The longest encoding of so many.
constexpr std::uint64_t shard_list_bytes_max(std::uint64_t hashes) {
  return 32 + hashes * 32;
}

} // namespace swarm::actors
