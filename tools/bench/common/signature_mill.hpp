#pragma once

#include "ledger/formats/keys.hpp"

#include <chrono>
#include <cstdint>

namespace swarm::bench {

/// Recovers signatures on all cores and counts: what a machine, busy as it is, allows whoever must check each of
/// them. May run again and again; then everything counts together.
class signature_mill {
public:
  signature_mill();
  void run(std::chrono::milliseconds how_long);
  double per_second() const { return static_cast<double>(recovered_) / seconds_; }

private:
  ledger::private_key key_;
  hash32 digest_;
  ledger::signature65 signature_;
  std::uint64_t recovered_ = 0;
  double seconds_ = 0;
};

} // namespace swarm::bench
