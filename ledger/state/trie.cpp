#include "ledger/state/trie.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::ledger {

namespace {

bool starts_with(bytes_view text, bytes_view start) {
  return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin());
}

std::size_t common_prefix(bytes_view a, bytes_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

trie_node_ptr make_leaf(bytes_view path, bytes value) {
  return std::make_shared<trie_node>(trie_node{to_bytes(path), std::move(value), {}});
}

trie_node_ptr make_extension(bytes_view path, trie_child child) {
  return std::make_shared<trie_node>(trie_node{to_bytes(path), {}, {std::move(child)}});
}

trie_node make_branch() {
  trie_node out;
  out.children.resize(16);
  return out;
}

/// The bytes of the node that `child` stands for, or nothing when the node is embedded in its parent.
result<bytes> listed_rlp(const trie_child& child, const trie_node& node) {
  auto rlp = encode_trie_node(node, [](const hash32&, const bytes&, const trie_node_ptr&) {}).rlp;
  if (std::holds_alternative<trie_node_ptr>(child) && rlp.size() < 32) return bytes{};
  return rlp;
}

/// Where a path goes from a node: to a child, to a value, or nowhere.
struct next_step {
  const trie_child* child = nullptr;
  const bytes* value = nullptr;
  bytes_view rest;
};

next_step step(const trie_node& node, bytes_view path) {
  if (node.is_branch()) {
    if (!path.empty()) return {&node.children[path.front()], nullptr, path.subspan(1)};
    return {nullptr, node.value.empty() ? nullptr : &node.value, {}};
  }
  if (!starts_with(path, node.path)) return {};
  if (node.is_extension()) return {&node.children.front(), nullptr, path.subspan(node.path.size())};
  return {nullptr, path.size() == node.path.size() ? &node.value : nullptr, {}};
}

} // namespace

trie::trie(trie_store* stored, const hash32& root) : stored_(stored) {
  if (root != empty_trie_root) root_ = root;
}

result<trie_node_ptr> trie::resolve(const trie_child& child) const {
  if (const auto* node = std::get_if<trie_node_ptr>(&child)) return *node;
  SWARM_ASSERT(stored_ != nullptr && std::holds_alternative<hash32>(child));
  return stored_->load(std::get<hash32>(child));
}

result<std::optional<bytes>> trie::get(bytes_view key) const {
  auto nibbles = to_nibbles(key);
  next_step at{&root_, nullptr, nibbles};
  trie_node_ptr node; // keeps what `at` points into
  while (at.child != nullptr && !is_none(*at.child)) {
    SWARM_TRY(auto below, resolve(*at.child));
    node = std::move(below);
    at = step(*node, at.rest);
  }
  if (at.value == nullptr) return std::optional<bytes>{};
  return std::optional<bytes>{*at.value};
}

result<> trie::put(bytes_view key, bytes value) {
  if (value.empty()) return erase(key);
  SWARM_TRY(auto root, put_below(root_, to_nibbles(key), value));
  root_ = std::move(root);
  return {};
}

result<trie_node_ptr> trie::put_below(const trie_child& at, bytes_view path, bytes& value) const {
  if (is_none(at)) return make_leaf(path, std::move(value));
  SWARM_TRY(auto node, resolve(at));
  if (!node->is_branch()) return put_short(*node, path, value);
  auto copy = std::make_shared<trie_node>(*node);
  if (path.empty()) {
    copy->value = std::move(value);
  } else {
    auto& child = copy->children[path.front()];
    SWARM_TRY(auto below, put_below(child, path.subspan(1), value));
    child = std::move(below);
  }
  return copy;
}

/// Puts a value below a leaf or an extension, which is split where the paths part.
result<trie_node_ptr> trie::put_short(const trie_node& node, bytes_view path, bytes& value) const {
  auto common = common_prefix(node.path, path);
  if (common == node.path.size()) {
    if (node.is_extension()) {
      SWARM_TRY(auto below, put_below(node.children.front(), path.subspan(common), value));
      return make_extension(node.path, std::move(below));
    }
    if (common == path.size()) return make_leaf(path, std::move(value));
  }
  auto branch = make_branch();
  auto old_rest = bytes_view(node.path).subspan(common);
  auto new_rest = path.subspan(common);
  if (old_rest.empty())
    branch.value = node.value;
  else if (node.is_leaf())
    branch.children[old_rest.front()] = make_leaf(old_rest.subspan(1), node.value);
  else if (old_rest.size() == 1)
    branch.children[old_rest.front()] = node.children.front();
  else
    branch.children[old_rest.front()] = make_extension(old_rest.subspan(1), node.children.front());
  if (new_rest.empty())
    branch.value = std::move(value);
  else
    branch.children[new_rest.front()] = make_leaf(new_rest.subspan(1), std::move(value));
  auto split = std::make_shared<trie_node>(std::move(branch));
  if (common == 0) return split;
  return make_extension(path.first(common), std::move(split));
}

result<> trie::erase(bytes_view key) {
  SWARM_TRY(auto below, erase_below(root_, to_nibbles(key)));
  if (below.changed) root_ = std::move(below.now);
  return {};
}

result<trie::erased> trie::erase_below(const trie_child& at, bytes_view path) const {
  if (is_none(at)) return erased{};
  SWARM_TRY(auto node, resolve(at));
  if (node->is_branch()) return erase_branch(*node, path);
  if (node->is_extension()) return erase_extension(*node, path);
  return erased{std::equal(path.begin(), path.end(), node->path.begin(), node->path.end()), {}};
}

