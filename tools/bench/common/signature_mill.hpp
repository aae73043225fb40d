#pragma once

#include "ledger/formats/keys.hpp"

#include <chrono>
#include <cstdint>

namespace swarm::bench {

/// Recovers signatures on all cores and counts them. It shows how many the machine, as busy as it is, allows
/// to be checked. It may run several times; then the counts add up.
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
