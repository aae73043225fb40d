#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/owner.hpp"
#include "contracts/runtime/page.hpp"

/// interfaces/ITaskrunnerRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005004, from genesis on.
constexpr address taskrunner_registry_address() {
  address out;
  out[18] = 0x50;
  out[19] = 0x04;
  return out;
}

inline constexpr std::uint32_t taskrunners_max = 4096; ///< of a chain without organisations
/// Of an organisation, or of an account where there are none.
inline constexpr std::uint32_t creator_taskrunners_max = 1024;

/// The answer is the address of the new taskrunner contract.
struct create_taskrunner_args {
  static constexpr abi::call<address> function{"create"};
  std::string name;
};
/// The answer is zero when there is no such contract.
struct taskrunner_address_of_args {
  static constexpr abi::view<address> function{"addressOf"};
  std::string name;
};
/// The organisation of the SWCI that created it.
struct taskrunner_owner_args {
  static constexpr abi::view<owner_view> function{"ownerOf"};
  std::string name;
};
struct taskrunner_count_args {
  static constexpr abi::view<u256> function{"count"};
};
struct taskrunner_names_args {
  static constexpr abi::view<std::vector<std::string>> function{"names"};
  u256 first;
  u256 count;
};

struct taskrunner_created {
  static constexpr abi::event event{"TaskrunnerCreated", {2, 3}};
  std::string name;
  address taskrunner;
  address creator;
  bool operator==(const taskrunner_created&) const = default;
};
using taskrunner_registry_event = std::variant<taskrunner_created>;

struct taskrunner_registry_interface {
  static constexpr std::string_view name = "TaskrunnerRegistry";
  using functions = type_list<create_taskrunner_args, taskrunner_address_of_args, taskrunner_owner_args,
                              taskrunner_count_args, taskrunner_names_args>;
  using event = taskrunner_registry_event;
};

} // namespace swarm::contracts
