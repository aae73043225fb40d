#include "merge/methods/kernels.hpp"

#include "base/assert.hpp"
#include "merge/methods/kernels/codec.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <cstring>

// This file is compiled with -ffp-contract=off: fused multiply-add on some machines only
// would change results.

namespace swarm::merge {

using namespace detail;

namespace {

/// Elements whose double sums stay in the first-level cache between two groups of inputs.
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

/// 64-bit integers do not fit into a double; such tensors are small and rare.
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
