#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// A tree over the hashes of a file's chunks, in the shape of RFC 6962 (section 2.1): each level pairs its neighbours from
/// the left, and one without a sibling is handed up unchanged. So 2^k leaves that begin at a multiple of 2^k, or those that
/// are left at the end of the file, have one root at level k, which follows from them alone. Leaves are not marked
/// as such, unlike there: `model_digest` fixes how many there are, and with that which hash is one.
namespace swarm {

/// SHA-256(0x01 | left | right).
hash32 tree_node(const hash32& left, const hash32& right);

/// How many nodes of `level` a tree of so many leaves has; leaves have level 0.
constexpr std::uint64_t tree_width(std::uint64_t leaves, unsigned level) {
  return leaves == 0 ? 0 : ((leaves - 1) >> level) + 1;
}
/// The level of the root of so many leaves, at least 1.
constexpr unsigned tree_height(std::uint64_t leaves) {
  unsigned out = 0;
  while (tree_width(leaves, out) > 1)
    ++out;
  return out;
}

/// The nodes that stand `levels` above `nodes`, neighbours from the left end of a tree, or from a multiple of 2^levels, on.
std::vector<hash32> tree_above(std::span<const hash32> nodes, unsigned levels);
/// Of at least one leaf.
hash32 tree_root(std::span<const hash32> leaves);

/// What a model of `size` bytes is called: SHA-256("swarmd model v2" | be64 size | be64 chunk size | root of its chunks' hashes).
hash32 model_digest(std::uint64_t size, std::uint64_t chunk_size, const hash32& root);

} // namespace swarm
