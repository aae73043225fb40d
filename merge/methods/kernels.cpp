#include "merge/methods/kernels.hpp"

#include "base/assert.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

// This file is compiled with -ffp-contract=off, because fused multiply-add on some machines only would
// change results.
//
// Each loop exists for several instruction sets in one binary and the loader picks one. Sanitizers do not
// work that early, so their builds use the plain loops.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)        \
    && !defined(__SANITIZE_THREAD__)
#define SWARM_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SWARM_CLONES
#endif
#define SWARM_INLINE __attribute__((always_inline)) inline

namespace swarm::merge {

namespace {

#if defined(__SIZEOF_FLOAT128__)
__extension__ using wide_real = __float128;
#else
using wide_real = long double;
#endif
__extension__ using wide_int = __int128;

static_assert(std::endian::native == std::endian::little, "model files are little endian");

/// Rounds a double, ties to even, to a binary format with `digits` stored mantissa bits and smallest normal
/// exponent `exponent_min`: adding 1.5 * 2^52 units of the last place pushes out all bits below it.
template <int digits, int exponent_min>
SWARM_INLINE double round_to_format(double x) {
  constexpr std::uint64_t exponent_mask = 0x7ff;
  const auto raw = std::bit_cast<std::uint64_t>(x);
  const auto exponent = raw >> 52 & exponent_mask;
  const auto place = std::max<std::uint64_t>(exponent, 1023 + exponent_min) + 52 - digits;
  const auto pusher = std::bit_cast<double>((place & exponent_mask) << 52 | std::uint64_t{1} << 51);
  const auto rounded = std::bit_cast<std::uint64_t>((x + pusher) - pusher);
  constexpr auto sign = std::uint64_t{1} << 63;
  const auto finite = (rounded & ~sign) | (raw & sign); // -0 stays -0
  return std::bit_cast<double>(exponent == exponent_mask ? raw : finite);
}

// A codec reads a stored element as a double, and stores a double rounded to the nearest element.

template <class T>
struct float_codec {
  using stored = T;
  static SWARM_INLINE double load(T x) { return static_cast<double>(x); }
  static SWARM_INLINE T store(double x) { return static_cast<T>(x); }
};

template <class T>
struct integer_codec {
  static_assert(sizeof(T) <= 4);
  using stored = T;
  static SWARM_INLINE double load(T x) { return static_cast<double>(x); }
  /// The low bits of x + 1.5 * 2^52 are x as a two's complement integer, rounded to nearest even.
  static SWARM_INLINE T store(double x) {
    return static_cast<T>(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(x + 0x1.8p52)));
  }
};

/// Counts +1 for true and -1 for false, so that the sign of the sum is the majority.
struct bool_codec {
  using stored = std::uint8_t;
  static SWARM_INLINE double load(std::uint8_t x) { return x != 0 ? 1.0 : -1.0; }
  static SWARM_INLINE std::uint8_t store(double x) { return x > 0 ? 1 : 0; }
};

struct bf16_codec {
  using stored = std::uint16_t;
  static SWARM_INLINE double load(std::uint16_t x) {
    return static_cast<double>(std::bit_cast<float>(std::uint32_t{x} << 16));
  }
  static SWARM_INLINE std::uint16_t store(double x) {
    const auto exact = static_cast<float>(round_to_format<7, -126>(x));
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(exact) >> 16);
  }
};

/// Half and single precision differ by 13 mantissa bits and by 112 in the exponent's bias; multiplying by
/// 2^112 or its inverse also turns subnormal halves into normal floats and back.
struct f16_codec {
  using stored = std::uint16_t;
  static SWARM_INLINE double load(std::uint16_t x) {
    const auto magnitude = std::uint32_t{x} & 0x7fffu;
    const auto shifted = magnitude << 13;
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted) * 0x1p112f);
    const auto value = magnitude >= 0x7c00u ? shifted | 0x7f800000u : finite;
    return static_cast<double>(std::bit_cast<float>(value | (std::uint32_t{x} & 0x8000u) << 16));
  }
  static SWARM_INLINE std::uint16_t store(double x) {
    const auto raw = std::bit_cast<std::uint32_t>(static_cast<float>(round_to_format<10, -14>(x)));
    const auto magnitude = raw & 0x7fffffffu;
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p-112f) >> 13;
    const auto special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    return static_cast<std::uint16_t>((magnitude >= 0x7f800000u ? special : finite) | (raw >> 16 & 0x8000u));
  }
};

template <class T>
SWARM_INLINE T get(const std::uint8_t* from, std::size_t i) {
  T out;
  std::memcpy(&out, from + i * sizeof(T), sizeof(T));
  return out;
}

/// How many elements are summed at a time, so that the sums stay in the first-level cache between two
/// groups of inputs.
constexpr std::size_t block = 1024;
/// How many inputs are added in one pass over the sums.
constexpr std::size_t group_max = 8;

