#pragma once

#include "contracts/runtime/slots.hpp"

namespace swarm::contracts {

/// A list of accounts in a contract's storage: their number in one slot, and an array as Solidity keeps it. It has no
/// gaps: when one goes, the last takes its place.
class account_list {
public:
  account_list(const slots& in, const hash32& count_slot, const hash32& accounts_slot)
      : slots_(in), count_slot_(count_slot), accounts_slot_(accounts_slot) {}

  std::uint64_t size() const;
  address at(std::uint64_t index) const;
  /// Appends `account` and returns its index.
  std::uint32_t add(const address& account) const;
  /// Takes the account at `index` out and returns the one that is there now; zero when it was the last.
  address remove(std::uint64_t index) const;

private:
  slots slots_;
  hash32 count_slot_;
  hash32 accounts_slot_;
};

} // namespace swarm::contracts
