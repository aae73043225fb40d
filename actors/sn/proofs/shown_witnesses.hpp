#pragma once

#include "ledger/proof/witness.hpp"

#include <deque>

namespace swarm::proofs {

/// Which nodes an SN has shown for which calls, so that it need not show them again to those who have them. Who
/// has them is not kept: somebody who says so and has not cannot use what he is shown. The newest are kept,
/// within a bound; somebody with an older one is shown everything. One thread at a time may use it.
class shown_witnesses {
public:
  static constexpr std::size_t nodes_max = std::size_t{128} * 1024;
  static constexpr std::size_t witnesses_max = 1024;

  /// The witness with this id; null when it is not kept.
  std::shared_ptr<const ledger::witness_set> find(const hash32& id) const;
  void keep(ledger::witness_set shown);
  std::size_t nodes() const { return nodes_; }

private:
  std::unordered_map<hash32, std::shared_ptr<const ledger::witness_set>> by_id_;
  std::deque<hash32> ids_; ///< the newest is the last one
  std::size_t nodes_ = 0;
};

} // namespace swarm::proofs
