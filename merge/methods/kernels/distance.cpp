#include "merge/methods/kernels/distance.hpp"

#include "base/assert.hpp"
#include "merge/methods/kernels/codec.hpp"

#include <array>
#include <vector>

namespace swarm::merge {

using namespace detail;

namespace {

constexpr std::size_t width = 256; ///< elements of each model that are in the first-level cache as doubles
constexpr std::size_t lanes = 32;  ///< enough sums side by side that none waits for the one before it

struct distance_job {
  const std::uint8_t* const* inputs;
  std::size_t models;
  std::size_t count;
  bool only_from_first; ///< the pairs (0, b) only
  double* sums;         ///< `lanes` for each pair
};

/// Adds the squared differences of two rows to the lanes of their pair.
SWARM_INLINE void add_pair(const double* __restrict a, const double* __restrict b, double* __restrict sums) {
  double part[lanes];
  for (std::size_t l = 0; l < lanes; ++l)
    part[l] = sums[l];
  for (std::size_t i = 0; i < width; i += lanes) {
    for (std::size_t l = 0; l < lanes; ++l) {
      const double difference = a[i + l] - b[i + l];
      part[l] += difference * difference;
    }
  }
  for (std::size_t l = 0; l < lanes; ++l)
    sums[l] = part[l];
}

template <class Codec>
SWARM_INLINE void distances_of(const distance_job& job) {
  using stored = typename Codec::stored;
  aligned_buffer<double> rows(job.models * width);
  for (std::size_t begin = 0; begin < job.count; begin += width) {
    const auto count = std::min(width, job.count - begin);
    for (std::size_t k = 0; k < job.models; ++k) {
      const auto* from = job.inputs[k] + begin * sizeof(stored);
      double* const __restrict row = rows.data() + k * width;
      for (std::size_t i = 0; i < count; ++i)
        row[i] = Codec::load(get<stored>(from, i));
      for (std::size_t i = count; i < width; ++i)
        row[i] = 0; // adds nothing to any distance
    }
    const auto next = std::min(width, job.count - begin - count);
    prefetch(job.inputs, job.models, (begin + count) * sizeof(stored),
             (begin + count + next) * sizeof(stored));
    double* sums = job.sums;
    for (std::size_t a = 0; a + 1 < job.models; ++a) {
      for (auto b = a + 1; b < job.models; ++b, sums += lanes)
        add_pair(rows.data() + a * width, rows.data() + b * width, sums);
      if (job.only_from_first) break;
    }
  }
}

SWARM_CLONES void distances_f16(const distance_job& job) {
  distances_of<f16_codec>(job);
}
SWARM_CLONES void distances_bf16(const distance_job& job) {
  distances_of<bf16_codec>(job);
}
SWARM_CLONES void distances_f32(const distance_job& job) {
  distances_of<float_codec<float>>(job);
}
SWARM_CLONES void distances_f64(const distance_job& job) {
  distances_of<float_codec<double>>(job);
}

void run(dtype type, std::span<const std::uint8_t* const> inputs, std::size_t count, bool only_from_first,
         std::span<double> out) {
  SWARM_ASSERT(is_floating(type));
  aligned_buffer<double> sums(out.size() * lanes);
  const distance_job job{inputs.data(), inputs.size(), count, only_from_first, sums.data()};
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
