#pragma once

#include "contracts/training/client.hpp"
#include "ledger/native_contract.hpp"

/// The client side of interfaces/INodeRegistry.sol and
/// interfaces/ITrainingRegistry.sol; see training_client.hpp.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005001, from genesis on.
constexpr address node_registry_address() {
  return ledger::validators_account();
}
/// 0x0000000000000000000000000000000000005002, from genesis on.
constexpr address training_registry_address() {
  address out;
  out[18] = 0x50;
  out[19] = 0x02;
  return out;
}

inline constexpr std::uint32_t nodes_max = 4096;
inline constexpr std::size_t node_name_bytes_max = 64;
inline constexpr std::size_t node_endpoint_bytes_max = 260;
inline constexpr std::uint32_t trainings_max = 4096;
inline constexpr std::size_t training_name_bytes_max = 64;

enum class node_type : std::uint8_t { sn = 1, sl = 2, swop = 3, swci = 4 };
/// "SN", "SL", "SWOP", "SWCI".
std::string_view to_string(node_type type);

/// True for 1 to 64 characters of A-Z a-z 0-9 . _ -
bool is_training_name(std::string_view name);

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
  node_type type{};
  hash32 cert_fingerprint;
  address parent;
  std::string name;
  std::string endpoint;
};

// NodeRegistry

bytes encode_register_node(const register_node_args& args);
bytes encode_leave_node();
bytes encode_node(const address& account);
bytes encode_node_count();
bytes encode_nodes(std::uint64_t first, std::uint64_t count);

/// Who seals blocks. Votes are of validators, on one account each.
bytes encode_propose_validator_vote(const address& account, bool add);
bytes encode_discard_validator_vote(const address& account);
bytes encode_get_validators();
bytes encode_validator_members();
bytes encode_voters_on(const address& account);

result<std::vector<address>> decode_validators(bytes_view output); ///< sorted
result<std::vector<address>> decode_validator_members(bytes_view output);
result<std::vector<address>> decode_voters_on(bytes_view output);

result<node_view> decode_node(bytes_view output);
result<std::uint64_t> decode_node_count(bytes_view output);
result<std::vector<node_view>> decode_nodes(bytes_view output);

struct node_registered {
  address account;
  node_type type{};
  hash32 cert_fingerprint;
  address parent;
  std::string name;
  std::string endpoint;
  bool operator==(const node_registered&) const = default;
};
struct node_left {
  address account;
  node_type type{};
  bool operator==(const node_left&) const = default;
};
struct validator_voted {
  address voter;
  address account;
  bool add = false;
  bool operator==(const validator_voted&) const = default;
};
/// Every block that changes who seals has such a log; its topic 0 is `event_topic<validators_changed>()`.
struct validators_changed {
  address account;
  bool added = false;
  std::vector<address> validators; ///< of the next block, sorted
  bool operator==(const validators_changed&) const = default;
};
using node_event = std::variant<node_registered, node_left, validator_voted, validators_changed>;
/// As decode_training_event.
result<node_event> decode_node_event(const std::vector<hash32>& topics, bytes_view data);

// TrainingRegistry

bytes encode_create_training(std::string_view name);
bytes encode_training_address_of(std::string_view name);
bytes encode_training_count();
bytes encode_training_names(std::uint64_t first, std::uint64_t count);

result<address> decode_create_training(bytes_view output);
/// Zero when there is no such contract.
result<address> decode_training_address_of(bytes_view output);
result<std::uint64_t> decode_training_count(bytes_view output);
result<std::vector<std::string>> decode_training_names(bytes_view output);

struct training_created {
  std::string name;
  address training;
  address creator;
  bool operator==(const training_created&) const = default;
};
using training_registry_event = std::variant<training_created>;
result<training_registry_event> decode_training_registry_event(const std::vector<hash32>& topics,
                                                               bytes_view data);

} // namespace swarm::contracts
