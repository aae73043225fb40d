#include "contracts/registry/client.hpp"

#include "contracts/registry/interface.hpp"

namespace swarm::contracts {

std::string_view to_string(node_type type) {
  static constexpr std::array<std::string_view, 5> names{"none", "SN", "SL", "SWOP", "SWCI"};
  return names.at(static_cast<std::size_t>(type));
}

bool is_training_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
           || c == '-';
  };
  return !name.empty() && name.size() <= training_name_bytes_max
         && std::all_of(name.begin(), name.end(), allowed);
}

bytes encode_register_node(const register_node_args& args) {
  return abi::encode_call(args);
}
bytes encode_leave_node() {
  return abi::encode_call(leave_node_args{});
}
bytes encode_node(const address& account) {
  return abi::encode_call(node_args{account});
}
bytes encode_node_count() {
  return abi::encode_call(node_count_args{});
}
bytes encode_nodes(std::uint64_t first, std::uint64_t count) {
  return abi::encode_call(nodes_args{first, count});
}
bytes encode_propose_validator_vote(const address& account, bool add) {
  return abi::encode_call(propose_validator_vote_args{account, add});
}
bytes encode_discard_validator_vote(const address& account) {
  return abi::encode_call(discard_validator_vote_args{account});
}
bytes encode_get_validators() {
  return abi::encode_call(get_validators_args{});
}
bytes encode_validator_members() {
  return abi::encode_call(validator_members_args{});
}
bytes encode_voters_on(const address& account) {
  return abi::encode_call(voters_on_args{account});
}

result<std::vector<address>> decode_validators(bytes_view output) {
  return abi::decode_answer<std::vector<address>>(output);
}
result<std::vector<address>> decode_validator_members(bytes_view output) {
  return abi::decode_answer<std::vector<address>>(output);
}
result<std::vector<address>> decode_voters_on(bytes_view output) {
  return abi::decode_answer<std::vector<address>>(output);
}

result<node_view> decode_node(bytes_view output) {
  return abi::decode_answer<node_view>(output);
}
result<std::uint64_t> decode_node_count(bytes_view output) {
  return abi::decode_count(output);
}
result<std::vector<node_view>> decode_nodes(bytes_view output) {
  return abi::decode_answer<std::vector<node_view>>(output);
}
result<node_event> decode_node_event(const std::vector<hash32>& topics, bytes_view data) {
  return abi::decode_any_event<node_event>(topics, data);
}

bytes encode_create_training(std::string_view name) {
  return abi::encode_call(create_training_args{std::string(name)});
}
bytes encode_training_address_of(std::string_view name) {
  return abi::encode_call(training_address_of_args{std::string(name)});
}
bytes encode_training_count() {
  return abi::encode_call(training_count_args{});
}
bytes encode_training_names(std::uint64_t first, std::uint64_t count) {
  return abi::encode_call(training_names_args{first, count});
}

result<address> decode_create_training(bytes_view output) {
  return abi::decode_answer<address>(output);
}
result<address> decode_training_address_of(bytes_view output) {
  return abi::decode_answer<address>(output);
}
result<std::uint64_t> decode_training_count(bytes_view output) {
  return abi::decode_count(output);
}
result<std::vector<std::string>> decode_training_names(bytes_view output) {
  return abi::decode_answer<std::vector<std::string>>(output);
}
result<training_registry_event> decode_training_registry_event(const std::vector<hash32>& topics,
                                                               bytes_view data) {
  return abi::decode_any_event<training_registry_event>(topics, data);
}

template <class Event>
hash32 event_topic() {
  return abi::topic_of<Event>();
}
template hash32 event_topic<node_registered>();
template hash32 event_topic<node_left>();
template hash32 event_topic<validator_voted>();
template hash32 event_topic<validators_changed>();
template hash32 event_topic<training_created>();

} // namespace swarm::contracts
