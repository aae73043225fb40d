#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/registry/seat_share.hpp"
#include "contracts/runtime/page.hpp"
#include "ledger/native_contract.hpp"

/// interfaces/INodeRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005001, from genesis on.
constexpr address node_registry_address() {
  return ledger::validators_account();
}

inline constexpr std::uint32_t nodes_max = 4096; ///< of a chain without organisations
inline constexpr std::size_t node_name_bytes_max = 64;
inline constexpr std::size_t node_endpoint_bytes_max = 260;
inline constexpr std::size_t proof_bytes_max = 16384;
inline constexpr std::uint32_t pending_max = 256;      ///< statements that wait in one organisation's name
inline constexpr std::uint64_t pending_seconds = 3600; ///< so long a statement waits for vouches
inline constexpr std::uint64_t answer_seconds = 10;    ///< an accused organisation has to answer within
inline constexpr std::uint64_t accusation_rest_seconds =
    60; ///< after an answer nobody may accuse for so long
/// A node that is said to be silent keeps its seat when a sign of life of it comes within.
inline constexpr std::uint64_t seat_answer_seconds = 10;

enum class node_type : std::uint8_t { sn = 1, sl = 2, swop = 3, swci = 4 };
constexpr node_type last_value(node_type) {
  return node_type::swci;
}
/// "SN", "SL", "SWOP", "SWCI".
std::string_view to_string(node_type type);

/// What a registration claims. Vouches name its hash, so they hold for nothing else.
struct node_statement {
  address account;
  organisation_id organisation = 0;
  node_type role{};
  hash32 identity;          ///< of a certificate the SHA-256 of its DER form
  std::uint64_t expiry = 0; ///< seconds since 1970, the last in which it holds; 0: it holds for ever
  std::uint64_t sequence = 0;
  bool operator==(const node_statement&) const = default;
};
/// keccak256(abi.encode(account, organisation, role, identity, expiry, sequence)).
hash32 statement_hash(const node_statement& what);

struct node_view {
  address account; ///< zero: there is no such node
  node_type type{};
  bool active = false;  ///< a member in this block
  bool pending = false; ///< a statement of it waits for vouches
  std::uint64_t since_block = 0;
  // The statement in force, or the last one that was; of a node that never was a member the one that waits.
  organisation_id organisation = 0; ///< 0 on a chain without organisations
  hash32 identity;
  std::uint64_t expiry = 0;
  std::uint64_t sequence = 0;
  address parent;
  std::string name;
  std::string endpoint;
  bool operator==(const node_view&) const = default;
};

/// A statement that waits for vouches.
struct pending_view {
  node_statement statement; ///< its account is zero: none waits
  hash32 hash;
  std::uint64_t block_num = 0; ///< the block whose NodeRegistered has the proof
  std::uint64_t until = 0;     ///< the last second in which it can be vouched for
  std::vector<organisation_id> vouchers;
  bool operator==(const pending_view&) const = default;
};

/// What the registry counts for one organisation.
struct standing_view {
  std::uint32_t nodes = 0;      ///< members
  std::uint32_t sns = 0;        ///< of them
  std::uint32_t voters = 0;     ///< SNs and SWCIs of them
  std::uint32_t pending = 0;    ///< statements that wait
  bool live = false;            ///< it has an SN, and no accusation that it left unanswered
  std::uint64_t accused_at = 0; ///< second; 0: no accusation is open
  bool operator==(const standing_view&) const = default;
};

