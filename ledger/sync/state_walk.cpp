#include "ledger/sync/state_walk.hpp"

#include "base/assert.hpp"

namespace swarm::sync {

using ledger::trie_child;
using ledger::trie_node;
using ledger::trie_node_ptr;

namespace {

/// Adds an account's storage and code, from the value of its leaf.
result<> add_account_parts(std::vector<state_part>& to, bytes_view value) {
  const auto account = ledger::decode_account(value);
  if (!account) return fail(errc::corrupt, "state: a leaf that is no account: {}", account.error().message);
  if (account->storage_root != ledger::empty_trie_root)
    to.push_back({part_kind::storage_node, account->storage_root});
  if (account->code_hash != ledger::empty_code_hash) to.push_back({part_kind::code, account->code_hash});
  return {};
}

/// Adds what `node` and the nodes embedded in it refer to.
result<> add_parts(std::vector<state_part>& to, const trie_node& node, part_kind kind) {
  if (kind == part_kind::account_node && !node.value.empty()) SWARM_CHECK(add_account_parts(to, node.value));
  for (const auto& child : node.children) {
    if (const auto* hash = std::get_if<hash32>(&child)) to.push_back({kind, *hash});
    if (const auto* embedded = std::get_if<trie_node_ptr>(&child))
      SWARM_CHECK(add_parts(to, **embedded, kind));
  }
  return {};
}

} // namespace

result<> state_walk::begin() {
  begun_ = true;
  if (root_ == ledger::empty_trie_root) return {};
  return want({part_kind::account_node, root_}, nullptr, 0);
}

result<> state_walk::want(const state_part& what, const state_part* above, std::size_t depth) {
  auto found = items_.find(what);
  if (found == items_.end()) {
    if (in_batch_.contains(what) || in_last_batch_.contains(what)) return {};
    SWARM_TRY(const bool there, stored_(what));
    if (there) return {};
    found =
        items_.emplace(what, item{.depth = depth, .raw = {}, .below = 0, .above = {}, .asked = false}).first;
    queue_[depth].push_back(what);
    ++to_ask_;
  }
  if (above == nullptr) return {};
  // A part that occurs twice in one node counts twice, here and when it is finished.
  found->second.above.push_back(*above);
  ++items_.at(*above).below;
  return {};
}

std::vector<state_part> state_walk::next(std::size_t max) {
  std::vector<state_part> out;
  while (out.size() < max && !queue_.empty()) {
    auto& level = queue_.begin()->second;
    const auto what = level.back();
    level.pop_back();
    if (level.empty()) queue_.erase(queue_.begin());
    --to_ask_;
    const auto found = items_.find(what);
    if (found == items_.end() || found->second.asked || !found->second.raw.empty()) continue;
    found->second.asked = true;
    out.push_back(what);
  }
  return out;
}

void state_walk::again(const state_part& what) {
  const auto found = items_.find(what);
  if (found == items_.end() || !found->second.asked || !found->second.raw.empty()) return;
  found->second.asked = false;
  queue_[found->second.depth].push_back(what);
  ++to_ask_;
}

result<> state_walk::take(const hash32& hash, const bytes& raw) {
  if (raw.empty()) return {};
  for (const auto kind : {part_kind::account_node, part_kind::storage_node, part_kind::code}) {
    const auto found = items_.find({kind, hash});
    if (found == items_.end() || !found->second.raw.empty()) continue;
    SWARM_CHECK(take_one(found, raw));
  }
  return {};
}

result<> state_walk::take_one(item_map::iterator which, bytes raw) {
  const auto what = which->first;
  SWARM_TRY(const auto parts, parts_below(what.kind, raw));
  waiting_bytes_ += raw.size();
  which->second.raw = std::move(raw);
  for (const auto& part : parts)
    SWARM_CHECK(want(part, &what, which->second.depth + 1));
  if (which->second.below == 0) finish(what);
  return {};
}

result<std::vector<state_part>> state_walk::parts_below(part_kind kind, bytes_view raw) const {
  std::vector<state_part> out;
  if (kind == part_kind::code) return out;
  const auto node = ledger::decode_trie_node(raw);
  if (!node)
    return fail(errc::corrupt, "state: what has the hash of a node is none: {}", node.error().message);
  SWARM_CHECK(add_parts(out, **node, kind));
  return out;
}

/// Moves the part into the batch, and also those that waited only for it.
void state_walk::finish(const state_part& what) {
  std::vector<state_part> ready{what};
  while (!ready.empty()) {
    const auto found = items_.find(ready.back());
    SWARM_ASSERT(found != items_.end() && found->second.below == 0);
    const auto part = found->first;
    auto done = std::move(found->second);
    items_.erase(found);
    ready.pop_back();
    waiting_bytes_ -= done.raw.size();
    batch_bytes_ += done.raw.size();
    bytes_done_ += done.raw.size();
    ++parts_done_;
    auto& to = part.kind == part_kind::code ? batch_.codes : batch_.nodes;
    to.emplace_back(part.hash, std::move(done.raw));
    in_batch_.insert(part);
    for (const auto& above : done.above)
      if (--items_.at(above).below == 0) ready.push_back(above);
  }
}

ledger::state_batch state_walk::take_batch() {
  batch_bytes_ = 0;
  in_last_batch_ = std::exchange(in_batch_, {});
  batch_.root = root_;
  return std::exchange(batch_, {});
}

} // namespace swarm::sync
