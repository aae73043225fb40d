#include "merge/methods/kernels/distance.hpp"

#include "base/assert.hpp"
#include "merge/methods/kernels/codec.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

namespace swarm::merge {

using namespace detail;

namespace {

constexpr std::size_t lanes = 8;
constexpr std::size_t width = 256; ///< elements of one block
constexpr std::size_t group = 4;   ///< models whose elements are in registers at a time, twice

// Vectors are handed to functions that are always inlined, so how they would be handed to others is of no
// matter.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif
using doubles __attribute__((vector_size(lanes * sizeof(double)), may_alias)) = double;

/// Written out, as compilers make one instruction of it; of __builtin_convertvector they make five.
template <class T>
SWARM_INLINE doubles load_lanes(const T* from) {
  const auto at = [from](std::size_t i) { return static_cast<double>(from[i]); };
  return doubles{at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)};
}

/// Where a block of each model begins, and the sums: `lanes` for each pair.
template <class T>
struct block {
  const T* const* models;
  std::size_t count;
  doubles* sums;

  /// The place of pair (a, b) among all.
  std::size_t pair(std::size_t a, std::size_t b) const { return a * count - a * (a + 1) / 2 + b - a - 1; }
};

/// The pairs of models [a, a + left) with models [b, b + group), or with `within`, where b is a, each pair
/// among them once. Models past the last one repeat it, and their pairs are dropped.
template <std::size_t left, bool within, class T>
SWARM_INLINE void add_tile(const block<T>& from, std::size_t a, std::size_t b) {
  static_assert(!within || left == group);
  const T* first[left];
  const T* second[group];
  doubles sums[left][group] = {};
  for (std::size_t i = 0; i < left; ++i)
    first[i] = from.models[std::min(a + i, from.count - 1)];
  for (std::size_t j = 0; j < group; ++j)
    second[j] = from.models[std::min(b + j, from.count - 1)];
  for (std::size_t at = 0; at < width; at += lanes) {
    doubles x[left];
    for (std::size_t i = 0; i < left; ++i)
      x[i] = load_lanes(first[i] + at);
    for (std::size_t j = 0; j < group; ++j) {
      const auto y = within ? x[j % left] : load_lanes(second[j] + at);
      for (std::size_t i = 0; i < left; ++i) {
        if (within && i >= j) continue; // in bounds that vary the loop would not be unrolled
        const auto difference = x[i] - y;
        sums[i][j] += difference * difference;
      }
    }
  }
  for (std::size_t i = 0; i < left; ++i)
    for (std::size_t j = 0; j < group; ++j)
      if (a + i < b + j && b + j < from.count) from.sums[from.pair(a + i, b + j)] += sums[i][j];
}

struct distance_job {
  const std::uint8_t* const* inputs;
  std::size_t models;
  std::size_t count;
  bool only_from_first; ///< the pairs (0, b) only
  doubles* sums;
};

template <class T>
SWARM_INLINE void add_block(const distance_job& job, const T* const* models) {
  const block<T> from{models, job.models, job.sums};
  if (job.only_from_first) {
    for (std::size_t b = 1; b < job.models; b += group)
      add_tile<1, false>(from, 0, b);
    return;
  }
  for (std::size_t a = 0; a < job.models; a += group) {
    for (auto b = a + group; b < job.models; b += group)
      add_tile<group, false>(from, a, b);
    add_tile<group, true>(from, a, a);
  }
}

/// Whole blocks of single and double precision are read where they are; halves, and what is left at the end,
/// are copied, with zeros behind them, which add nothing to any distance.
template <class Codec, class T>
SWARM_INLINE void distances_of(const distance_job& job) {
  using stored = typename Codec::stored;
  aligned_buffer<T> rows(job.models * width);
  std::vector<const T*> models(job.models);
  for (std::size_t begin = 0; begin < job.count; begin += width) {
    const auto count = std::min(width, job.count - begin);
    const bool in_place = std::is_same_v<stored, T> && count == width;
    for (std::size_t k = 0; k < job.models; ++k) {
      const auto* from = job.inputs[k] + begin * sizeof(stored);
      T* const row = rows.data() + k * width;
      models[k] = in_place ? reinterpret_cast<const T*>(from) : row;
      if (in_place) continue;
      for (std::size_t i = 0; i < width; ++i)
        row[i] = i < count ? static_cast<T>(Codec::load(get<stored>(from, std::min(i, count - 1)))) : 0;
    }
    add_block(job, models.data());
  }
}

SWARM_CLONES void distances_f16(const distance_job& job) {
  distances_of<f16_codec, float>(job);
}
SWARM_CLONES void distances_bf16(const distance_job& job) {
  distances_of<bf16_codec, float>(job);
}
SWARM_CLONES void distances_f32(const distance_job& job) {
  distances_of<float_codec<float>, float>(job);
}
SWARM_CLONES void distances_f64(const distance_job& job) {
  distances_of<float_codec<double>, double>(job);
}

void run(dtype type, std::span<const std::uint8_t* const> inputs, std::size_t count, bool only_from_first,
         std::span<double> out) {
  SWARM_ASSERT(is_floating(type));
  aligned_buffer<double> sums(out.size() * lanes);
  const distance_job job{inputs.data(), inputs.size(), count, only_from_first,
                         reinterpret_cast<doubles*>(sums.data())};
  switch (type) {
  case dtype::f16:
    distances_f16(job);
    break;
  case dtype::bf16:
    distances_bf16(job);
    break;
  case dtype::f32:
    distances_f32(job);
    break;
  default:
    distances_f64(job);
  }
  for (std::size_t p = 0; p < out.size(); ++p) {
    out[p] = 0;
    for (std::size_t l = 0; l < lanes; ++l)
      out[p] += sums.data()[p * lanes + l];
  }
}

} // namespace

void squared_distances(dtype type, std::span<const std::uint8_t* const> inputs, std::size_t count,
                       std::span<double> out) {
  SWARM_ASSERT(!inputs.empty() && out.size() == pair_count(inputs.size()));
  run(type, inputs, count, false, out);
}

void squared_distances_from(dtype type, const std::uint8_t* from, std::span<const std::uint8_t* const> inputs,
                            std::size_t count, std::span<double> out) {
  SWARM_ASSERT(out.size() == inputs.size());
  std::vector<const std::uint8_t*> all{from};
  all.insert(all.end(), inputs.begin(), inputs.end());
  run(type, all, count, true, out);
}

} // namespace swarm::merge
