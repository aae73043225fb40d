#include "contracts/training/client.hpp"

#include "contracts/abi/client_side.hpp"

#include <cmath>
#include <limits>

template struct swarm::contracts::abi::client_side<swarm::contracts::training_interface>;

namespace swarm::contracts {

namespace {
constexpr double micro_per_unit = 1e6;
constexpr auto not_a_number = std::numeric_limits<std::int64_t>::min();
} // namespace

std::int64_t to_micro(double value) {
  if (std::isnan(value)) return not_a_number;
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  constexpr double limit = 9223372036854775807.0; // 2^63 as a double
  const double scaled = value * micro_per_unit;
  if (scaled >= limit) return largest;
  if (scaled <= -limit) return -largest;
  return std::llround(scaled);
}
double from_micro(std::int64_t micro) {
  if (micro == not_a_number) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(micro) / micro_per_unit;
}

} // namespace swarm::contracts
