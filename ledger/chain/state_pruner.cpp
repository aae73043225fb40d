#include "ledger/chain/state_pruner.hpp"

#include "ledger/proof/trust_chain.hpp"
#include "ledger/state/trie_node.hpp"

namespace swarm::ledger {

namespace {

/// A round stamps the whole state, so it begins only when so much of what is kept is new.
constexpr std::uint64_t rounds_per_keep = 8;

} // namespace

state_pruner::state_pruner(std::shared_ptr<const chain_view::parts> of, block_store& store,
                           const chain_limits& limits)
    : chain_(std::move(of)), store_(store), limits_(limits) {}

result<bool> state_pruner::step(const snapshot_gaps& gaps) {
  if (held_) return false;
  auto more = next_part(gaps);
  if (!more) begin_anew();
  return more;
}

result<bool> state_pruner::next_part(const snapshot_gaps& gaps) {
  if (store_.sweeping()) return store_.sweep_nodes(limits_.prune_sweeps);
  if (!round_) SWARM_CHECK(begin_round(gaps));
  if (!round_) return false;
  if (round_->next_block <= round_->first) {
    SWARM_CHECK(keep_changes(gaps));
  } else if (!round_->unstamped.empty()) {
    SWARM_CHECK(stamp());
  } else {
    SWARM_CHECK(store_.give_up_states(round_->first));
    begin_anew();
  }
  return true;
}

result<> state_pruner::begin_round(const snapshot_gaps& gaps) {
  const auto head_num = chain_.head()->header.block_num;
  const auto keep = limits_.keep_states;
  if (keep == 0 || head_num < keep) return {};
  const auto first = head_num - keep + 1, kept_from = store_.states_from();
  if (first < kept_from + std::max<std::uint64_t>(1, keep / rounds_per_keep)) return {};
  if (!gaps.states.empty() && first <= gaps.states.back().last) return {};
  SWARM_TRY(const auto header, chain_.header_by_num(first));
  round_ = round{first, kept_from == 0 ? 0 : kept_from + 1, {}};
  if (header && header->state_root != empty_trie_root)
    round_->unstamped.push_back({header->state_root, true});
  return {};
}

result<> state_pruner::keep_changes(const snapshot_gaps& gaps) {
  std::vector<meta_note> notes;
  for (std::size_t i = 0; i < limits_.prune_blocks && round_->next_block <= round_->first; ++i) {
    const auto block_num = round_->next_block++;
    // The changes in blocks that a snapshot skipped came with it, and its pivot is none.
    if (gaps.lacks_state(block_num) || (block_num > 0 && gaps.lacks_state(block_num - 1))) continue;
    SWARM_TRY(const bool changes, changes_validators(block_num));
    if (!changes) continue;
    SWARM_TRY(notes.emplace_back(), change_note(block_num));
  }
  if (notes.empty()) return {};
  return store_.write_past({}, notes);
}

/// The genesis block counts as a change.
result<bool> state_pruner::changes_validators(std::uint64_t block_num) const {
  if (block_num == 0) return true;
  SWARM_TRY(const auto account_before, chain_.account_of(validators_account(), block_num - 1));
  SWARM_TRY(const auto account_now, chain_.account_of(validators_account(), block_num));
  if (account_before.storage_root == account_now.storage_root) return false;
  SWARM_TRY(const auto before, chain_.validators_after(block_num - 1));
  SWARM_TRY(const auto now, chain_.validators_after(block_num));
  return before != now;
}

result<meta_note> state_pruner::change_note(std::uint64_t block_num) const {
  SWARM_TRY(const auto header, chain_.header_by_num(block_num));
  if (!header) return fail(errc::corrupt, "block {} is missing", block_num);
  SWARM_TRY(auto seals, chain_.seals_of(block_num));
  SWARM_TRY(auto proof, chain_.prove_validators(block_num));
  return meta_note{
      handover_note(block_num),
      encode_handover({{encode_header(*header), seals.value_or(seal_record{})}, std::move(proof)})};
}

result<> state_pruner::stamp() {
  auto& waiting = round_->unstamped;
  const auto count = std::min(waiting.size(), limits_.prune_stamps);
  const std::vector<part> parts(waiting.end() - static_cast<std::ptrdiff_t>(count), waiting.end());
  waiting.resize(waiting.size() - count);
  std::vector<hash32> hashes;
  for (const auto& each : parts)
    hashes.push_back(each.hash);
  SWARM_TRY(const auto nodes, store_.stamp_nodes(hashes, round_->first));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    SWARM_TRY(const auto node, decode_trie_node(nodes[i]));
    SWARM_CHECK(add_below(*node, parts[i].of_accounts));
  }
  return {};
}

result<> state_pruner::add_below(const trie_node& node, bool of_accounts) {
  auto& to = round_->unstamped;
  if (of_accounts && !node.value.empty()) {
    SWARM_TRY(const auto item, decode_account(node.value));
    if (item.storage_root != empty_trie_root) to.push_back({item.storage_root, false});
  }
  for (const auto& child : node.children) {
    if (const auto* hash = std::get_if<hash32>(&child)) to.push_back({*hash, of_accounts});
    if (const auto* embedded = std::get_if<trie_node_ptr>(&child))
      SWARM_CHECK(add_below(**embedded, of_accounts));
  }
  return {};
}

} // namespace swarm::ledger
