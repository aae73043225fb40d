#pragma once

#include "ledger/formats/transaction.hpp"

#include <deque>

namespace swarm::simulator {

/// Transactions that somebody made. Each is a piece of work: nodes send each other its number only.
class work_book {
public:
  static constexpr std::uint64_t first_id = std::uint64_t{1} << 60;

  /// `txn` was signed here, so that its sender is known.
  std::uint64_t add(ledger::transaction txn) {
    txns_.push_back(std::move(txn));
    return first_id + txns_.size() - 1;
  }
  /// Null when the number is that of other work.
  const ledger::transaction* find(std::uint64_t id) const {
    return id >= first_id && id - first_id < txns_.size() ? &txns_[id - first_id] : nullptr;
  }

private:
  std::deque<ledger::transaction> txns_;
};

} // namespace swarm::simulator
