#pragma once

#include "base/bytes.hpp"

namespace swarm::ledger {

/// Gas bounds work; it has no price. The gas of a transaction's bytes and logs is Ethereum's, so that tools
/// can compute it. The rest keeps Ethereum's proportions but is this chain's own, since contracts are C++.
namespace gas {

inline constexpr std::uint64_t txn = 21'000;           ///< every transaction (Yellow Paper G_transaction)
inline constexpr std::uint64_t data_zero_byte = 4;     ///< of input (Yellow Paper G_txdatazero)
inline constexpr std::uint64_t data_byte = 16;         ///< of input, not zero (EIP-2028)
inline constexpr std::uint64_t access_account = 2'400; ///< in an access list, which has no other use here
inline constexpr std::uint64_t access_slot = 1'900;    ///< (both EIP-2930)
inline constexpr std::uint64_t log = 375;              ///< per event (Yellow Paper G_log)
inline constexpr std::uint64_t log_topic = 375;        ///< and topic (G_logtopic)
inline constexpr std::uint64_t log_byte = 8;           ///< and byte of data (G_logdata)
inline constexpr std::uint64_t load = 200;             ///< a slot or a look at an account (EIP-150's SLOAD)
inline constexpr std::uint64_t store_same = 200;       ///< a slot that keeps its value
inline constexpr std::uint64_t store_change = 2'000; ///< a slot in use that changes or is deleted: own choice
inline constexpr std::uint64_t store_new =
    5'000; ///< a slot that comes into use, so grows the state: own choice
inline constexpr std::uint64_t deploy = 32'000; ///< a new contract (Yellow Paper G_create)

} // namespace gas

/// Counts gas up to a limit.
class gas_meter {
public:
  explicit gas_meter(std::uint64_t limit) : limit_(limit) {}
  /// Returns false when the limit does not suffice; then all of it is used up.
  bool charge(std::uint64_t amount) {
    if (amount > limit_ - used_) {
      used_ = limit_;
      return false;
    }
    used_ += amount;
    return true;
  }
  std::uint64_t used() const { return used_; }

private:
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

} // namespace swarm::ledger
