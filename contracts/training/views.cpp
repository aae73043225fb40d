#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/training/training_call.hpp"

#include <map>

namespace swarm::contracts {

result<std::string> training_call::on(const training_name_args&) const {
  return state_.name();
}

result<head_view> training_call::on(const head_args&) const {
  const auto& round = state_.round;
  const auto& counts = state_.counts;
  head_view out;
  out.generation = round.generation;
  out.round_num = round.round_num;
  out.phase = round.phase;
  out.term = round.term;
  if (is_closed(round.phase)) out.leader = state_.peer(counts.leader).account;
  out.min_peers = round.min_peers;
  out.merge_method = state_.merge_method();
  out.layout_digest = state_.layout_digest();
  out.waited_for = static_cast<std::uint32_t>(counts.active) + counts.finished;
  out.checked_in = counts.checked_in;
  out.close_votes = counts.close_votes;
  out.hidden = counts.hidden;
  if (round.phase == round_phase::revealing) out.reveals_end = state_.reveals().end;
  out.verify = state_.verify();
  out.merged_round = round.round_num - 1;
  if (out.merged_round > 0) {
    out.merged_digest = state_.merge_digest(out.merged_round);
    const auto merge = state_.merge_head(out.merged_round);
    out.merged_size = merge.size;
    out.merged_by = state_.peer(merge.leader).account;
  }
  return out;
}

result<u256> training_call::on(const peer_count_args&) const {
  return u256(state_.counts.peers);
}

result<std::vector<peer_view>> training_call::on(const peers_args& args) const {
  const auto part = page_of(args.first, args.count, state_.counts.peers, page_entries_max);
  const node_records nodes(host_);
  std::map<organisation_id, std::string> organisations{{0, ""}};
  std::vector<peer_view> out;
  for (auto at = part.begin; at < part.end; ++at) {
    const auto i = static_cast<std::uint16_t>(at);
    const auto peer = state_.peer(i);
    const auto progress = state_.progress(i);
    const auto node = nodes.of(peer.account);
    const auto check_in = state_.check_in(i);
    if (!organisations.contains(check_in.organisation))
      organisations[check_in.organisation] = organisation_records(host_).of(check_in.organisation).name();
    const bool stands_out =
        state_.counts.accused > 0 || peer.has(peer_slot::doubted) || peer.has(peer_slot::barred);
    const auto standing = stands_out ? state_.standing(i) : standing_slot{};
    const bool has_reason = peer.state == peer_state::left || peer.state == peer_state::odd;
    out.push_back({.account = peer.account,
                   .state = peer.state,
                   .reason = has_reason ? check_in.left_because : leave_reason{},
                   .train_end = peer.train_end(),
                   .can_lead = peer.has(peer_slot::can_lead),
                   .weightage = peer.weightage,
                   .last_round = peer.last_round,
                   .loss_round = progress.loss_round,
                   .epochs_done = progress.epochs_done,
                   .epochs_total = progress.epochs_total,
                   .loss_micro = progress.loss_micro,
                   .metric_micro = progress.metric_micro,
                   .name = node.name(),
                   .endpoint = node.endpoint(),
                   .organisation = check_in.organisation,
                   .organisation_name = organisations[check_in.organisation],
                   .accused_since = standing.accused_since,
                   .trusted_from = rounds_.is_doubted(i, peer) ? standing.trusted_from : 0,
                   .barred_until = rounds_.is_barred({i, peer}) ? standing.barred_until : 0,
                   .took = peer.took});
  }
  return out;
}

result<std::vector<check_in_view>> training_call::on(const check_ins_args&) const {
  auto in = rounds_.participants();
  if (is_closed(state_.round.phase)) {
    auto order = rounds_.succession(in);
    std::vector<bool> in_order(state_.counts.peers);
    for (const auto& one : order)
      in_order[one.index] = true;
    for (const auto& one : in)
      if (!in_order[one.index]) order.push_back(one);
    in = std::move(order);
  }
  const node_records nodes(host_);
  std::vector<check_in_view> out;
  for (const auto& [index, peer] : in) {
    const auto check_in = state_.check_in(index);
    const bool has_model = peer.in_weightage > 0;
    const bool is_open = has_model && peer.has(peer_slot::revealed);
    out.push_back({.peer = peer.account,
                   .digest = is_open ? state_.model_digest(index) : hash32{},
                   .size = check_in.size,
                   .weightage = peer.in_weightage,
                   .base_round = check_in.base_round,
                   .finished = peer.has(peer_slot::in_finished),
                   .endpoint = nodes.of(peer.account).endpoint(),
                   .commitment = has_model ? state_.commitment(index) : hash32{},
                   .seed_hash = is_open ? state_.seed_hash(index) : hash32{}});
  }
  return out;
}

merge_view training_call::view_of(std::uint64_t round_num) const {
  const auto record = state_.merge(round_num);
  merge_view out;
  out.round_num = round_num;
  out.block_num = record.head.block_num;
  out.term = record.head.term;
  out.leader = state_.peer(record.head.leader).account;
  out.digest = record.digest;
  out.size = record.head.size;
  for (auto index : record.contributors)
    out.contributors.push_back(state_.peer(index).account);
  for (const auto& one : record.excluded) {
    out.excluded.push_back(state_.peer(one.index).account);
    out.reasons.push_back(one.reason);
  }
  for (auto index : record.checkers)
    out.checkers.push_back(state_.peer(index).account);
  out.shards = record.head.shards;
  return out;
}

result<merge_view> training_call::on(const merge_of_args& args) const {
  if (args.round_num == 0 || args.round_num >= state_.round.round_num) return {};
  return view_of(args.round_num);
}

result<merge_view> training_call::on(const proposal_args&) const {
  const auto& round = state_.round;
  if (!is_closed(round.phase) || round.phase == round_phase::merging) return {};
  return view_of(round.round_num);
}

result<checks_view> training_call::on(const checks_args&) {
  const auto& round = state_.round;
  const bool is_disputed = round.phase == round_phase::disputed;
  if (round.phase != round_phase::verifying && !is_disputed) return {};
  const auto& checking = state_.checking();
  checks_view out;
  out.round_num = round.round_num;
  out.term = round.term;
  out.attempt = checking.attempt;
  out.until = checking.until;
  out.lasts = checking.lasts;
  out.mix = state_.mix();
  out.chunks = verification_.chunks();
  if (is_disputed) {
    out.kind = checking.kind;
    out.number = checking.number;
    out.challenger = state_.peer(checking.challenger).account;
  }
  for (const auto index : state_.load(peer_sets::awaited).indexes())
    out.awaited.push_back(state_.peer(index).account);
  const auto attested = state_.load(peer_sets::attested);
  for (const auto& [index, peer] : verification_.seats())
    out.seats.push_back(
        {peer.account, verification_.organisation_of(index), checking.attempt > 0 && attested.has(index)});
  return out;
}

/// Whether there are some that are being made, or of which what is checked was put together.
bool training_call::has_shards() {
  const auto& round = state_.round;
  if (round.phase == round_phase::merging) return state_.shards().makers > 0;
  const bool is_checked = round.phase == round_phase::verifying || round.phase == round_phase::disputed;
  return is_checked && state_.merge_head(round.round_num).shards > 0;
}

result<shards_view> training_call::on(const shards_args&) {
  if (!has_shards()) return {};
  const shard_board board(state_);
  const auto plan = board.plan();
  shards_view out;
  out.round_num = state_.round.round_num;
  out.term = state_.round.term;
  out.open = state_.round.phase == round_phase::merging;
  out.size = state_.shards().size;
  out.unit_chunks = plan.unit_chunks();
  out.lasts = state_.shards().lasts;
  out.until = state_.shards().since + out.lasts;
  const auto authors = board.authors();
  for (std::uint32_t place = 0; place < board.count(); ++place) {
    const auto now = board.state_of(place);
    out.shards.push_back({state_.peer(board.makers()[place]).account, now,
                          is_made(now) ? authors[place].account : address{}, authors[place].organisation});
  }
  return out;
}

result<std::vector<hash32>> training_call::on(const shard_roots_args& args) {
  if (!has_shards()) return {};
  const shard_board board(state_);
  return args.shard < board.count() ? board.roots_of(args.shard) : std::vector<hash32>{};
}

} // namespace swarm::contracts
