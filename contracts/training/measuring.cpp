#include "contracts/training/measures.hpp"
#include "contracts/training/training_call.hpp"

// Calls on what the models of a round are measured to, before the shards of their merge are made.
namespace swarm::contracts {

/// The caller may say what the shard is measured to, or decline it.
result<> training_call::check_measurer(const shard_board& board, const found_peer& caller,
                                       const measure_shard_args& args) const {
  const auto maker = board.makers()[args.shard];
  if (caller.index != maker)
    return refuse("shard {} is measured by {}, not by {}", args.shard,
                  to_hex(state_.peer(maker).account.view()), to_hex(caller.slot.account.view()));
  const auto now = board.state_of(args.shard);
  if (is_made(now)) return refuse("shard {} is measured already", args.shard);
  if (now == shard_state::declined) return refuse("shard {} is declined: the leader merges", args.shard);
  if (args.sums.empty()) return {};
  const auto units = board.plan().units_of(args.shard).count;
  const auto words = words_of_sums(board.sums());
  if (args.sums.size() != units * words)
    return refuse("shard {} has {} units of {} sums, which are {} words; the call has {}", args.shard, units,
                  board.sums(), units * words, args.sums.size());
  for (std::uint64_t unit = 0; unit < units; ++unit)
    if (const auto sums = unpack_sums(std::span(args.sums).subspan(unit * words, words), board.sums()); !sums)
      return refuse("unit {} of shard {}: {}", unit, args.shard, sums.error().message);
  return {};
}

result<> training_call::on(const measure_shard_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::merging));
  SWARM_CHECK(check_term(args.term));
  SWARM_TRY(const auto caller, calling_participant());
  shard_board board(state_);
  if (!board.is_measuring())
    return refuse("no models of round {} are measured under term {}", args.round_num, args.term);
  if (args.shard >= board.count()) return refuse("shard {} is not one of the {}", args.shard, board.count());
  SWARM_CHECK(check_measurer(board, caller, args));
  rounds_.emit(
      shard_measured{caller.slot.account, args.round_num, args.generation, args.term, args.shard, args.sums});
  if (args.sums.empty())
    board.decline(args.shard);
  else if (board.measure(args.shard, args.sums))
    rounds_.emit(models_measured{args.round_num, args.generation, args.term, board.totals()});
  else
    board.hasten();
  return done();
}

/// Whose time for a shard was over when the leader has made the merge as a whole, as it does where models are measured.
void training_call::bar_silent_makers() {
  const auto& shards = state_.shards();
  const shard_board board(state_);
  if (board.sums() == 0 || host_.block_time() < shards.until) return;
  for (std::uint32_t place = 0; place < board.count(); ++place)
    if (board.state_of(place) == shard_state::awaited)
      verification_.bar(board.makers()[place], bar_reason::silent);
}

/// What the proposal was measured to, if it was, or is.
result<measures_view> training_call::on(const measures_args&) {
  if (!has_shards()) return {};
  const shard_board board(state_);
  if (board.sums() == 0) return {};
  measures_view out{.round_num = state_.round.round_num,
                    .term = state_.round.term,
                    .open = board.is_measuring(),
                    .sums = static_cast<std::uint32_t>(board.sums()),
                    .totals = {},
                    .units = {}};
  if (out.open) return out;
  out.totals = board.totals();
  for (std::uint64_t unit = 0; unit < board.plan().units(); ++unit)
    out.units.push_back(digest_of_sums(state_.sums_of_unit(unit, words_of_sums(board.sums()))));
  return out;
}

} // namespace swarm::contracts
