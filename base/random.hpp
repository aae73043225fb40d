#pragma once

#include "base/bytes.hpp"

namespace swarm {

/// Fills `out` from the operating system's generator; for keys and identifiers.
void fill_random(std::span<std::uint8_t> out);

/// SplitMix64: a small seeded generator with the same sequence on every platform. For back-off jitter,
/// simulations and tests, never for keys. Satisfies UniformRandomBitGenerator.
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
class seeded_random {
public:
  using result_type = std::uint64_t;
  __extension__ using wide = unsigned __int128;
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// A number in [0, bound), bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<wide>((*this)()) * bound) >> 64);
  }

private:
  std::uint64_t state_;
};

} // namespace swarm
