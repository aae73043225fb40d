#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

// Kind bytes are part of every chain's state and never reused.
inline constexpr std::uint8_t node_registry_kind = 11; ///< 1 was one whose registrations nobody vouched for
inline constexpr std::uint8_t training_registry_kind = 2;
inline constexpr std::uint8_t training_kind = 4; ///< 3 was a Training whose reasons were texts
inline constexpr std::uint8_t task_registry_kind = 5;
inline constexpr std::uint8_t taskrunner_registry_kind = 6;
inline constexpr std::uint8_t taskrunner_kind = 9; ///< 7 and 8 are contracts of the ledger's own tests
inline constexpr std::uint8_t organisation_registry_kind = 10;

/// Every contract a chain knows, and those that exist from genesis: the registries of nodes, organisations, trainings,
/// tasks and taskrunners, the default training and the default taskrunner.
ledger::native_contract_set make_contracts();

} // namespace swarm::contracts
