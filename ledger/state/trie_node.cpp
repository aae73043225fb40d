#include "ledger/state/trie_node.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::ledger {

namespace {

constexpr std::size_t embedded_below = 32; ///< bytes of RLP
constexpr std::size_t branch_items = 17;
constexpr std::string_view what = "trie node";

result<trie_node_ptr> decode_item(const rlp_item& item);

/// Puts the child's item into `out` and its stored form into `clean`.
void put_child(rlp_writer& out, const trie_child& child, trie_child& clean, const trie_node_sink& sink) {
  if (std::holds_alternative<std::monostate>(child)) {
    out.string({});
  } else if (const auto* hash = std::get_if<hash32>(&child)) {
    out.string(hash->view());
    clean = *hash;
  } else {
    auto below = encode_trie_node(*std::get<trie_node_ptr>(child), sink);
    if (below.rlp.size() < embedded_below) {
      out.encoded(below.rlp);
      clean = std::move(below.clean);
      return;
    }
    auto hash_below = keccak256(below.rlp);
    out.string(hash_below.view());
    clean = hash_below;
    sink(hash_below, std::move(below.rlp), std::move(below.clean));
  }
}

/// Nibbles and leaf flag of a hex prefix; only its one canonical form.
result<std::pair<bytes, bool>> parse_hex_prefix(bytes_view raw) {
  if (raw.empty() || raw.front() >> 4 > 3 || ((raw.front() & 0x10) == 0 && (raw.front() & 0x0f) != 0))
    return fail(errc::corrupt, "{}: bad hex prefix", what);
  bytes nibbles = to_nibbles(raw);
  bool odd = (raw.front() & 0x10) != 0;
  nibbles.erase(nibbles.begin(), nibbles.begin() + (odd ? 1 : 2));
  return std::pair{std::move(nibbles), (raw.front() & 0x20) != 0};
}

result<trie_child> decode_child(const rlp_item& item) {
  if (item.is_list) {
    // The bound also limits how deep a chain of embedded nodes can be.
    if (item.encoded.size() >= embedded_below)
      return fail(errc::corrupt, "{}: embedded child too large", what);
    SWARM_TRY(auto below, decode_item(item));
    return trie_child{std::move(below)};
  }
  if (item.payload.empty()) return trie_child{};
  SWARM_TRY(auto hash, hash32::from_view(item.payload));
  return trie_child{hash};
}

result<trie_node_ptr> decode_short(const rlp_item& path_item, const rlp_item& second) {
  if (path_item.is_list) return fail(errc::corrupt, "{}: a list where the path must stand", what);
  SWARM_TRY(auto prefix, parse_hex_prefix(path_item.payload));
  auto node = std::make_shared<trie_node>();
  node->path = std::move(prefix.first);
  if (prefix.second) {
    if (second.is_list || second.payload.empty()) return fail(errc::corrupt, "{}: leaf without value", what);
    node->value = to_bytes(second.payload);
    return node;
  }
  SWARM_TRY(auto child, decode_child(second));
  if (node->path.empty() || std::holds_alternative<std::monostate>(child))
    return fail(errc::corrupt, "{}: extension without path or child", what);
  node->children.push_back(std::move(child));
  return node;
}

result<trie_node_ptr> decode_branch(std::span<const rlp_item> items) {
  auto node = std::make_shared<trie_node>();
  node->children.reserve(16);
  for (const auto& item : items.first(16)) {
    SWARM_TRY(auto child, decode_child(item));
    node->children.push_back(std::move(child));
  }
  if (items[16].is_list) return fail(errc::corrupt, "{}: a list where the branch's value must stand", what);
  node->value = to_bytes(items[16].payload);
  return node;
}

result<trie_node_ptr> decode_item(const rlp_item& item) {
  SWARM_TRY(auto reader, rlp_reader::open(item, what));
  std::vector<rlp_item> items;
  items.reserve(branch_items);
  while (!reader.at_end() && items.size() < branch_items) {
    SWARM_TRY(auto next, reader.next("item"));
    items.push_back(next);
  }
  SWARM_CHECK(reader.finish());
  if (items.size() == 2) return decode_short(items[0], items[1]);
  if (items.size() == branch_items) return decode_branch(items);
  return fail(errc::corrupt, "{}: {} items, must have 2 or 17", what, items.size());
}

} // namespace

std::size_t trie_node::memory() const {
  std::size_t total = sizeof(trie_node) + path.capacity() + value.capacity();
  total += children.capacity() * sizeof(trie_child);
  for (const auto& child : children)
    if (const auto* below = std::get_if<trie_node_ptr>(&child)) total += (*below)->memory();
  return total;
}

bytes to_nibbles(bytes_view key) {
  bytes out;
  out.reserve(key.size() * 2);
  for (auto byte : key) {
    out.push_back(byte >> 4);
    out.push_back(byte & 0x0f);
  }
  return out;
}

bytes hex_prefix(bytes_view nibbles, bool is_leaf) {
  bytes out;
  out.reserve(nibbles.size() / 2 + 1);
  std::uint8_t flags = is_leaf ? 0x20 : 0;
  std::size_t at = 0;
  if (nibbles.size() % 2 == 1) flags = static_cast<std::uint8_t>(flags | 0x10 | nibbles[at++]);
  out.push_back(flags);
  for (; at < nibbles.size(); at += 2)
    out.push_back(static_cast<std::uint8_t>(nibbles[at] << 4 | nibbles[at + 1]));
  return out;
}

encoded_trie_node encode_trie_node(const trie_node& node, const trie_node_sink& sink) {
  auto clean = std::make_shared<trie_node>();
  clean->path = node.path;
  clean->value = node.value;
  clean->children.resize(node.children.size());
  rlp_writer out(node.is_branch() ? 544 : 48 + node.value.size());
  out.begin_list();
  if (!node.is_branch()) out.string(hex_prefix(node.path, node.is_leaf()));
  for (std::size_t i = 0; i < node.children.size(); ++i)
    put_child(out, node.children[i], clean->children[i], sink);
  if (!node.is_extension()) out.string(node.value);
  out.end_list();
  return {out.take(), std::move(clean)};
}

result<trie_node_ptr> decode_trie_node(bytes_view raw) {
  SWARM_TRY(auto item, rlp_decode(raw, what));
  return decode_item(item);
}

} // namespace swarm::ledger
