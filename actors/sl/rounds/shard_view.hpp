#pragma once

#include "actors/sl/rounds/contract_view.hpp"

#include <optional>

/// The shards in which the merge of a round is made, as the contract has them, and what follows for this node. Pure.
namespace swarm::rounds {

/// Whether contributors make the merge of the closed round in shards now.
bool is_made_in_shards(const contract_view& view);
/// Whether their models are measured first, and no shard is made yet.
bool is_measured_now(const contract_view& view);
/// Whether they are measured now or are already; then nobody makes a shard in its maker's place.
bool has_measures(const contract_view& view);
/// Whether what is proposed was made so.
bool was_made_in_shards(const contract_view& view);
/// The shard of `who`, by its place; none when it makes none.
std::optional<std::uint32_t> shard_of(const contract_view& view, const address& who);
/// The shards in that state, by their places.
std::vector<std::uint32_t> shards_that_are(const contract_view& view, contracts::shard_state state);
/// Whose they are.
peer_list makers_of(const contract_view& view, const std::vector<std::uint32_t>& places);
/// What the models are measured to; nothing before all of it is known.
model_measures measures_of(const contract_view& view);
/// For `self` to make the shard at `place`, or to measure it while that is done.
check_task shard_task(const contract_view& view, const address& self, std::uint32_t place);
/// The hashes that are committed for a shard, from those of its chunks.
std::vector<hash32> roots_of(const contract_view& view, const std::vector<hash32>& hashes);
/// The shards of the proposal; none where its leader has made it.
std::vector<shard_run> shards_of_proposal(const contract_view& view);
/// Who has made this chunk of the proposal: the maker of its shard, or the leader.
address author_of_chunk(const contract_view& view, std::uint64_t chunk);
/// Who has made `shards`, each once, without `self`.
std::vector<holder> holders_of(const std::vector<shard_run>& shards, const address& self);

} // namespace swarm::rounds
