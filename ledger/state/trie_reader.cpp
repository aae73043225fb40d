#include "ledger/state/trie_reader.hpp"

#include "ledger/formats/header.hpp"

#include <algorithm>
#include <array>

namespace swarm::ledger {

namespace {

std::array<std::uint8_t, 64> nibbles_of(const hash32& key) {
  std::array<std::uint8_t, 64> out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    out[2 * i] = key[i] >> 4;
    out[2 * i + 1] = key[i] & 0x0f;
  }
  return out;
}

} // namespace

trie_reader::trie_reader(trie_store& stored, const hash32& root) : stored_(stored) {
  if (root != empty_trie_root) root_ = root;
}

result<> trie_reader::resolve(link& at, const trie_child& child) {
  if (const auto* node = std::get_if<trie_node_ptr>(&child)) {
    at.node = *node;
    return {};
  }
  SWARM_TRY(at.node, stored_.load(std::get<hash32>(child)));
  return {};
}

result<const bytes*> trie_reader::find(const hash32& key) {
  const auto nibbles = nibbles_of(key);
  bytes_view rest = nibbles;
  const auto* child = &root_;
  auto* at = &top_;
  while (!is_none(*child)) {
    if (at->node == nullptr) SWARM_CHECK(resolve(*at, *child));
    const auto& node = *at->node;
    if (node.is_branch() && rest.empty()) return node.value.empty() ? nullptr : &node.value;
    std::size_t next = 0;
    if (node.is_branch()) {
      next = rest.front();
      rest = rest.subspan(1);
    } else {
      if (rest.size() < node.path.size() || !std::equal(node.path.begin(), node.path.end(), rest.begin()))
        return nullptr;
      rest = rest.subspan(node.path.size());
      if (node.is_leaf()) return rest.empty() ? &node.value : nullptr;
    }
    if (!at->below) at->below = std::make_unique<link[]>(node.children.size());
    child = &node.children[next];
    at = &at->below[next];
  }
  return nullptr;
}

} // namespace swarm::ledger
