#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/owner.hpp"
#include "contracts/runtime/page.hpp"

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

/// A peer of which another says that it gives no sign of life has so long to give one, in seconds of block time.
inline constexpr std::uint64_t peer_answer_seconds = 10;
/// And whoever said so wrongly says it of nobody for so long.
inline constexpr std::uint64_t no_accusing_seconds = 600;

/// So long a peer that is in a closed round has to reveal the model that it committed to, in seconds of block time.
inline constexpr std::uint64_t reveal_seconds = 10;

/// In `revealing` the round is closed and its peers reveal the models that they have committed to.
enum class round_phase : std::uint8_t { collecting, merging, complete, revealing };
/// An odd peer asks for other parameters, or brings a model of another layout, than those in force, and it is not
/// decided yet which of them most organisations want. Nobody waits for it.
enum class peer_state : std::uint8_t { none, active, absent, finished, left, odd };
enum class on_train_end : std::uint8_t { inactive, snapshot, active };

/// Why a peer left, or why its SL refused its program. Only these codes stand on the chain, never a text:
/// what a program says when it fails may quote its data, and every organisation reads the chain for good.
/// New ones come last.
enum class leave_reason : std::uint8_t {
  program_gone,       ///< it closed its pipes without a word
  program_failed,     ///< it said that it could not evaluate a merged model
  program_ended,      ///< it ended its session before the training was over
  node_stopped,       ///< the SL was told to stop
  node_restarted,     ///< the SL's process had ended within the session
  other_parameters,   ///< its model has other parameters than its peers'
  model_unusable,     ///< its model cannot be merged, nor any other of the round
  nothing_to_merge,   ///< no model of the round can be merged
  final_model_lost,   ///< nobody gives it the final model
  no_final_model,     ///< nobody would bring a last model: every peer's checkinModelOnTrainEnd is 'inactive'
  disk_failed,        ///< its SL's disk does not take its model
  other_merge_method, ///< it asks for another merge method than the one in force
  other_min_peers,    ///< it asks for another minPeers than the one in force
  bad_request,        ///< what it sent cannot be served
  not_heard           ///< it did not answer when its peers said that it gives no sign of life
};

/// Why the leader left a model out of the merge. As above.
enum class exclusion_reason : std::uint8_t {
  not_available,    ///< the leader could not get the model that was checked in
  other_parameters, ///< not those of most models of the round
  not_finite        ///< it has NaN or infinite values
};

constexpr round_phase last_value(round_phase) {
  return round_phase::revealing;
}
constexpr peer_state last_value(peer_state) {
  return peer_state::odd;
}
constexpr on_train_end last_value(on_train_end) {
  return on_train_end::active;
}

constexpr leave_reason last_value(leave_reason) {
  return leave_reason::not_heard;
}
constexpr exclusion_reason last_value(exclusion_reason) {
  return exclusion_reason::not_finite;
}

std::string_view to_string(round_phase phase);
std::string_view to_string(peer_state state);
std::string_view to_string(on_train_end mode);
/// The words that people read for a reason: of a peer that left, what follows a colon, such as "its model has
/// other parameters"; those of a model that was left out stand in proof files too.
std::string_view to_string(leave_reason reason);
std::string_view to_string(exclusion_reason reason);
/// Whether an SL refuses its program for this reason; otherwise program or node went by themselves.
bool is_refusal(leave_reason reason);
/// The reverse of `to_string`; none when there is no such reason.
std::optional<exclusion_reason> parse_exclusion_reason(std::string_view words);

struct head_view {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0; ///< the round being collected or merged; 1 at the start
  round_phase phase = round_phase::collecting;
  std::uint32_t term = 0;
  address leader; ///< zero unless merging
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
  hash32 seed_hash;  ///< zero until it is revealed
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
  bool operator==(const merge_view&) const = default;
};

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
struct merge_of_args {
  static constexpr abi::view<merge_view> function{"mergeOf"};
  std::uint64_t round_num = 0;
};

// Events, in the order of the interface file.

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
  bool operator==(const merge_committed&) const = default;
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
                 leader_suspected, leader_changed, merge_committed, loss_reported, training_complete,
                 reset_asked, organisation_invited, training_reset>;

struct training_interface {
  static constexpr std::string_view name = "Training";
  using functions =
      type_list<register_peer_args, leave_peer_args, check_in_args, reveal_args, close_reveals_args,
                vote_close_args, commit_merge_args, suspect_leader_args, report_loss_args, accuse_peer_args,
                answer_accusation_args, report_refusal_args, reset_args, invite_args, training_name_args,
                head_args, peers_args, peer_count_args, check_ins_args, owner_args, invited_args,
                reset_votes_args, merge_of_args>;
  using event = training_event;
};

} // namespace swarm::contracts
