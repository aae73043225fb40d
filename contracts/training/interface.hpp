#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/owner.hpp"
#include "contracts/runtime/page.hpp"
#include "contracts/runtime/reset_view.hpp"
#include "contracts/training/interface/codes.hpp"
#include "contracts/training/interface/events.hpp"
#include "contracts/training/interface/views.hpp"

#include <optional>

/// interfaces/ITraining.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// The training contract that every chain has from genesis on.
inline constexpr std::string_view default_training_name = "defaultbb.cqdb.sml.hpe";

/// Where the training contract called `name` lives: last 20 bytes of keccak256("swarmd/training/" || name).
address training_address(std::string_view name);

inline constexpr std::size_t training_name_bytes_max = 64;
/// True for 1 to 64 characters of A-Z a-z 0-9 . _ -
bool is_training_name(std::string_view name);

inline constexpr std::uint32_t peers_max = 1024; ///< of one generation of a training
inline constexpr std::uint32_t weightage_max = 100;

// First the functions that change the training, then those that only answer.

struct register_peer_args {
  static constexpr abi::call<> function{"registerPeer"};
  std::uint32_t min_peers = 0;
  std::string merge_method;
  std::uint32_t weightage = 0;
  on_train_end train_end = on_train_end::snapshot;
  std::uint32_t epochs_total = 0;
  bool can_lead = true;
};
struct leave_peer_args {
  static constexpr abi::call<> function{"leavePeer"};
  leave_reason reason = leave_reason::program_gone;
};
struct check_in_args {
  static constexpr abi::call<> function{"checkIn"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  hash32 commitment; ///< `commitment_of`; zero without a model
  std::uint64_t size = 0;
  hash32 layout_digest;
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
};
/// Opens the commitment of the caller's check-in.
struct reveal_args {
  static constexpr abi::call<> function{"reveal"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
  hash32 salt;
  hash32 seed_hash;
};
/// The time for revealing is over.
struct close_reveals_args {
  static constexpr abi::call<> function{"closeReveals"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
};
struct vote_close_args {
  static constexpr abi::call<> function{"voteClose"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
};
struct commit_merge_args {
  static constexpr abi::call<> function{"commitMerge"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors;
  std::vector<address> excluded;
  std::vector<exclusion_reason> reasons;
};
/// A shard of the merge, of its maker or of the leader in its place; without roots the maker declines it.
struct commit_shard_args {
  static constexpr abi::call<> function{"commitShard"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t shard = 0;
  std::vector<hash32> roots; ///< of its units (sharding.hpp)
};
/// What a shard of the models is measured to, of its maker; without sums it declines the shard.
struct measure_shard_args {
  static constexpr abi::call<> function{"measureShard", 3};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t shard = 0;
  std::vector<hash32> sums; ///< of its units, one after the other (measures.hpp)
};
/// The caller's seed for the proposal of this term.
struct reveal_seed_args {
  static constexpr abi::call<> function{"revealSeed"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  hash32 seed;
};
/// All that was dealt to the caller in this attempt is right.
struct attest_args {
  static constexpr abi::call<> function{"attest"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
};
struct challenge_args {
  static constexpr abi::call<> function{"challenge"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  challenge_kind kind = challenge_kind::chunk;
  std::uint64_t number = 0; ///< of the chunk, or position among the excluded
};
/// The caller's vote on the challenge in this attempt.
struct judge_args {
  static constexpr abi::call<> function{"judge"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  bool holds = false; ///< the proposal is right in what is challenged
};
/// The time for seeds, attestations or votes is over.
struct close_checks_args {
  static constexpr abi::call<> function{"closeChecks"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
};
/// Of the owner.
struct set_verify_args {
  static constexpr abi::call<> function{"setVerify"};
  verify_mode mode = verify_mode::before;
};
struct suspect_leader_args {
  static constexpr abi::call<> function{"suspectLeader"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};
struct report_loss_args {
  static constexpr abi::call<> function{"reportLoss"};
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
};
/// Another peer gives no sign of life; the second time it has not answered, and leaves.
struct accuse_peer_args {
  static constexpr abi::call<> function{"accusePeer"};
  std::uint64_t generation = 0;
  address peer;
};
/// It does; any other call of the accused says so too.
struct answer_accusation_args {
  static constexpr abi::call<> function{"answerAccusation"};
  std::uint64_t generation = 0;
};
/// This node's program was refused before it was a peer.
struct report_refusal_args {
  static constexpr abi::call<> function{"reportRefusal"};
  std::uint64_t generation = 0;
  leave_reason reason = leave_reason::other_parameters;
};
struct reset_args {
  static constexpr abi::call<> function{"reset"};
};
/// The same with a reason that everybody sees.
struct reset_with_note_args {
  static constexpr abi::call<> function{"resetWithNote", 3};
  std::string note;
};
/// From now on only organisations that are invited, and the owner's own, take part.
struct invite_args {
  static constexpr abi::call<> function{"invite"};
  organisation_id organisation = 0;
};
struct training_name_args {
  static constexpr abi::view<std::string> function{"name"};
};
struct head_args {
  static constexpr abi::view<head_view> function{"head"};
};
struct peers_args {
  static constexpr abi::view<std::vector<peer_view>> function{"peers"};
  u256 first;
  u256 count;
};
struct peer_count_args {
  static constexpr abi::view<u256> function{"peerCount"};
};
struct check_ins_args {
  static constexpr abi::view<std::vector<check_in_view>> function{"checkIns"};
};
struct owner_args {
  static constexpr abi::view<owner_view> function{"owner"};
};
/// Empty: everybody may take part.
struct invited_args {
  static constexpr abi::view<std::vector<owner_view>> function{"invited"};
};
/// The organisations that have asked for a reset of this generation.
struct reset_votes_args {
  static constexpr abi::view<std::vector<owner_view>> function{"resetVotes"};
};
struct last_reset_args {
  static constexpr abi::view<reset_view> function{"lastReset", 3};
};
struct merge_of_args {
  static constexpr abi::view<merge_view> function{"mergeOf"};
  std::uint64_t round_num = 0;
};

/// What is proposed; `round_num` 0 unless the round is verifying, disputed or stopped.
struct proposal_args {
  static constexpr abi::view<merge_view> function{"proposal"};
};
struct checks_args {
  static constexpr abi::view<checks_view> function{"checks"};
};

struct shards_args {
  static constexpr abi::view<shards_view> function{"shards"};
};
/// The roots that were committed of a shard of `shards`; none while it is not made.
struct shard_roots_args {
  static constexpr abi::view<std::vector<hash32>> function{"shardRoots"};
  std::uint32_t shard = 0;
};
/// What the models of `shards` are measured to.
struct measures_args {
  static constexpr abi::view<measures_view> function{"measures", 3};
};

struct training_interface {
  static constexpr std::string_view name = "Training";
  using functions =
      type_list<register_peer_args, leave_peer_args, check_in_args, reveal_args, close_reveals_args,
                vote_close_args, commit_merge_args, commit_shard_args, reveal_seed_args, attest_args,
                challenge_args, judge_args, close_checks_args, set_verify_args, suspect_leader_args,
                report_loss_args, accuse_peer_args, answer_accusation_args, report_refusal_args, reset_args,
                reset_with_note_args, invite_args, training_name_args, head_args, peers_args, peer_count_args,
                check_ins_args, owner_args, invited_args, reset_votes_args, last_reset_args, merge_of_args,
                proposal_args, checks_args, shards_args, shard_roots_args, measure_shard_args, measures_args>;
  using event = training_event;
};

} // namespace swarm::contracts
