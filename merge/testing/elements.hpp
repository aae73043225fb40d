#pragma once

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/model/dtype.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

/// Elements of every type, made and read one at a time: for the naive twins of the kernels.
namespace swarm::merge::testing {

inline constexpr std::array all_types{dtype::boolean, dtype::u8,   dtype::i8,  dtype::i16, dtype::u16,
                                      dtype::f16,     dtype::bf16, dtype::i32, dtype::u32, dtype::f32,
                                      dtype::f64,     dtype::i64,  dtype::u64};

// The naive twin works on one element at a time, in long double, by table or by search where the
// kernels have tricks.

inline long double f16_value(std::uint16_t x) {
  const int exponent = x >> 10 & 31;
  const auto mantissa = static_cast<long double>(x & 1023);
  const auto magnitude = exponent == 31  ? (mantissa == 0 ? std::numeric_limits<long double>::infinity()
                                                          : std::numeric_limits<long double>::quiet_NaN())
                         : exponent == 0 ? std::ldexp(mantissa, -24)
                                         : std::ldexp(1024 + mantissa, exponent - 25);
  return (x & 0x8000) != 0 ? -magnitude : magnitude;
}

inline long double bf16_value(std::uint16_t x) {
  return std::bit_cast<float>(std::uint32_t{x} << 16);
}

/// The code in [0, infinity) whose value is nearest to `magnitude`, ties to the even code; codes
/// rise with values.
template <class Value>
std::uint16_t nearest_code(long double magnitude, std::uint16_t infinity, const Value& value) {
  std::uint16_t low = 0, high = infinity;
  while (high - low > 1) {
    const auto middle = static_cast<std::uint16_t>((low + high) / 2);
    (value(middle) <= magnitude ? low : high) = middle;
  }
  const auto below = magnitude - value(low), above = value(high) - magnitude;
  return below < above || (below == above && low % 2 == 0) ? low : high;
}

template <class T>
T get(const bytes& from, std::size_t i) {
  T out;
  std::memcpy(&out, from.data() + i * sizeof(T), sizeof(T));
  return out;
}

inline long double value_at(dtype type, const bytes& from, std::size_t i) {
  switch (type) {
  case dtype::boolean:
    return from[i] != 0;
  case dtype::u8:
    return from[i];
  case dtype::i8:
    return get<std::int8_t>(from, i);
  case dtype::i16:
    return get<std::int16_t>(from, i);
  case dtype::u16:
    return get<std::uint16_t>(from, i);
  case dtype::f16:
    return f16_value(get<std::uint16_t>(from, i));
  case dtype::bf16:
    return bf16_value(get<std::uint16_t>(from, i));
  case dtype::i32:
    return get<std::int32_t>(from, i);
  case dtype::u32:
    return get<std::uint32_t>(from, i);
  case dtype::f32:
    return get<float>(from, i);
  case dtype::f64:
    return get<double>(from, i);
  case dtype::i64:
    return get<std::int64_t>(from, i);
  case dtype::u64:
    return get<std::uint64_t>(from, i);
  }
  return 0;
}

/// Finite elements of all sizes, with zeros, extremes and subnormals among them.
inline bytes random_elements(dtype type, std::size_t count, seeded_random& random) {
  bytes out(count * size_of(type));
  for (auto& byte : out)
    byte = static_cast<std::uint8_t>(random());
  if (type == dtype::boolean) {
    for (auto& byte : out)
      byte &= 1;
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto* at = out.data() + i * size_of(type);
    if (random.below(8) == 0) std::memset(at, 0, size_of(type));
    while (count_non_finite(type, at, 1) != 0)
      at[size_of(type) - 1] = static_cast<std::uint8_t>(random());
  }
  return out;
}

inline std::vector<const std::uint8_t*> pointers(const std::vector<bytes>& from) {
  std::vector<const std::uint8_t*> out;
  for (const auto& one : from)
    out.push_back(one.data());
  return out;
}

} // namespace swarm::merge::testing
