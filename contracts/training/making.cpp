#include "base/hash_tree.hpp"
#include "contracts/training/training_call.hpp"

// Calls on the shards of a merge: their makers make them, or the leader in their place.
namespace swarm::contracts {

/// The caller may commit the shard, or decline it, with so many roots.
result<> training_call::check_maker(const shard_board& board, const found_peer& caller,
                                    const commit_shard_args& args) {
  const auto who = to_hex(caller.slot.account.view());
  const auto maker = board.makers()[args.shard];
  // Who has made a shard must not be the one to check what another one has measured it to.
  const bool leads = caller.index == state_.counts.leader && board.sums() == 0;
  const auto now = board.state_of(args.shard);
  if (caller.index != maker && !leads)
    return refuse("shard {} is made by {}, not by {}", args.shard, to_hex(state_.peer(maker).account.view()),
                  who);
  if (is_made(now)) return refuse("shard {} is made already", args.shard);
  if (now == shard_state::declined && !leads)
    return board.sums() > 0 ? refuse("shard {} is declined: the leader merges", args.shard)
                            : refuse("shard {} is declined: only the leader makes it", args.shard);
  const bool is_own = caller.index == maker && now == shard_state::awaited;
  const auto end = std::uint64_t{state_.shards().since} + state_.shards().lasts;
  if (const auto time = host_.block_time(); !is_own && now == shard_state::awaited && time < end)
    return refuse("the maker of shard {} has {} s more", args.shard, end - time);
  const auto units = board.plan().units_of(args.shard).count;
  if (args.roots.size() != units && !(is_own && args.roots.empty()))
    return refuse("shard {} has {} units, the call has {} roots", args.shard, units, args.roots.size());
  return {};
}

result<> training_call::on(const commit_shard_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::merging));
  SWARM_CHECK(check_term(args.term));
  SWARM_TRY(const auto caller, calling_participant());
  shard_board board(state_);
  if (board.count() == 0)
    return refuse("round {} is not merged in shards under term {}", args.round_num, args.term);
  if (board.is_measuring()) return refuse("the models of round {} are being measured", args.round_num);
  if (args.shard >= board.count()) return refuse("shard {} is not one of the {}", args.shard, board.count());
  SWARM_CHECK(check_maker(board, caller, args));
  const auto maker = board.makers()[args.shard];
  const bool is_awaited = board.state_of(args.shard) == shard_state::awaited;
  const bool by_leader = caller.index != maker || !is_awaited;
  const bool is_over = host_.block_time() >= state_.shards().until;
  if (by_leader && is_awaited && is_over) verification_.bar(maker, bar_reason::silent);
  rounds_.emit(shard_committed{caller.slot.account, args.round_num, args.generation, args.term, args.shard,
                               args.roots});
  if (args.roots.empty())
    board.decline(args.shard);
  else if (const auto root = board.make(args.shard, args.roots, by_leader))
    propose_shards(*root);
  else if (!by_leader)
    board.hasten();
  return done();
}

/// What the shards are put together to is proposed as if the leader had merged it.
void training_call::propose_shards(const hash32& root) {
  const auto& round = state_.round;
  const auto& shards = state_.shards();
  merge_record record;
  merge_committed told{round.round_num,
                       round.generation,
                       round.term,
                       state_.peer(state_.counts.leader).account,
                       model_digest(shards.size, model_chunk_bytes, root),
                       shards.size,
                       {},
                       {},
                       {},
                       shards.makers};
  for (const auto& [index, peer] : rounds_.participants()) {
    if (peer.in_weightage == 0) continue;
    record.contributors.push_back(index);
    told.contributors.push_back(peer.account);
  }
  record.digest = told.digest;
  record.head = {context_.block_num,
                 shards.size,
                 round.term,
                 state_.counts.leader,
                 static_cast<std::uint16_t>(record.contributors.size()),
                 0,
                 0,
                 shards.makers};
  state_.set_merge(round.round_num, record);
  rounds_.emit(told);
  verification_.open();
}

} // namespace swarm::contracts