result<trie::erased> trie::erase_extension(const trie_node& node, bytes_view path) const {
  if (!starts_with(path, node.path)) return erased{};
  SWARM_TRY(auto below, erase_below(node.children.front(), path.subspan(node.path.size())));
  if (!below.changed) return erased{};
  // An extension leads to a branch, which has at least two entries, so one of them is left.
  SWARM_TRY(auto now, prefixed(node.path, below.now));
  return erased{true, std::move(now)};
}

result<trie::erased> trie::erase_branch(const trie_node& node, bytes_view path) const {
  if (path.empty()) {
    if (node.value.empty()) return erased{};
    auto copy = node;
    copy.value.clear();
    SWARM_TRY(auto now, collapse_branch(std::move(copy)));
    return erased{true, std::move(now)};
  }
  SWARM_TRY(auto below, erase_below(node.children[path.front()], path.subspan(1)));
  if (!below.changed) return erased{};
  auto copy = node;
  copy.children[path.front()] = std::move(below.now);
  SWARM_TRY(auto now, collapse_branch(std::move(copy)));
  return erased{true, std::move(now)};
}

/// Turns a branch with a single entry left into a leaf or an extension, so that the shape depends on the
/// entries alone.
result<trie_child> trie::collapse_branch(trie_node node) const {
  std::size_t used = 0;
  std::uint8_t last = 0;
  for (std::uint8_t i = 0; i < 16; ++i) {
    if (is_none(node.children[i])) continue;
    ++used;
    last = i;
  }
  if (used + (node.value.empty() ? 0 : 1) > 1)
    return trie_child{std::make_shared<const trie_node>(std::move(node))};
  if (used == 0) return trie_child{make_leaf({}, std::move(node.value))};
  SWARM_TRY(auto now, prefixed(bytes_view(&last, 1), node.children[last]));
  return trie_child{std::move(now)};
}

/// `child` with `path` in front of its own path.
result<trie_node_ptr> trie::prefixed(bytes_view path, const trie_child& child) const {
  SWARM_TRY(auto node, resolve(child));
  if (node->is_branch()) return make_extension(path, child);
  auto longer = std::make_shared<trie_node>(*node);
  longer->path.insert(longer->path.begin(), path.begin(), path.end());
  return longer;
}

hash32 trie::commit(node_batch& batch) {
  if (is_none(root_)) return empty_trie_root;
  if (const auto* stored = std::get_if<hash32>(&root_)) return *stored;
  auto sink = [&](const hash32& hash, bytes rlp, trie_node_ptr clean) {
    if (stored_ != nullptr) stored_->keep(hash, std::move(clean));
    batch.emplace_back(hash, std::move(rlp));
  };
  auto top = encode_trie_node(*std::get<trie_node_ptr>(root_), sink);
  auto hash = keccak256(top.rlp);
  sink(hash, std::move(top.rlp), std::move(top.clean));
  if (stored_ != nullptr) root_ = hash;
  return hash;
}

hash32 trie::root() const {
  if (is_none(root_)) return empty_trie_root;
  if (const auto* stored = std::get_if<hash32>(&root_)) return *stored;
  return keccak256(encode_trie_node(*std::get<trie_node_ptr>(root_), [](const hash32&, const bytes&,
                                                                        const trie_node_ptr&) {
                   }).rlp);
}

result<std::vector<bytes>> trie::prove(bytes_view key) const {
  std::vector<bytes> out;
  auto nibbles = to_nibbles(key);
  next_step at{&root_, nullptr, nibbles};
  trie_node_ptr node;
  while (at.child != nullptr && !is_none(*at.child)) {
    SWARM_TRY(auto below, resolve(*at.child));
    SWARM_TRY(auto rlp, listed_rlp(out.empty() ? trie_child{hash32{}} : *at.child, *below));
    if (!rlp.empty()) out.push_back(std::move(rlp));
    node = std::move(below);
    at = step(*node, at.rest);
  }
  return out;
}

hash32 ordered_trie_root(std::span<const bytes> values) {
  trie entries(nullptr);
  for (std::size_t i = 0; i < values.size(); ++i)
    SWARM_ASSERT(entries.put(rlp_number(i), values[i])); // cannot fail: the trie is in memory
  return entries.root();
}

result<std::optional<bytes>> verify_proof(const hash32& root, bytes_view key, std::span<const bytes> proof) {
  auto nibbles = to_nibbles(key);
  trie_child top;
  if (root != empty_trie_root) top = root;
  next_step at{&top, nullptr, nibbles};
  trie_node_ptr node;
  std::size_t used = 0;
  while (at.child != nullptr && !is_none(*at.child)) {
    trie_node_ptr below;
    if (const auto* hash = std::get_if<hash32>(at.child)) {
      if (used == proof.size())
        return fail(errc::invalid, "proof: ends before node {}", to_hex(hash->view()));
      if (keccak256(proof[used]) != *hash)
        return fail(errc::invalid, "proof: element {} is not node {}", used, to_hex(hash->view()));
      SWARM_TRY(below, decode_trie_node(proof[used++]));
    } else {
      below = std::get<trie_node_ptr>(*at.child);
      auto embedded = encode_trie_node(*below, [](const hash32&, const bytes&, const trie_node_ptr&) {}).rlp;
      if (used < proof.size() && proof[used] == embedded) ++used;
    }
    node = std::move(below);
    at = step(*node, at.rest);
  }
  if (used != proof.size()) return fail(errc::invalid, "proof: {} elements, {} needed", proof.size(), used);
  if (at.value == nullptr) return std::optional<bytes>{};
  return std::optional<bytes>{*at.value};
}

} // namespace swarm::ledger
