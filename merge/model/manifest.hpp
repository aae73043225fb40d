#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace swarm::merge {

inline constexpr std::uint64_t chunk_size = 1u << 20;
/// The largest model: 1 TiB.
inline constexpr std::uint64_t model_size_max = std::uint64_t{1} << 40;

/// The chunk digests of a model file, so that a fetched file can be checked piece by piece.
struct manifest {
  std::uint64_t size = 0;
  std::uint64_t chunk_bytes = chunk_size;
  std::vector<hash32> chunks; ///< SHA-256 of each chunk; only the last one may be short

  /// The digest of the model: `model_digest` of the tree over the chunk digests (base/hash_tree.hpp).
  hash32 digest() const;
  /// "swarmd model v2" | be64 size | be64 chunk size | chunk digests.
  bytes encode() const;
  /// Accepts only the exact length, the constant chunk size and a size in [1, model_size_max]. A caller that
  /// knows the digest must compare it with `digest()`.
  static result<manifest> decode(bytes_view raw);
  /// Bytes of chunk `index`.
  std::uint64_t size_of_chunk(std::uint64_t index) const;

  friend bool operator==(const manifest&, const manifest&) = default;
};

/// Longest encoding that `manifest::decode` can accept for a model of `size` bytes.
std::uint64_t manifest_encoded_size(std::uint64_t size);

/// The manifest of a whole file in memory; chunks are hashed in parallel.
manifest make_manifest(bytes_view file);

} // namespace swarm::merge
