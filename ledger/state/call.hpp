#pragma once

#include "base/u256.hpp"

#include <optional>

namespace swarm::ledger {

/// A call that leaves nothing behind: eth_call and eth_estimateGas.
struct call_request {
  address from;
  std::optional<address> to; ///< without it a new contract is asked for, which this chain refuses
  bytes input;
  u256 value;
  std::optional<std::uint64_t> gas_limit; ///< without it the block's limit counts
};

/// `reverted` and `out_of_gas` undo everything but the nonce.
enum class call_status : std::uint8_t { ok, reverted, out_of_gas };

struct call_result {
  call_status status = call_status::ok;
  std::uint64_t gas_used = 0; ///< includes the intrinsic part
  bytes output;               ///< return value, or revert data when `reverted`
};

} // namespace swarm::ledger
