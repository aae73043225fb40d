#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/registry/interface.hpp"

#include <optional>

/// The NodeRegistry for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with the
/// structs of interface.hpp, and short names for calls that are made in several places.
namespace swarm::contracts {

inline bytes encode_register_node(const register_node_args& args) {
  return encode(args);
}
inline bytes encode_vouch(const address& account, const hash32& statement) {
  return encode(vouch_args{account, statement});
}
inline bytes encode_remove_node(const address& account) {
  return encode(remove_node_args{account});
}
inline bytes encode_leave_node() {
  return encode(leave_node_args{});
}
inline bytes encode_node(const address& account) {
  return encode(node_args{account});
}
inline bytes encode_node_count() {
  return encode(node_count_args{});
}
inline bytes encode_nodes(std::uint64_t first, std::uint64_t count) {
  return encode(nodes_args{first, count});
}
inline bytes encode_propose_validator_vote(const address& account, bool add) {
  return encode(propose_validator_vote_args{account, add});
}
inline bytes encode_discard_validator_vote(const address& account) {
  return encode(discard_validator_vote_args{account});
}
inline bytes encode_validator_members() {
  return encode(validator_members_args{});
}
inline bytes encode_voters_on(const address& account) {
  return encode(voters_on_args{account});
}

inline bytes encode_vote_rules(std::uint64_t version, std::uint64_t from_block) {
  return encode(vote_rules_args{version, from_block});
}
inline bytes encode_report_double_vote(bytes proof) {
  return encode(report_double_vote_args{std::move(proof)});
}

inline result<node_view> decode_node(bytes_view output) {
  return decode_answer<node_args>(output);
}
inline result<std::uint64_t> decode_node_count(bytes_view output) {
  return count_of(decode_answer<node_count_args>(output));
}
inline result<std::vector<node_view>> decode_nodes(bytes_view output) {
  return decode_answer<nodes_args>(output);
}
inline result<pending_view> decode_pending_of(bytes_view output) {
  return decode_answer<pending_of_args>(output);
}
inline result<std::vector<address>> decode_validator_members(bytes_view output) {
  return decode_answer<validator_members_args>(output);
}
inline result<std::vector<address>> decode_voters_on(bytes_view output) {
  return decode_answer<voters_on_args>(output);
}

inline result<node_event> decode_node_event(const std::vector<hash32>& topics, bytes_view data) {
  return decode_event<node_registry_interface>(topics, data);
}

/// The arguments of a call that registers; none for any other call and for what is not encoded as ABI demands, which
/// the contract refuses.
std::optional<register_node_args> decode_registration(const std::optional<address>& to, bytes_view input);

/// What the registration `args` of `account` claims.
inline node_statement statement_of(const address& account, const register_node_args& args) {
  return {account, args.organisation, args.type, args.identity, args.expiry, args.sequence};
}

} // namespace swarm::contracts
