#pragma once

#include "base/u256.hpp"

#include <optional>

namespace swarm::ledger {

/// A call that leaves nothing behind: eth_call and eth_estimateGas.
struct call_request {
  address from;
  std::optional<address> to; ///< none asks for a new contract, which this chain refuses
  bytes input;
  u256 value;
  std::optional<std::uint64_t> gas_limit; ///< the block's when none
};

/// `reverted` and `out_of_gas` undo everything but the nonce.
enum class call_status : std::uint8_t { ok, reverted, out_of_gas };

struct call_result {
  call_status status = call_status::ok;
  std::uint64_t gas_used = 0; ///< with the intrinsic part
  bytes output;               ///< return value, or revert data when `reverted`
};

} // namespace swarm::ledger