struct mean_job {
  const std::uint8_t* const* inputs;
  const double* weights;
  std::size_t input_count;
  double weight_sum;
  std::uint8_t* out;
};

/// Adds inputs [from, from + group) to the sums of `count` elements, in order. The first inputs begin the
/// sums (so that -0 stays -0), the last ones turn them into the mean.
template <class Codec, std::size_t group, bool first, bool last>
SWARM_INLINE void add_group(const mean_job& job, std::size_t from, double* sums, std::size_t begin,
                            std::size_t count) {
  using stored = typename Codec::stored;
  const std::uint8_t* inputs[group];
  double weights[group];
  for (std::size_t k = 0; k < group; ++k) {
    inputs[k] = job.inputs[from + k] + begin * sizeof(stored);
    weights[k] = job.weights[from + k];
  }
  const double weight_sum = job.weight_sum;
  std::uint8_t* const __restrict out = job.out + begin * sizeof(stored);
  for (std::size_t i = 0; i < count; ++i) {
    double sum = weights[0] * Codec::load(get<stored>(inputs[0], i));
    if constexpr (!first) sum = sums[i] + sum;
#pragma GCC unroll 8
    for (std::size_t k = 1; k < group; ++k)
      sum += weights[k] * Codec::load(get<stored>(inputs[k], i));
    if constexpr (last) {
      const stored mean = Codec::store(sum / weight_sum);
      std::memcpy(out + i * sizeof(stored), &mean, sizeof(stored));
    } else {
      sums[i] = sum;
    }
  }
}

/// Computes elements [begin, end). The number of inputs must be one that `padded_count` returns.
template <class Codec>
SWARM_INLINE void mean_of(const mean_job& job, std::size_t begin, std::size_t end) {
  if (job.input_count == 2) return add_group<Codec, 2, true, true>(job, 0, nullptr, begin, end - begin);
  if (job.input_count == 4) return add_group<Codec, 4, true, true>(job, 0, nullptr, begin, end - begin);
  if (job.input_count == 8) return add_group<Codec, 8, true, true>(job, 0, nullptr, begin, end - begin);
  alignas(64) double sums[block];
  for (; begin < end; begin += block) {
    const auto count = std::min(block, end - begin);
    add_group<Codec, group_max, true, false>(job, 0, sums, begin, count);
    std::size_t from = group_max;
    for (; job.input_count - from > group_max; from += group_max)
      add_group<Codec, group_max, false, false>(job, from, sums, begin, count);
    if (job.input_count - from == 4)
      add_group<Codec, 4, false, true>(job, from, sums, begin, count);
    else
      add_group<Codec, group_max, false, true>(job, from, sums, begin, count);
  }
}

/// Rounds the number of inputs up to 2, 4, or a multiple of 4, so that fewer kinds of loops are needed.
std::size_t padded_count(std::size_t count) {
  return count <= 2 ? 2 : (count + 3) / 4 * 4;
}

SWARM_CLONES void mean_bool(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<bool_codec>(job, begin, end);
}
SWARM_CLONES void mean_u8(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::uint8_t>>(job, begin, end);
}
SWARM_CLONES void mean_i8(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::int8_t>>(job, begin, end);
}
SWARM_CLONES void mean_i16(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::int16_t>>(job, begin, end);
}
SWARM_CLONES void mean_u16(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::uint16_t>>(job, begin, end);
}
SWARM_CLONES void mean_f16(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<f16_codec>(job, begin, end);
}
SWARM_CLONES void mean_bf16(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<bf16_codec>(job, begin, end);
}
SWARM_CLONES void mean_i32(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::int32_t>>(job, begin, end);
}
SWARM_CLONES void mean_u32(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<integer_codec<std::uint32_t>>(job, begin, end);
}
SWARM_CLONES void mean_f32(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<float_codec<float>>(job, begin, end);
}
SWARM_CLONES void mean_f64(const mean_job& job, std::size_t begin, std::size_t end) {
  mean_of<float_codec<double>>(job, begin, end);
}

template <class T>
T round_wide(wide_real x) {
  auto whole = static_cast<wide_int>(x); // towards zero
  const auto rest = x - static_cast<wide_real>(whole);
  const auto half = static_cast<wide_real>(0.5);
  const bool odd = (whole & 1) != 0;
  if (rest > half || (rest == half && odd)) whole += 1;
  if (rest < -half || (rest == -half && odd)) whole -= 1;
  return static_cast<T>(whole);
}

/// 64-bit integers do not fit into a double. This loop need not be fast, as such tensors are small and rare.
template <class T>
void mean_wide(const mean_job& job, std::size_t begin, std::size_t end) {
  wide_real weight_sum = 0; // a sum of doubles would be rounded
  for (std::size_t k = 0; k < job.input_count; ++k)
    weight_sum += static_cast<wide_real>(job.weights[k]);
  for (auto i = begin; i < end; ++i) {
    wide_real sum = 0;
    for (std::size_t k = 0; k < job.input_count; ++k)
      sum += static_cast<wide_real>(job.weights[k]) * static_cast<wide_real>(get<T>(job.inputs[k], i));
    const T mean = round_wide<T>(sum / weight_sum);
    std::memcpy(job.out + i * sizeof(T), &mean, sizeof(T));
  }
}

