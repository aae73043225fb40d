#pragma once

#include "base/u256.hpp"
#include "contracts/organisations/owner.hpp"
#include "contracts/training/interface/codes.hpp"

#include <string>
#include <vector>

/// What a training answers.
namespace swarm::contracts {

struct head_view {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0; ///< the round being collected or merged; 1 at the start
  round_phase phase = round_phase::collecting;
  std::uint32_t term = 0;
  address leader; ///< zero unless the round is closed (`is_closed`)
  std::uint32_t min_peers = 0;
  std::string merge_method;
  hash32 layout_digest;
  std::uint32_t waited_for = 0;
  std::uint32_t checked_in = 0;
  std::uint32_t close_votes = 0;
  std::uint64_t merged_round = 0; ///< 0: nothing merged yet
  hash32 merged_digest;
  std::uint64_t merged_size = 0;
  address merged_by;        ///< the leader that committed it, who is asked first for the file
  std::uint32_t hidden = 0; ///< check-ins whose models are not revealed yet
  std::uint64_t reveals_end =
      0; ///< block time from which on the round goes on without them; 0 unless revealing
  verify_mode verify = verify_mode::before;
  bool operator==(const head_view&) const = default;
};

struct peer_view {
  address account;
  peer_state state = peer_state::none;
  leave_reason reason = leave_reason::program_gone; ///< why it left or is odd; of no meaning in other states
  on_train_end train_end = on_train_end::inactive;
  bool can_lead = false;
  std::uint32_t weightage = 0;  ///< 0 of one that was refused before it was a peer
  std::uint64_t last_round = 0; ///< last round it checked in for, 0 if none
  std::uint64_t loss_round = 0; ///< last round whose merged model it loaded and reported a loss for
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::string name;
  std::string endpoint;
  organisation_id organisation = 0; ///< 0: its chain has none
  std::string organisation_name;
  std::uint64_t accused_since = 0; ///< block time; 0: nobody says that it gives no sign of life
  std::uint64_t trusted_from =
      0; ///< for earlier rounds it counts once it has revealed its model; 0: it always counts
  std::uint64_t barred_until = 0; ///< before that round it neither leads nor checks; 0: it is not barred
  std::uint32_t took =
      0; ///< seconds from the merge that it trained from to its last check-in, `took_max` at most
  bool operator==(const peer_view&) const = default;
};

struct check_in_view {
  address peer;
  hash32 digest;          ///< zero until it is revealed
  std::uint64_t size = 0; ///< bytes
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
  std::string endpoint;
  hash32 commitment; ///< zero without a model
  hash32 seed_hash;  ///< zero until the model is revealed; each seed that is revealed takes its place
  bool operator==(const check_in_view&) const = default;
};

struct merge_view {
  std::uint64_t round_num = 0; ///< 0: there is no such merge
  std::uint64_t block_num = 0;
  std::uint32_t term = 0;
  address leader;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors;
  std::vector<address> excluded;
  std::vector<exclusion_reason> reasons; ///< one for each of `excluded`
  std::vector<address> checkers;         ///< who have attested it; none: it is unchecked
  std::uint32_t shards = 0;              ///< of which it was put together; 0: the leader has made it
  bool operator==(const merge_view&) const = default;
};

/// One maker's part of the merge.
struct shard_view {
  address maker;
  shard_state state = shard_state::awaited;
  address made_by; ///< zero until it is made
  /// Of who has made it, or its maker.
  organisation_id organisation = 0;
  bool operator==(const shard_view&) const = default;
};

/// The shards of the round; all is zero unless the round is merging in shards, or what was put together of them is
/// verifying or disputed.
struct shards_view {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  bool open = false;             ///< they are being made
  std::uint64_t size = 0;        ///< of the merge
  std::uint64_t unit_chunks = 0; ///< shard_plan (sharding.hpp)
  std::uint64_t until = 0;       ///< block time from which on the leader may make what is awaited
  std::uint64_t lasts = 0;       ///< seconds until then, from when the first shards of the round were opened
  std::vector<shard_view> shards;
  bool operator==(const shards_view&) const = default;
};

/// What the models of the round are measured to, for a merge in shards by a method that looks at whole models (measures.hpp);
/// all is zero for others.
struct measures_view {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  bool open = false;          ///< the makers of `shards` measure, and make nothing yet
  std::uint32_t sums = 0;     ///< of each unit
  std::vector<hash32> totals; ///< of whole models, `pack_sums`; none while it is open
  std::vector<hash32> units;  ///< `digest_of_sums` of each; none while it is open
  bool operator==(const measures_view&) const = default;
};

/// A place in the order in which a proposal is dealt out (dealing.hpp).
struct seat_view {
  address peer;
  organisation_id organisation = 0;
  bool attested = false;
  bool operator==(const seat_view&) const = default;
};

/// How a proposal is checked; all is zero unless the round is verifying or disputed.
struct checks_view {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0; ///< how often the proposal was dealt out; 0: its seeds are revealed
  std::uint64_t until = 0;   ///< block time from which on it goes on without those who are awaited
  std::uint64_t lasts = 0;   ///< seconds until then, from when it was dealt out or challenged
  hash32 mix;                ///< of the seeds that are revealed
  std::uint64_t chunks = 0;  ///< that are dealt out
  challenge_kind kind = challenge_kind::chunk;
  /// Of the chunk, or position among the excluded, that is disputed; beyond the chunks, of the unit whose sums are.
  std::uint64_t number = 0;
  address challenger;           ///< zero unless disputed
  std::vector<address> awaited; ///< whose seed, attestation or vote is missing
  std::vector<seat_view> seats; ///< in the order of the deal, organisation by organisation
  bool operator==(const checks_view&) const = default;
};

} // namespace swarm::contracts
