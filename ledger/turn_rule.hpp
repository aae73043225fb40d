#pragma once

#include "base/result.hpp"
#include "ledger/native_contract.hpp"

#include <span>

namespace swarm::ledger {

/// Which validators take their turns last, because they missed some: a proposer that is down or lies costs a round at
/// most once in a while, not each time the ring comes round to it. It is a rule of execution, so that all nodes agree on
/// whose turn it is. It reads every slot and writes those of `system_account`. Deterministic, as contracts are.
class turn_rule {
public:
  virtual ~turn_rule() = default;
  /// The validators that rest at `time`, sorted. `validators` are sorted. So many never rest that the others are no
  /// quorum.
  virtual std::vector<address> resting(contract_host& host, std::span<const address> validators,
                                       std::uint64_t time) const = 0;
  /// Notes, in the block that is built, that `who` of the validators have missed their turns.
  virtual void miss(contract_host& host, std::span<const address> who,
                    std::span<const address> validators) const = 0;
};

} // namespace swarm::ledger
