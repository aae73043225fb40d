#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// What the numbers mean that stand on the chain, and the times that bind a training's peers.
namespace swarm::contracts {

/// A peer of which another says that it gives no sign of life has so long to give one, in seconds of block time.
inline constexpr std::uint64_t peer_answer_seconds = 10;
/// And whoever said so wrongly says it of nobody for so long.
inline constexpr std::uint64_t no_accusing_seconds = 600;

/// So long a peer that is in a closed round has to reveal the model that it committed to, in seconds of block time.
inline constexpr std::uint64_t reveal_seconds = 10;
/// The longest time between rounds of a peer that is told apart from longer ones, in seconds.
inline constexpr std::uint64_t took_max = 65'535;
/// So many that have not are taken out of the round by one call.
inline constexpr std::uint32_t withheld_at_once_max = 128;
/// And so long its seed, once a merge is proposed.
inline constexpr std::uint64_t seed_seconds = 10;
/// A check-in commits to the end of a chain of so many hashes (`seed_link`), and each proposal of its round takes one.
inline constexpr std::uint32_t seed_links = 1024;
/// Whoever checks a proposal, or judges a challenge, has so long, and the time that what it needs takes at this rate.
inline constexpr std::uint64_t check_seconds = 10;
inline constexpr std::uint64_t check_bytes_per_second = 65536;
/// What is allowed to those who are awaited, from the beginning of a stage, when others took so many seconds.
constexpr std::uint64_t seconds_for_others(std::uint64_t took) {
  return check_seconds + 4 * took;
}
constexpr std::uint64_t seconds_to_check(std::uint64_t bytes) {
  return check_seconds + bytes / check_bytes_per_second;
}
/// In so many rounds after the one in which it was barred a peer neither leads nor checks.
inline constexpr std::uint64_t barred_rounds = 16;
/// So many of those who are awaited in vain are barred by one call.
inline constexpr std::uint32_t barred_at_once_max = 128;

/// In `revealing` the round is closed and its peers reveal the models that they have committed to. In `verifying` the
/// leader has proposed a merge and others check it; in `disputed` one of them has challenged it and all judge that.
/// A `stopped` round goes on by a reset only.
enum class round_phase : std::uint8_t {
  collecting,
  merging,
  complete,
  revealing,
  verifying,
  disputed,
  stopped
};
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

/// How merges are verified.
enum class verify_mode : std::uint8_t {
  before, ///< what is proposed is loaded once it is accepted
  off,    ///< what a leader proposes is accepted
  behind  ///< it is checked all the same; programs that can take it back load it meanwhile
};
/// What is said to be wrong with a proposal.
enum class challenge_kind : std::uint8_t {
  chunk,     ///< a chunk of the merge is not what the contributions make it
  exclusion, ///< a contribution was left out, and has not the defect that is said or is available
  unserved   ///< what it takes to check it is not served
};
/// What those who judge a challenge say of the proposal.
enum class verdict : std::uint8_t { upheld, refuted, tied };
/// Why a peer is barred.
enum class bar_reason : std::uint8_t {
  withheld_seed,
  false_merge,
  false_challenge,
  silent ///< it has neither attested what was dealt to it nor challenged the proposal, or not made its shard
};

/// What became of a maker's shard of the merge.
enum class shard_state : std::uint8_t {
  awaited,
  made,          ///< by its maker
  declined,      ///< its maker cannot make it, or has left
  made_by_leader ///< in its maker's place
};

constexpr round_phase last_value(round_phase) {
  return round_phase::stopped;
}
constexpr verify_mode last_value(verify_mode) {
  return verify_mode::behind;
}
constexpr challenge_kind last_value(challenge_kind) {
  return challenge_kind::unserved;
}
constexpr shard_state last_value(shard_state) {
  return shard_state::made_by_leader;
}
constexpr verdict last_value(verdict) {
  return verdict::tied;
}
constexpr bar_reason last_value(bar_reason) {
  return bar_reason::silent;
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
std::string_view to_string(verify_mode mode);
std::string_view to_string(challenge_kind kind);
std::string_view to_string(verdict what);
std::string_view to_string(shard_state state);
constexpr bool is_made(shard_state state) {
  return state == shard_state::made || state == shard_state::made_by_leader;
}
std::string_view to_string(bar_reason reason);
/// A round whose models are known, which is merged, checked or stopped.
constexpr bool is_closed(round_phase phase) {
  return phase == round_phase::merging || phase == round_phase::verifying || phase == round_phase::disputed
         || phase == round_phase::stopped;
}
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

} // namespace swarm::contracts
