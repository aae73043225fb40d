#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/owner.hpp"
#include "contracts/training/interface/codes.hpp"

#include <string>
#include <variant>
#include <vector>

/// What a training tells, in the order of its interface file.
namespace swarm::contracts {

struct peer_registered {
  static constexpr abi::event event{"PeerRegistered", {1}};
  address peer;
  std::uint64_t generation = 0;
  std::uint32_t min_peers = 0;
  std::string merge_method;
  std::uint32_t weightage = 0;
  bool operator==(const peer_registered&) const = default;
};
struct peer_left {
  static constexpr abi::event event{"PeerLeft", {1}};
  address peer;
  std::uint64_t generation = 0;
  leave_reason reason = leave_reason::program_gone;
  bool operator==(const peer_left&) const = default;
};
/// It is not waited for until most organisations want what it wants, or it corrects itself.
struct peer_odd {
  static constexpr abi::event event{"PeerOdd", {1}};
  address peer;
  std::uint64_t generation = 0;
  leave_reason reason = leave_reason::program_gone;
  bool operator==(const peer_odd&) const = default;
};
/// Most organisations want something else than what was in force.
struct agreement_changed {
  static constexpr abi::event event{"AgreementChanged", {1}};
  std::uint64_t generation = 0;
  std::uint32_t min_peers = 0;
  std::string merge_method;
  hash32 layout_digest;
  std::uint32_t organisations = 0; ///< that want it
  bool operator==(const agreement_changed&) const = default;
};
/// It has `peer_answer_seconds` to call this contract.
struct peer_accused {
  static constexpr abi::event event{"PeerAccused", {1, 3}};
  address peer;
  std::uint64_t generation = 0;
  address by;
  bool operator==(const peer_accused&) const = default;
};
struct peer_answered {
  static constexpr abi::event event{"PeerAnswered", {1, 3}};
  address peer;
  std::uint64_t generation = 0;
  address by; ///< who had accused it
  bool operator==(const peer_answered&) const = default;
};
struct peer_absent {
  static constexpr abi::event event{"PeerAbsent", {1}};
  address peer;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  bool operator==(const peer_absent&) const = default;
};
struct checked_in {
  static constexpr abi::event event{"CheckedIn", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  hash32 commitment; ///< zero without a model
  std::uint64_t size = 0;
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
  bool operator==(const checked_in&) const = default;
};
/// The round is closed to others; its peers have until then to reveal their models.
struct reveals_opened {
  static constexpr abi::event event{"RevealsOpened", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint64_t until = 0; ///< block time
  std::uint32_t participants = 0;
  bool operator==(const reveals_opened&) const = default;
};
struct revealed {
  static constexpr abi::event event{"Revealed", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  hash32 digest;
  std::uint64_t size = 0;
  std::uint32_t weightage = 0; ///< 0: it was another peer's model before, so this peer brings none
  std::uint64_t base_round = 0;
  hash32 seed_hash;
  bool operator==(const revealed&) const = default;
};
struct withheld {
  static constexpr abi::event event{"Withheld", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint64_t trusted_from = 0; ///< the round
  bool operator==(const withheld&) const = default;
};
struct round_closed {
  static constexpr abi::event event{"RoundClosed", {1, 3}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  address leader;
  std::uint32_t participants = 0;
  std::uint32_t contributors = 0;
  bool operator==(const round_closed&) const = default;
};
/// Every peer that was in a closed round and could lead has left; the round is collected anew.
struct round_reopened {
  static constexpr abi::event event{"RoundReopened", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  bool operator==(const round_reopened&) const = default;
};
struct leader_suspected {
  static constexpr abi::event event{"LeaderSuspected", {1, 4}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address by;
  address leader;
  bool operator==(const leader_suspected&) const = default;
};
struct leader_changed {
  static constexpr abi::event event{"LeaderChanged", {1, 4}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address leader;
  bool operator==(const leader_changed&) const = default;
};
/// The peer has made a shard of the merge: its own, or, as the leader, another one's. Without roots its maker declines.
struct shard_committed {
  static constexpr abi::event event{"ShardCommitted", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t shard = 0;   ///< place of its maker
  std::vector<hash32> roots; ///< of its units
  bool operator==(const shard_committed&) const = default;
};
/// The maker of a shard has measured it; without sums it declines the shard.
struct shard_measured {
  static constexpr abi::event event{"ShardMeasured", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t shard = 0;
  std::vector<hash32> sums; ///< of its units, one after the other
  bool operator==(const shard_measured&) const = default;
};
/// All shards are measured, and are to be made.
struct models_measured {
  static constexpr abi::event event{"ModelsMeasured", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::vector<hash32> totals;
  bool operator==(const models_measured&) const = default;
};
/// The leader's proposal, or that of all makers. It is the merge of the round once it is accepted.
struct merge_committed {
  static constexpr abi::event event{"MergeCommitted", {1, 4}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address leader;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors;
  std::vector<address> excluded;
  std::vector<exclusion_reason> reasons;
  std::uint32_t shards = 0; ///< of which it was put together; 0: the leader has made it
  bool operator==(const merge_committed&) const = default;
};
struct seed_revealed {
  static constexpr abi::event event{"SeedRevealed", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  hash32 seed;
  bool operator==(const seed_revealed&) const = default;
};
struct checks_dealt {
  static constexpr abi::event event{"ChecksDealt", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  hash32 mix;
  std::uint64_t chunks = 0;
  std::uint32_t checkers = 0; ///< that have something to check
  std::uint64_t until = 0;    ///< block time
  bool operator==(const checks_dealt&) const = default;
};
/// The peer has made again what was dealt to it, and it is what the leader proposes.
struct attested {
  static constexpr abi::event event{"Attested", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  bool operator==(const attested&) const = default;
};
struct merge_challenged {
  static constexpr abi::event event{"MergeChallenged", {1, 7}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  challenge_kind kind = challenge_kind::chunk;
  std::uint64_t number = 0; ///< of the chunk, or position among the excluded
  address by;
  std::uint64_t until = 0; ///< block time
  bool operator==(const merge_challenged&) const = default;
};
struct judged {
  static constexpr abi::event event{"Judged", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  bool holds = false; ///< the proposal is right in what is challenged
  bool operator==(const judged&) const = default;
};
struct challenge_decided {
  static constexpr abi::event event{"ChallengeDecided", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0;
  verdict outcome = verdict::upheld;
  std::uint32_t holds = 0; ///< organisations, or nodes where there is one organisation
  std::uint32_t against = 0;
  bool operator==(const challenge_decided&) const = default;
};
struct barred {
  static constexpr abi::event event{"Barred", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  bar_reason reason = bar_reason::withheld_seed;
  std::uint64_t until = 0; ///< the round
  bool operator==(const barred&) const = default;
};
struct merge_accepted {
  static constexpr abi::event event{"MergeAccepted", {1, 4}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address leader;
  hash32 digest;
  std::vector<address> checkers; ///< who have attested it, in order of registration; none: it is unchecked
  bool operator==(const merge_accepted&) const = default;
};
/// A second tie. Leader, or maker of the shard in dispute, and challenger disagree, and as many others say that the one is right as that the other is.
struct round_stopped {
  static constexpr abi::event event{"RoundStopped", {1, 3, 4}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  address leader;
  address challenger;
  bool operator==(const round_stopped&) const = default;
};
struct verify_set {
  static constexpr abi::event event{"VerifySet", {2}};
  verify_mode mode = verify_mode::before;
  address by;
  bool operator==(const verify_set&) const = default;
};
struct loss_reported {
  static constexpr abi::event event{"LossReported", {1, 2}};
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
  bool operator==(const loss_reported&) const = default;
};
struct training_complete {
  static constexpr abi::event event{"TrainingComplete", {1}};
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  hash32 digest;
  bool operator==(const training_complete&) const = default;
};
/// It is reset once more than half of the organisations in it have asked for it.
struct reset_asked {
  static constexpr abi::event event{"ResetAsked", {1, 2}};
  std::uint64_t generation = 0;
  organisation_id organisation = 0;
  address by;
  bool operator==(const reset_asked&) const = default;
};
/// What was said with a reset of this generation, or with asking for one. Comes before that.
struct reset_noted {
  static constexpr abi::event event{"ResetNoted", {1, 2}};
  std::uint64_t generation = 0;
  address by;
  std::string note;
  bool operator==(const reset_noted&) const = default;
};
struct organisation_invited {
  static constexpr abi::event event{"OrganisationInvited", {1}};
  organisation_id organisation = 0;
  address by;
  bool operator==(const organisation_invited&) const = default;
};
struct training_reset {
  static constexpr abi::event event{"TrainingReset", {2}};
  std::uint64_t generation = 0;
  address by;
  bool operator==(const training_reset&) const = default;
};

using training_event =
    std::variant<peer_registered, peer_left, peer_odd, agreement_changed, peer_accused, peer_answered,
                 peer_absent, checked_in, reveals_opened, revealed, withheld, round_closed, round_reopened,
                 leader_suspected, leader_changed, shard_committed, merge_committed, seed_revealed,
                 checks_dealt, attested, merge_challenged, judged, challenge_decided, barred, merge_accepted,
                 round_stopped, verify_set, loss_reported, training_complete, reset_asked, reset_noted,
                 organisation_invited, training_reset, shard_measured, models_measured>;

} // namespace swarm::contracts