struct register_node_args {
  static constexpr abi::call<> function{"register"};
  node_type type{};
  organisation_id organisation = 0;
  hash32 identity;
  std::uint64_t expiry = 0;
  std::uint64_t sequence = 0;
  address parent;
  std::string name;
  std::string endpoint;
  bytes proof;
};
struct vouch_args {
  static constexpr abi::call<> function{"vouch"};
  address account;
  hash32 statement;
};
struct remove_node_args {
  static constexpr abi::call<> function{"removeNode"};
  address account;
};
struct accuse_args {
  static constexpr abi::call<> function{"accuse"};
  organisation_id organisation = 0;
};
struct answer_args {
  static constexpr abi::call<> function{"answer"};
};
struct settle_args {
  static constexpr abi::call<> function{"settle"};
  address account;
};
struct leave_node_args {
  static constexpr abi::call<> function{"leave"};
};
struct node_args {
  static constexpr abi::view<node_view> function{"node"};
  address account;
};
struct node_count_args {
  static constexpr abi::view<u256> function{"nodeCount"};
};
struct nodes_args {
  static constexpr abi::view<std::vector<node_view>> function{"nodes"};
  u256 first;
  u256 count;
};
struct pending_of_args {
  static constexpr abi::view<pending_view> function{"pendingOf"};
  address account;
};
struct pending_nodes_args {
  static constexpr abi::view<std::vector<pending_view>> function{"pendingNodes"};
  organisation_id organisation = 0;
  u256 first;
  u256 count;
};
struct standing_args {
  static constexpr abi::view<standing_view> function{"standing"};
  organisation_id organisation = 0;
};

// Who seals blocks. Validators vote, on one account at a time.

struct propose_validator_vote_args {
  static constexpr abi::call<> function{"proposeValidatorVote"};
  address account;
  bool add = false;
};
struct discard_validator_vote_args {
  static constexpr abi::call<> function{"discardValidatorVote"};
  address account;
};
/// The answer is sorted.
struct get_validators_args {
  static constexpr abi::view<std::vector<address>> function{"getValidators"};
};
struct validator_members_args {
  static constexpr abi::view<std::vector<address>> function{"validatorMembers"};
};
struct seat_powers_args {
  static constexpr abi::view<std::vector<seat_power>> function{"seatPowers"};
};
struct voters_on_args {
  static constexpr abi::view<std::vector<address>> function{"votersOn"};
  address account;
};

// Validators that sign two different votes for one place lose their seats (evidence.hpp).

struct report_double_vote_args {
  static constexpr abi::call<> function{"reportDoubleVote"};
  bytes proof; ///< ledger/formats/double_vote.hpp
};
/// The block in which a double vote of the account was proved; 0: none was.
/// The block in which a member with this identity was removed by vote; zero: none was.
struct removal_of_args {
  static constexpr abi::view<u256> function{"removalOf"};
  hash32 identity;
};
struct double_vote_of_args {
  static constexpr abi::view<u256> function{"doubleVoteOf"};
  address account;
};

// How many nodes of a role an organisation may have, and how many of its trainings may be under way (seat_limits.hpp).

enum class seat_kind : std::uint8_t { sn = 1, sl = 2, swop = 3, swci = 4, training = 5 };
constexpr seat_kind last_value(seat_kind) {
  return seat_kind::training;
}
inline constexpr std::size_t seat_kinds = 5;
/// "SN", "SL", "SWOP", "SWCI", "trainings under way".
std::string_view to_string(seat_kind kind);

/// Of one organisation and kind. 0: there is no such limit.
struct seat_limit_view {
  seat_kind kind{};
  std::uint32_t by_network = 0; ///< more than half of the organisations have voted for it
  std::uint32_t by_itself = 0;  ///< the organisation's own
  bool operator==(const seat_limit_view&) const = default;

  /// The one that is reached first; 0: none.
  std::uint32_t most() const {
    if (by_network == 0 || by_itself == 0) return by_network + by_itself;
    return by_network < by_itself ? by_network : by_itself;
  }
};
/// An organisation's vote on one limit of another, or of its own.
struct seat_vote_view {
  organisation_id voter = 0;
  std::uint32_t most = 0;
  bool operator==(const seat_vote_view&) const = default;
};
/// By an SN or SWCI, for its own organisation.
struct limit_seats_args {
  static constexpr abi::call<> function{"limitSeats", 3};
  seat_kind kind{};
  std::uint32_t most = 0;
};
/// By an SN or SWCI, as the vote of its organisation.
struct vote_seats_args {
  static constexpr abi::call<> function{"voteSeats", 3};
  organisation_id organisation = 0;
  seat_kind kind{};
  std::uint32_t most = 0;
};
/// One for each kind, in their order.
struct seat_limits_args {
  static constexpr abi::view<std::vector<seat_limit_view>> function{"seatLimits", 3};
  organisation_id organisation = 0;
};
struct seat_votes_args {
  static constexpr abi::view<std::vector<seat_vote_view>> function{"seatVotes", 3};
  organisation_id organisation = 0;
  seat_kind kind{};
};

