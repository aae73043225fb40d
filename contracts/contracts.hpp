#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

// Kind bytes are part of every chain's state and never reused.
inline constexpr std::uint8_t node_registry_kind = 1;
inline constexpr std::uint8_t training_registry_kind = 2;
inline constexpr std::uint8_t training_kind = 4; ///< 3 was a Training whose reasons were texts

/// Every contract a chain knows, and those that exist from genesis: NodeRegistry, TrainingRegistry and the
/// default training.
ledger::native_contract_set make_contracts();

} // namespace swarm::contracts
