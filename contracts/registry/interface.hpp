#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/runtime/page.hpp"
#include "ledger/native_contract.hpp"

/// interfaces/INodeRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005001, from genesis on.
constexpr address node_registry_address() {
  return ledger::validators_account();
}

inline constexpr std::uint32_t nodes_max = 4096;
inline constexpr std::size_t node_name_bytes_max = 64;
inline constexpr std::size_t node_endpoint_bytes_max = 260;

enum class node_type : std::uint8_t { sn = 1, sl = 2, swop = 3, swci = 4 };
constexpr node_type last_value(node_type) {
  return node_type::swci;
}
/// "SN", "SL", "SWOP", "SWCI".
std::string_view to_string(node_type type);

struct node_view {
  address account; ///< zero: there is no such node
  node_type type{};
  bool active = false;
  std::uint64_t since_block = 0;
  hash32 cert_fingerprint;
  address parent;
  std::string name;
  std::string endpoint;
  bool operator==(const node_view&) const = default;
};

struct register_node_args {
  static constexpr abi::call<> function{"register"};
  node_type type{};
  hash32 cert_fingerprint;
  address parent;
  std::string name;
  std::string endpoint;
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
struct double_vote_of_args {
  static constexpr abi::view<u256> function{"doubleVoteOf"};
  address account;
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
  static constexpr abi::event event{"NodeRegistered", {1, 2}};
  address account;
  node_type type{};
  hash32 cert_fingerprint;
  address parent;
  std::string name;
  std::string endpoint;
  bool operator==(const node_registered&) const = default;
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
using node_event = std::variant<node_registered, node_left, validator_voted, validators_changed,
                                double_vote_proved, rules_voted, rules_scheduled>;

struct node_registry_interface {
  static constexpr std::string_view name = "NodeRegistry";
  using functions =
      type_list<register_node_args, leave_node_args, propose_validator_vote_args, discard_validator_vote_args,
                node_args, node_count_args, nodes_args, get_validators_args, validator_members_args,
                voters_on_args, report_double_vote_args, double_vote_of_args, vote_rules_args, rules_args>;
  using event = node_event;
};

} // namespace swarm::contracts