// Which of these nodes is said to be silent, so that its seat goes to who needs one (seat_leases.hpp).

/// Of one organisation and role.
struct seat_lease_view {
  node_type role{};
  std::uint32_t taken = 0;
  address accused;              ///< zero: of nobody it is said that he is silent
  std::uint64_t since = 0;      ///< second in which that was said
  std::uint64_t serial = 0;     ///< of its last sign of life that was known then
  std::uint64_t rest_until = 0; ///< before this second it is said of nobody
  bool operator==(const seat_lease_view&) const = default;
};
/// By an SN or SWCI of the node's organisation; where that has no live SN, by any SN.
struct accuse_node_args {
  static constexpr abi::call<> function{"accuseNode", 3};
  address account;
  bytes last_sign; ///< ledger/formats/sign_of_life.hpp; empty: none is known
};
/// By anybody, with a later sign of life of the node.
struct answer_for_node_args {
  static constexpr abi::call<> function{"answerForNode", 3};
  bytes sign;
};
/// One for each role, in their order.
struct seat_leases_args {
  static constexpr abi::view<std::vector<seat_lease_view>> function{"seatLeases", 3};
  organisation_id organisation = 0;
};

// The version of the chain's rules (rules_votes.hpp).

inline constexpr std::uint64_t rules_notice_blocks = 16;     ///< at least, between the vote and new rules
inline constexpr std::uint64_t rules_ahead_max = 10'000'000; ///< blocks at most, beyond the notice

struct rules_view {
  std::uint64_t version = 0; ///< in force in the block that is built now
  std::uint64_t next = 0;    ///< decided, but not in force yet; 0: none
  std::uint64_t from_block = 0;
  bool operator==(const rules_view&) const = default;
};
struct vote_rules_args {
  static constexpr abi::call<> function{"voteRules"};
  std::uint64_t version = 0;
  std::uint64_t from_block = 0;
};
struct rules_args {
  static constexpr abi::view<rules_view> function{"rules"};
};

