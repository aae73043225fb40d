#include "base/hash_tree.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace swarm {

hash32 tree_node(const hash32& left, const hash32& right) {
  std::array<std::uint8_t, 1 + 2 * sizeof(hash32)> both{0x01};
  std::copy(left.begin(), left.end(), both.begin() + 1);
  std::copy(right.begin(), right.end(), both.begin() + 1 + left.size());
  return sha256(both);
}

std::vector<hash32> tree_above(std::span<const hash32> nodes, unsigned levels) {
  std::vector<hash32> out(nodes.begin(), nodes.end());
  for (; levels > 0 && out.size() > 1; --levels) {
    const auto width = (out.size() + 1) / 2;
    for (std::size_t i = 0; i < width; ++i)
      out[i] = 2 * i + 1 < out.size() ? tree_node(out[2 * i], out[2 * i + 1]) : out[2 * i];
    out.resize(width);
  }
  return out;
}

hash32 tree_root(std::span<const hash32> leaves) {
  SWARM_ASSERT(!leaves.empty());
  return tree_above(leaves, tree_height(leaves.size())).front();
}

hash32 model_digest(std::uint64_t size, std::uint64_t chunk_size, const hash32& root) {
  constexpr std::string_view domain = "swarmd model v2";
  std::array<std::uint8_t, domain.size() + 2 * sizeof(std::uint64_t) + sizeof(hash32)> what{};
  std::copy(domain.begin(), domain.end(), what.begin());
  put_be64(what.data() + domain.size(), size);
  put_be64(what.data() + domain.size() + 8, chunk_size);
  std::copy(root.begin(), root.end(), what.begin() + domain.size() + 16);
  return sha256(what);
}

} // namespace swarm
