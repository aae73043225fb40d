#pragma once

#include "contracts/training/interface.hpp"
#include "contracts/training/sharding.hpp"

#include <algorithm>
#include <numeric>

/// What follows from a reading of `checks()`, for whoever checks a proposal and whoever gives it what that takes.
namespace swarm::contracts {

/// How many have brought a model to the round.
inline std::size_t contributors_in(const std::vector<check_in_view>& check_ins) {
  return static_cast<std::size_t>(
      std::ranges::count_if(check_ins, [](const auto& one) { return one.weightage > 0; }));
}

/// Whether all who contribute make the merge of models of `size` bytes, as each of them will check all of it.
inline bool is_merged_by_all(const head_view& head, const std::vector<check_in_view>& check_ins,
                             std::uint64_t size) {
  const auto count = contributors_in(check_ins);
  return head.verify != verify_mode::off && count > 1 && size > 0 && is_checked_by_all(size, count - 1);
}

/// Of `proposal`. Its `shards` are read at the same block; one that was made in shards without them is dealt to nobody.
inline deal deal_of(const checks_view& checks, const merge_view& proposal, const shards_view& shards) {
  if (proposal.shards == 0) {
    std::vector<organisation_id> organisations;
    for (const auto& seat : checks.seats)
      organisations.push_back(seat.organisation);
    return {organisations, checks.chunks,
            proposal.size > 0 && is_checked_whole(proposal.size, organisations.size())};
  }
  const bool fits = shards.shards.size() == proposal.shards && shards.size == proposal.size
                    && shards.term == checks.term && shards.round_num == checks.round_num;
  if (!fits || proposal.size == 0) return {std::vector<organisation_id>{}, checks.chunks};
  std::vector<checker> seats;
  for (const auto& seat : checks.seats)
    seats.push_back({seat.peer, seat.organisation});
  std::vector<shard_author> authors;
  for (const auto& one : shards.shards)
    authors.push_back({one.made_by, one.organisation});
  return deal_shards(seats, plan_of(proposal.size, proposal.shards), authors);
}

/// Whether the models that `proposal` was put together of are measured, and what that came to stands on chain (measures.hpp).
inline bool is_measured(const head_view& head, const merge_view& proposal) {
  const auto method = parse_merge_method(head.merge_method);
  return proposal.shards > 0 && proposal.size > 0 && method && !is_elementwise(*method);
}

/// The chunks that are made again to judge what is said of chunk `number`: that one; or its unit, or the unit that `number` beyond
/// the chunks stands for, where models are measured.
inline std::vector<std::uint64_t> chunks_to_judge(const head_view& head, const merge_view& proposal,
                                                  std::uint64_t number) {
  if (!is_measured(head, proposal)) return {number};
  const auto plan = plan_of(proposal.size, proposal.shards);
  const auto unit = number < plan.chunks() ? number / plan.unit_chunks() : number - plan.chunks();
  if (unit >= plan.units()) return {};
  const auto run = plan.chunks_of_unit(unit);
  std::vector<std::uint64_t> out(run.count);
  std::iota(out.begin(), out.end(), run.first);
  return out;
}

/// The chunks that `who` makes again, ascending; none before all is dealt out, and for who has no seat.
inline std::vector<std::uint64_t> chunks_dealt_to(const checks_view& checks, const merge_view& proposal,
                                                  const shards_view& shards, const address& who) {
  const auto seat = std::ranges::find(checks.seats, who, &seat_view::peer);
  if (checks.attempt == 0 || seat == checks.seats.end()) return {};
  const auto dealt = deal_of(checks, proposal, shards);
  const auto place = static_cast<std::size_t>(seat - checks.seats.begin());
  return place < dealt.places() ? dealt.chunks_of(place) : std::vector<std::uint64_t>{};
}

} // namespace swarm::contracts