struct node_registered {
  static constexpr abi::event event{"NodeRegistered", {1, 2, 3}};
  address account;
  node_type type{};
  organisation_id organisation = 0;
  hash32 identity;
  std::uint64_t expiry = 0;
  std::uint64_t sequence = 0;
  address parent;
  std::string name;
  std::string endpoint;
  bytes proof;
  bool operator==(const node_registered&) const = default;
};
struct node_vouched {
  static constexpr abi::event event{"NodeVouched", {1, 2}};
  address account;
  organisation_id organisation = 0; ///< that vouches
  hash32 statement;
  bool operator==(const node_vouched&) const = default;
};
struct node_admitted {
  static constexpr abi::event event{"NodeAdmitted", {1}};
  address account;
  hash32 statement;
  bool operator==(const node_admitted&) const = default;
};
struct removal_voted {
  static constexpr abi::event event{"RemovalVoted", {1, 2}};
  address account;
  organisation_id voter = 0;
  bool operator==(const removal_voted&) const = default;
};
struct node_removed {
  static constexpr abi::event event{"NodeRemoved", {1, 2}};
  address account;
  organisation_id by = 0; ///< whose vote completed it
  bool operator==(const node_removed&) const = default;
};
struct node_expired {
  static constexpr abi::event event{"NodeExpired", {1, 2}};
  address account;
  node_type type{};
  bool operator==(const node_expired&) const = default;
};
struct organisation_accused {
  static constexpr abi::event event{"OrganisationAccused", {1}};
  organisation_id organisation = 0;
  address by;
  bool operator==(const organisation_accused&) const = default;
};
struct accusation_answered {
  static constexpr abi::event event{"AccusationAnswered", {1}};
  organisation_id organisation = 0;
  address by;
  bool operator==(const accusation_answered&) const = default;
};
struct node_left {
  static constexpr abi::event event{"NodeLeft", {1, 2}};
  address account;
  node_type type{};
  bool operator==(const node_left&) const = default;
};
struct validator_voted {
  static constexpr abi::event event{"ValidatorVoted", {1, 2}};
  address voter;
  address account;
  bool add = false;
  bool operator==(const validator_voted&) const = default;
};
/// Every block that changes the validators has such a log; its topic 0 is
/// `event_topic<validators_changed>()`.
struct validators_changed {
  static constexpr abi::event event{"ValidatorsChanged", {1}};
  address account;
  bool added = false;
  std::vector<address> validators; ///< of the next block, sorted
  bool operator==(const validators_changed&) const = default;
};
struct double_vote_proved {
  static constexpr abi::event event{"DoubleVoteProved", {1}};
  address account;
  std::uint8_t kind = 0; ///< ledger::vote_kind
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  address reporter;
  bool operator==(const double_vote_proved&) const = default;
};
struct seats_voted {
  static constexpr abi::event event{"SeatsVoted", {1, 3}};
  organisation_id organisation = 0;
  seat_kind kind{};
  organisation_id voter = 0;
  std::uint32_t most = 0;
  bool operator==(const seats_voted&) const = default;
};
struct seats_limited {
  static constexpr abi::event event{"SeatsLimited", {1, 4}};
  organisation_id organisation = 0;
  seat_kind kind{};
  std::uint32_t most = 0;
  address by;
  bool by_network = false; ///< the vote of `by` completed it
  bool operator==(const seats_limited&) const = default;
};
struct node_accused {
  static constexpr abi::event event{"NodeAccused", {1, 2}};
  address account;
  address by;
  std::uint64_t serial = 0;
  bool operator==(const node_accused&) const = default;
};
struct node_answered {
  static constexpr abi::event event{"NodeAnswered", {1}};
  address account;
  bool operator==(const node_answered&) const = default;
};
/// `account` was silent, so that it is no member any more, and `by` has its seat.
struct seat_taken {
  static constexpr abi::event event{"SeatTaken", {1, 2, 3}};
  address account;
  node_type type{};
  address by;
  bool operator==(const seat_taken&) const = default;
};
struct rules_voted {
  static constexpr abi::event event{"RulesVoted", {1}};
  address voter;
  std::uint64_t version = 0;
  std::uint64_t from_block = 0;
  bool operator==(const rules_voted&) const = default;
};
struct rules_scheduled {
  static constexpr abi::event event{"RulesScheduled", {}};
  std::uint64_t version = 0;
  std::uint64_t from_block = 0;
  bool operator==(const rules_scheduled&) const = default;
};
using node_event =
    std::variant<node_registered, node_vouched, node_admitted, removal_voted, node_removed, node_expired,
                 node_left, organisation_accused, accusation_answered, validator_voted, validators_changed,
                 double_vote_proved, seats_voted, seats_limited, node_accused, node_answered, seat_taken,
                 rules_voted, rules_scheduled>;

struct node_registry_interface {
  static constexpr std::string_view name = "NodeRegistry";
  using functions =
      type_list<register_node_args, vouch_args, leave_node_args, remove_node_args, accuse_args, answer_args,
                settle_args, propose_validator_vote_args, discard_validator_vote_args, node_args,
                node_count_args, nodes_args, pending_of_args, pending_nodes_args, standing_args,
                get_validators_args, validator_members_args, voters_on_args, seat_powers_args,
                report_double_vote_args, double_vote_of_args, limit_seats_args, vote_seats_args,
                seat_limits_args, seat_votes_args, accuse_node_args, answer_for_node_args, seat_leases_args,
                vote_rules_args, rules_args, removal_of_args>;
  using event = node_event;
};

} // namespace swarm::contracts
