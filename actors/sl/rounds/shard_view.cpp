#include "actors/sl/rounds/shard_view.hpp"

#include "base/hash_tree.hpp"
#include "contracts/training/sharding.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace swarm::rounds {

namespace {

/// Whether the shards are of the round and term of which the rest of the view is.
bool is_of_now(const contract_view& view) {
  const auto& shards = view.shards;
  return !shards.shards.empty() && shards.size > 0 && shards.round_num == view.head.round_num
         && shards.term == view.head.term;
}

bool has_measures_of_now(const contract_view& view) {
  const auto& measures = view.measures;
  return measures.sums > 0 && measures.round_num == view.head.round_num && measures.term == view.head.term;
}

contracts::shard_plan plan_of(const contract_view& view) {
  return contracts::plan_of(view.shards.size, static_cast<std::uint32_t>(view.shards.shards.size()));
}

holder holder_of(const contract_view& view, const address& who) {
  const auto* peer = find_peer(view, who);
  return {who, peer != nullptr ? peer->endpoint : ""};
}

} // namespace

bool is_made_in_shards(const contract_view& view) {
  return view.head.phase == contracts::round_phase::merging && is_of_now(view) && view.shards.open;
}

bool is_measured_now(const contract_view& view) {
  return is_made_in_shards(view) && has_measures_of_now(view) && view.measures.open;
}

bool has_measures(const contract_view& view) {
  return is_of_now(view) && has_measures_of_now(view);
}

model_measures measures_of(const contract_view& view) {
  if (!has_measures(view) || view.measures.open) return {};
  return {plan_of(view).unit_chunks(), view.measures.sums, view.measures.totals, view.measures.units};
}

bool was_made_in_shards(const contract_view& view) {
  return is_checked_now(view) && is_of_now(view) && view.proposal.shards == view.shards.shards.size();
}

std::optional<std::uint32_t> shard_of(const contract_view& view, const address& who) {
  const auto& shards = view.shards.shards;
  const auto found = std::ranges::find(shards, who, &contracts::shard_view::maker);
  if (found == shards.end()) return std::nullopt;
  const auto place = static_cast<std::uint32_t>(found - shards.begin());
  if (plan_of(view).chunks_of(place).count == 0) return std::nullopt;
  return place;
}

std::vector<std::uint32_t> shards_that_are(const contract_view& view, contracts::shard_state state) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < view.shards.shards.size(); ++i)
    if (view.shards.shards[i].state == state) out.push_back(i);
  return out;
}

peer_list makers_of(const contract_view& view, const std::vector<std::uint32_t>& places) {
  peer_list out;
  for (const auto place : places)
    if (const auto* peer = find_peer(view, view.shards.shards[place].maker)) out.push_back(peer);
  return out;
}

check_task shard_task(const contract_view& view, const address& self, std::uint32_t place) {
  const auto run = plan_of(view).chunks_of(place);
  check_task out{.round_num = view.head.round_num,
                 .term = view.head.term,
                 .method = view.head.merge_method,
                 .size = view.shards.size,
                 .leader = holder_of(view, view.head.leader),
                 .inputs = merge_inputs(view, view.shards.size),
                 .chunks = std::vector<std::uint64_t>(run.count),
                 .makes = true};
  std::iota(out.chunks.begin(), out.chunks.end(), run.first);
  out.measures = is_measured_now(view);
  out.measured = measures_of(view);
  if (out.measures) out.measured = {plan_of(view).unit_chunks(), view.measures.sums, {}, {}};
  out.leads = view.head.leader == self;
  return out;
}

std::vector<hash32> roots_of(const contract_view& view, const std::vector<hash32>& hashes) {
  return hashes.empty() ? hashes : tree_above(hashes, plan_of(view).unit_level());
}

std::vector<shard_run> shards_of_proposal(const contract_view& view) {
  std::vector<shard_run> out;
  if (!was_made_in_shards(view)) return out;
  const auto plan = plan_of(view);
  for (std::uint32_t place = 0; place < view.shards.shards.size(); ++place)
    if (const auto run = plan.chunks_of(place); run.count > 0)
      out.push_back({holder_of(view, view.shards.shards[place].made_by), run.first, run.count});
  return out;
}

address author_of_chunk(const contract_view& view, std::uint64_t chunk) {
  if (!was_made_in_shards(view)) return view.head.leader;
  const auto plan = plan_of(view);
  if (chunk < plan.chunks()) return view.shards.shards[plan.place_of_chunk(chunk)].made_by;
  const auto unit = chunk - plan.chunks();
  return unit < plan.units() ? view.shards.shards[plan.place_of_unit(unit)].made_by : view.head.leader;
}

std::vector<holder> holders_of(const std::vector<shard_run>& shards, const address& self) {
  std::vector<holder> out;
  std::set<address> known{self};
  for (const auto& shard : shards)
    if (known.insert(shard.maker.peer).second) out.push_back(shard.maker);
  return out;
}

} // namespace swarm::rounds