using mean_function = void (*)(const mean_job&, std::size_t, std::size_t);

mean_function mean_for(dtype type) {
  switch (type) {
  case dtype::boolean:
    return mean_bool;
  case dtype::u8:
    return mean_u8;
  case dtype::i8:
    return mean_i8;
  case dtype::i16:
    return mean_i16;
  case dtype::u16:
    return mean_u16;
  case dtype::f16:
    return mean_f16;
  case dtype::bf16:
    return mean_bf16;
  case dtype::i32:
    return mean_i32;
  case dtype::u32:
    return mean_u32;
  case dtype::f32:
    return mean_f32;
  case dtype::f64:
    return mean_f64;
  case dtype::i64:
    return mean_wide<std::int64_t>;
  case dtype::u64:
    return mean_wide<std::uint64_t>;
  }
  SWARM_ASSERT(false);
  return nullptr;
}

/// Counts elements whose exponent bits are all set.
template <class T, T exponent>
SWARM_INLINE std::size_t count_special(const std::uint8_t* data, std::size_t count) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i)
    found += (get<T>(data, i) & exponent) == exponent ? 1 : 0;
  return found;
}
SWARM_CLONES std::size_t special_f16(const std::uint8_t* data, std::size_t count) {
  return count_special<std::uint16_t, 0x7c00>(data, count);
}
SWARM_CLONES std::size_t special_bf16(const std::uint8_t* data, std::size_t count) {
  return count_special<std::uint16_t, 0x7f80>(data, count);
}
SWARM_CLONES std::size_t special_f32(const std::uint8_t* data, std::size_t count) {
  return count_special<std::uint32_t, 0x7f800000>(data, count);
}
SWARM_CLONES std::size_t special_f64(const std::uint8_t* data, std::size_t count) {
  return count_special<std::uint64_t, 0x7ff0000000000000>(data, count);
}

/// Calls `run(job, mean function)` with the inputs of weight 0 left out.
template <class Run>
void with_job(dtype type, std::span<const std::uint8_t* const> inputs, const mean_weights& weights,
              std::uint8_t* out, const Run& run) {
  SWARM_ASSERT(inputs.size() == weights.each.size() && weights.sum > 0);
  std::vector<const std::uint8_t*> used;
  std::vector<double> used_weights;
  used.reserve(inputs.size());
  used_weights.reserve(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (weights.each[k] == 0) continue;
    used.push_back(inputs[k]);
    used_weights.push_back(weights.each[k]);
  }
  // The last input is added again with weight 0. That adds a zero of its own sign, which changes no sum,
  // not even -0.
  const auto count = padded_count(used.size());
  used.resize(count, used.back());
  used_weights.resize(count, 0.0);
  run(mean_job{used.data(), used_weights.data(), used.size(), weights.sum, out}, mean_for(type));
}

} // namespace

mean_weights scale_weights(std::span<const double> weights) {
  mean_weights out;
  // The weights are scaled by the largest first, so that their sum cannot overflow.
  double largest = 0;
  for (const auto weight : weights) {
    SWARM_ASSERT(std::isfinite(weight) && weight >= 0);
    largest = std::max(largest, weight);
  }
  SWARM_ASSERT(largest > 0);
  for (const auto weight : weights)
    out.each.push_back(std::ldexp(weight, -std::ilogb(largest)));
  for (const auto weight : out.each)
    out.sum += weight;
  const int exponent = std::ilogb(out.sum) + 1;
  for (auto& weight : out.each)
    weight = std::ldexp(weight, -exponent);
  out.sum = std::ldexp(out.sum, -exponent);
  return out;
}

void weighted_mean(dtype type, std::span<const std::uint8_t* const> inputs, const mean_weights& weights,
                   std::uint8_t* out, std::size_t count) {
  with_job(type, inputs, weights, out, [&](const mean_job& job, mean_function mean) { mean(job, 0, count); });
}

void weighted_mean_parallel(dtype type, std::span<const std::uint8_t* const> inputs,
                            const mean_weights& weights, std::uint8_t* out, std::size_t count) {
  constexpr std::size_t grain = 64 * block;
  with_job(type, inputs, weights, out, [&](const mean_job& job, mean_function mean) {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count, grain),
                      [&](const auto& range) { mean(job, range.begin(), range.end()); });
  });
}

std::size_t count_non_finite(dtype type, const std::uint8_t* data, std::size_t count) {
  switch (type) {
  case dtype::f16:
    return special_f16(data, count);
  case dtype::bf16:
    return special_bf16(data, count);
  case dtype::f32:
    return special_f32(data, count);
  case dtype::f64:
    return special_f64(data, count);
  default:
    return 0;
  }
}

} // namespace swarm::merge
