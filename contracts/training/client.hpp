#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a program outside the chain needs to talk to a training contract: structs that mirror
/// interfaces/ITraining.sol, call data to send, answers and events to read. Every `decode_*` is strict: only
/// the one canonical ABI encoding is accepted.
namespace swarm::contracts {

/// The training contract every chain has from genesis on.
inline constexpr std::string_view default_training_name = "defaultbb.cqdb.sml.hpe";

/// Where the training contract called `name` lives: last 20 bytes of keccak256("swarmd/training/" || name).
address training_address(std::string_view name);

/// The gas limit to send a call of these contracts with: more than any of them takes.
inline constexpr std::uint64_t call_gas = 10'000'000;

inline constexpr std::uint32_t peers_max = 1024; ///< of one generation of a training
inline constexpr std::uint32_t weightage_max = 100;
inline constexpr std::size_t reason_bytes_max = 160;   ///< of leavePeer and of each entry of commitMerge
inline constexpr std::uint64_t page_entries_max = 256; ///< of peers(), nodes(), names()

enum class round_phase : std::uint8_t { collecting, merging, complete };
enum class peer_state : std::uint8_t { none, active, absent, finished, left };
enum class on_train_end : std::uint8_t { inactive, snapshot, active };

std::string_view to_string(round_phase phase);
std::string_view to_string(peer_state state);
std::string_view to_string(on_train_end mode);

/// Losses and metrics on the chain are millionths. Not a number becomes the smallest int64, what is too large
/// the next value that fits; `from_micro` turns the smallest int64 back into not-a-number.
std::int64_t to_micro(double value);
double from_micro(std::int64_t micro);

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
  address merged_by; ///< the leader that committed it, so the first one to ask for the file
  bool operator==(const head_view&) const = default;
};

struct peer_view {
  address account;
  peer_state state = peer_state::none;
  on_train_end train_end = on_train_end::inactive;
  bool can_lead = false;
  std::uint32_t weightage = 0;
  std::uint64_t last_round = 0; ///< last round it checked in for, 0 if none
  std::uint64_t loss_round = 0; ///< last round whose merged model it loaded and reported a loss for
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::string name;
  std::string endpoint;
  bool operator==(const peer_view&) const = default;
};

struct check_in_view {
  address peer;
  hash32 digest;
  std::uint64_t size = 0; ///< bytes
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
  std::string endpoint;
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
  std::vector<std::string> reasons; ///< one for each of `excluded`
  bool operator==(const merge_view&) const = default;
};

// Call data. The structs name the arguments: encode_check_in({.generation = 1, .round_num = 5, ...}).

struct register_peer_args {
  std::uint32_t min_peers = 0;
  std::string merge_method;
  std::uint32_t weightage = 0;
  on_train_end train_end = on_train_end::snapshot;
  std::uint32_t epochs_total = 0;
  bool can_lead = true;
};
struct leave_peer_args {
  std::string reason;
};
struct check_in_args {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
  std::uint64_t size = 0;
  hash32 layout_digest;
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
};
struct vote_close_args {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
};
struct commit_merge_args {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors;
  std::vector<address> excluded;
  std::vector<std::string> reasons;
};
struct suspect_leader_args {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};
struct report_loss_args {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
};

bytes encode_register_peer(const register_peer_args& args);
bytes encode_leave_peer(const leave_peer_args& args);
bytes encode_check_in(const check_in_args& args);
bytes encode_vote_close(const vote_close_args& args);
bytes encode_commit_merge(const commit_merge_args& args);
bytes encode_suspect_leader(const suspect_leader_args& args);
bytes encode_report_loss(const report_loss_args& args);
bytes encode_reset();
bytes encode_training_name();
bytes encode_head();
bytes encode_peers(std::uint64_t first, std::uint64_t count);
bytes encode_peer_count();
bytes encode_check_ins();
bytes encode_merge_of(std::uint64_t round_num);

// Answers of eth_call.

result<std::string> decode_training_name(bytes_view output);
result<head_view> decode_head(bytes_view output);
result<std::vector<peer_view>> decode_peers(bytes_view output);
result<std::uint64_t> decode_peer_count(bytes_view output);
result<std::vector<check_in_view>> decode_check_ins(bytes_view output);
result<merge_view> decode_merge_of(bytes_view output);

// Events, in the order of the interface file.

struct peer_registered {
  address peer;
  std::uint64_t generation = 0;
  std::uint32_t min_peers = 0;
  std::string merge_method;
  std::uint32_t weightage = 0;
  bool operator==(const peer_registered&) const = default;
};
struct peer_left {
  address peer;
  std::uint64_t generation = 0;
  std::string reason;
  bool operator==(const peer_left&) const = default;
};
struct peer_absent {
  address peer;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  bool operator==(const peer_absent&) const = default;
};
struct checked_in {
  address peer;
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  hash32 digest;
  std::uint64_t size = 0;
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  bool finished = false;
  bool operator==(const checked_in&) const = default;
};
struct round_closed {
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  address leader;
  std::uint32_t participants = 0;
  std::uint32_t contributors = 0;
  bool operator==(const round_closed&) const = default;
};
/// Every peer that was in a closed round and could lead has left; the round is collected anew.
struct round_reopened {
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  bool operator==(const round_reopened&) const = default;
};
struct leader_suspected {
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address by;
  address leader;
  bool operator==(const leader_suspected&) const = default;
};
struct leader_changed {
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address leader;
  bool operator==(const leader_changed&) const = default;
};
struct merge_committed {
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  std::uint32_t term = 0;
  address leader;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors;
  std::vector<address> excluded;
  std::vector<std::string> reasons;
  bool operator==(const merge_committed&) const = default;
};
struct loss_reported {
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
  std::uint64_t round_num = 0;
  std::uint64_t generation = 0;
  hash32 digest;
  bool operator==(const training_complete&) const = default;
};
struct training_reset {
  std::uint64_t generation = 0;
  address by;
  bool operator==(const training_reset&) const = default;
};

using training_event = std::variant<peer_registered, peer_left, peer_absent, checked_in, round_closed,
                                    round_reopened, leader_suspected, leader_changed, merge_committed,
                                    loss_reported, training_complete, training_reset>;

/// The event of a log entry of a training contract. An unknown topic is errc::not_found, so that readers can
/// skip events of newer contracts; anything malformed is an `abi::rule`.
result<training_event> decode_training_event(const std::vector<hash32>& topics, bytes_view data);

/// topic0 of an event: event_topic<merge_committed>(). Instantiated for every alternative of
/// the event variants.
template <class Event>
hash32 event_topic();

/// What a revert says, for people: the text of Error(string), a Panic's number, or the raw bytes (shortened).
std::string revert_text(bytes_view output);

} // namespace swarm::contracts
