#pragma once

#include "contracts/abi/function.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/runtime/typed_contract.hpp"

/// interfaces/INodeRegistry.sol and interfaces/ITrainingRegistry.sol in C++ types. The solc check compares
/// the two.
namespace swarm::contracts {

struct leave_node_args {};
struct node_args {
  address account;
};
struct node_count_args {};
struct nodes_args {
  u256 first;
  u256 count;
};
struct propose_validator_vote_args {
  address account;
  bool add = false;
};
struct discard_validator_vote_args {
  address account;
};
struct get_validators_args {};
struct validator_members_args {};
struct voters_on_args {
  address account;
};
struct create_training_args {
  std::string name;
};
struct training_address_of_args {
  std::string name;
};
struct training_count_args {};
struct training_names_args {
  u256 first;
  u256 count;
};

using node_registry_functions =
    function_list<register_node_args, leave_node_args, propose_validator_vote_args,
                  discard_validator_vote_args, node_args, node_count_args, nodes_args, get_validators_args,
                  validator_members_args, voters_on_args>;
using training_registry_functions =
    function_list<create_training_args, training_address_of_args, training_count_args, training_names_args>;

namespace abi {

template <>
struct enum_values<node_type> {
  static constexpr auto last = node_type::swci;
};

template <>
struct layout<node_view> {
  using t = node_view;
  static constexpr auto members = std::tuple{&t::account,          &t::type,   &t::active, &t::since_block,
                                             &t::cert_fingerprint, &t::parent, &t::name,   &t::endpoint};
};

template <>
struct layout<register_node_args> {
  using t = register_node_args;
  static constexpr std::string_view name = "register";
  static constexpr auto members =
      std::tuple{&t::type, &t::cert_fingerprint, &t::parent, &t::name, &t::endpoint};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<leave_node_args> {
  static constexpr std::string_view name = "leave";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<node_args> {
  static constexpr std::string_view name = "node";
  static constexpr auto members = std::tuple{&node_args::account};
  static constexpr bool view = true;
  using answer = node_view;
};
template <>
struct layout<node_count_args> {
  static constexpr std::string_view name = "nodeCount";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = u256;
};
template <>
struct layout<nodes_args> {
  static constexpr std::string_view name = "nodes";
  static constexpr auto members = std::tuple{&nodes_args::first, &nodes_args::count};
  static constexpr bool view = true;
  using answer = std::vector<node_view>;
};
template <>
struct layout<propose_validator_vote_args> {
  using t = propose_validator_vote_args;
  static constexpr std::string_view name = "proposeValidatorVote";
  static constexpr auto members = std::tuple{&t::account, &t::add};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<discard_validator_vote_args> {
  static constexpr std::string_view name = "discardValidatorVote";
  static constexpr auto members = std::tuple{&discard_validator_vote_args::account};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<get_validators_args> {
  static constexpr std::string_view name = "getValidators";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = std::vector<address>;
};
template <>
struct layout<validator_members_args> {
  static constexpr std::string_view name = "validatorMembers";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = std::vector<address>;
};
template <>
struct layout<voters_on_args> {
  static constexpr std::string_view name = "votersOn";
  static constexpr auto members = std::tuple{&voters_on_args::account};
  static constexpr bool view = true;
  using answer = std::vector<address>;
};
template <>
struct layout<validator_voted> {
  using t = validator_voted;
  static constexpr std::string_view name = "ValidatorVoted";
  static constexpr auto members = std::tuple{&t::voter, &t::account, &t::add};
  static constexpr std::array indexed{true, true, false};
};
template <>
struct layout<validators_changed> {
  using t = validators_changed;
  static constexpr std::string_view name = "ValidatorsChanged";
  static constexpr auto members = std::tuple{&t::account, &t::added, &t::validators};
  static constexpr std::array indexed{true, false, false};
};
template <>
struct layout<node_registered> {
  using t = node_registered;
  static constexpr std::string_view name = "NodeRegistered";
  static constexpr auto members =
      std::tuple{&t::account, &t::type, &t::cert_fingerprint, &t::parent, &t::name, &t::endpoint};
  static constexpr std::array indexed{true, true, false, false, false, false};
};
template <>
struct layout<node_left> {
  static constexpr std::string_view name = "NodeLeft";
  static constexpr auto members = std::tuple{&node_left::account, &node_left::type};
  static constexpr std::array indexed{true, true};
};

template <>
struct layout<create_training_args> {
  static constexpr std::string_view name = "create";
  static constexpr auto members = std::tuple{&create_training_args::name};
  static constexpr bool view = false;
  using answer = address;
};
template <>
struct layout<training_address_of_args> {
  static constexpr std::string_view name = "addressOf";
  static constexpr auto members = std::tuple{&training_address_of_args::name};
  static constexpr bool view = true;
  using answer = address;
};
template <>
struct layout<training_count_args> {
  static constexpr std::string_view name = "count";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = u256;
};
template <>
struct layout<training_names_args> {
  static constexpr std::string_view name = "names";
  static constexpr auto members = std::tuple{&training_names_args::first, &training_names_args::count};
  static constexpr bool view = true;
  using answer = std::vector<std::string>;
};
template <>
struct layout<training_created> {
  using t = training_created;
  static constexpr std::string_view name = "TrainingCreated";
  static constexpr auto members = std::tuple{&t::name, &t::training, &t::creator};
  static constexpr std::array indexed{false, true, true};
};

} // namespace abi
} // namespace swarm::contracts
