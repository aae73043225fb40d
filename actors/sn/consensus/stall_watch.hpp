#pragma once

#include "base/clock.hpp"
#include "ledger/consensus/qbft_machine.hpp"

namespace swarm::actors {

/// Notices that work waits for a block and that too few validators speak to decide it, and says what the
/// operators are to do: a chain never halts without a word. Pure.
class stall_watch {
public:
  /// Longer than the rounds that a validator takes which is started again.
  static constexpr duration patience = std::chrono::seconds(20);

  /// To be called every now and then. Returns true when there is something new to log, once for each block.
  bool look(const consensus::machine_status& now, std::size_t validators, time_point at);
  /// What is wrong and what to do; empty when nothing is.
  const std::string& text() const { return text_; }

private:
  std::uint64_t block_num_ = 0;
  std::optional<time_point> since_; ///< work waits for that block
  bool told_ = false;
  std::string text_;
};

} // namespace swarm::actors
