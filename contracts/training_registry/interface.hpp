#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/runtime/page.hpp"

/// interfaces/ITrainingRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005002, from genesis on.
constexpr address training_registry_address() {
  address out;
  out[18] = 0x50;
  out[19] = 0x02;
  return out;
}

inline constexpr std::uint32_t trainings_max = 4096; ///< of a chain without organisations

/// The answer is the address of the new training contract.
struct create_training_args {
  static constexpr abi::call<address> function{"create"};
  std::string name;
};
/// The answer is zero when there is no such contract.
struct training_address_of_args {
  static constexpr abi::view<address> function{"addressOf"};
  std::string name;
};
struct training_count_args {
  static constexpr abi::view<u256> function{"count"};
};
struct training_names_args {
  static constexpr abi::view<std::vector<std::string>> function{"names"};
  u256 first;
  u256 count;
};
/// How many trainings of an organisation are under way: peers are at work in them, and they are not complete.
struct trainings_under_way_args {
  static constexpr abi::view<u256> function{"underWay", 3};
  std::uint16_t organisation = 0;
};

struct training_created {
  static constexpr abi::event event{"TrainingCreated", {2, 3}};
  std::string name;
  address training;
  address creator;
  bool operator==(const training_created&) const = default;
};
struct training_retired {
  static constexpr abi::event event{"TrainingRetired", {1}};
  address training;
  bool operator==(const training_retired&) const = default;
};
using training_registry_event = std::variant<training_created, training_retired>;

struct training_registry_interface {
  static constexpr std::string_view name = "TrainingRegistry";
  using functions = type_list<create_training_args, training_address_of_args, training_count_args,
                              training_names_args, trainings_under_way_args>;
  using event = training_registry_event;
};

} // namespace swarm::contracts
