#include "merge/methods/kernels/order.hpp"

#include "base/assert.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/kernels/codec.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <ranges>

// Elements are taken in rows: row k holds the keys of the next `width` elements of input k. A sorting network
// compares whole rows, lane by lane, so that each of its steps is a minimum and a maximum of vectors.
namespace swarm::merge {

using namespace detail;

namespace {

constexpr std::size_t width = 128;

/// Sorts two rows: afterwards no lane of `high` is below that of `low`.
struct comparator {
  std::uint32_t low;
  std::uint32_t high;
};

/// Batcher's merge exchange for any number of rows (Knuth, The Art of Computer Programming 5.2.2, algorithm
/// M), without the comparators that have no bearing on rows [first, last].
std::vector<comparator> make_network(std::uint32_t rows, std::uint32_t first, std::uint32_t last) {
  std::vector<comparator> all;
  const auto top = rows > 1 ? std::bit_ceil(rows) / 2 : 0;
  for (auto p = top; p > 0; p /= 2) {
    auto q = top;
    std::uint32_t r = 0;
    for (auto d = p;; d = q - p, q /= 2, r = p) {
      for (std::uint32_t i = 0; i + d < rows; ++i)
        if ((i & p) == r) all.push_back({i, i + d});
      if (q == p) break;
    }
  }
  std::vector<bool> wanted(rows, false);
  std::fill(wanted.begin() + first, wanted.begin() + last + 1, true);
  std::vector<comparator> needed;
  for (const auto& one : std::views::reverse(all)) {
    if (!wanted[one.low] && !wanted[one.high]) continue;
    wanted[one.low] = wanted[one.high] = true;
    needed.push_back(one);
  }
  return {needed.rbegin(), needed.rend()};
}

struct order_job {
  const std::uint8_t* const* inputs;
  std::uint32_t models;
  std::uint8_t* out;
  std::size_t count;
  // With equal weights: the mean of rows [first, last] once they are sorted.
  std::vector<comparator> network;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  // With unequal ones: what each weighs, and what is taken away at either end; 0 for the median.
  const std::uint32_t* weights = nullptr;
  const double* factors = nullptr; ///< the weights, for sums
  std::uint32_t weight_sum = 0;
  std::uint32_t cut = 0;
};

template <class Codec>
SWARM_INLINE void load_rows(const order_job& job, std::size_t begin, std::size_t count,
                            typename Codec::key* rows) {
  using stored = typename Codec::stored;
  for (std::uint32_t k = 0; k < job.models; ++k) {
    const auto* from = job.inputs[k] + begin * sizeof(stored);
    auto* const __restrict row = rows + k * width;
    for (std::size_t i = 0; i < count; ++i)
      row[i] = Codec::key_of(get<stored>(from, i));
  }
}

template <class Key>
SWARM_INLINE void sort_rows(const std::vector<comparator>& network, Key* rows) {
  for (const auto& step : network) {
    Key* const __restrict low = rows + step.low * width;
    Key* const __restrict high = rows + step.high * width;
    for (std::size_t i = 0; i < width; ++i) {
      const auto a = low[i], b = high[i];
      low[i] = b < a ? b : a;
      high[i] = b < a ? a : b;
    }
  }
}

/// A key taken over as it is, or what lies halfway between two.
template <class Codec>
SWARM_INLINE typename Codec::stored halfway(typename Codec::key low, typename Codec::key high) {
  using real = typename Codec::real;
  const auto half = static_cast<real>(0.5);
  const auto a = Codec::from_key(low), b = Codec::from_key(high);
  const auto middle = Codec::store(half * Codec::load(a) + half * Codec::load(b));
  return low == high ? a : middle;
}

template <class Codec>
SWARM_INLINE void put(const order_job& job, std::size_t i, typename Codec::stored value) {
  std::memcpy(job.out + i * sizeof(value), &value, sizeof(value));
}

/// Median and trimmed mean of models that weigh the same.
template <class Codec>
SWARM_INLINE void order_equal(const order_job& job, std::size_t begin, std::size_t count,
                              typename Codec::key* rows) {
  using real = typename Codec::real;
  sort_rows(job.network, rows);
  if (job.last - job.first <= 1) {
    const auto* const low = rows + job.first * width;
    const auto* const high = rows + job.last * width;
    for (std::size_t i = 0; i < count; ++i)
      put<Codec>(job, begin + i, halfway<Codec>(low[i], high[i]));
    return;
  }
  const auto kept = job.last - job.first + 1;
  const auto unit = static_cast<real>(1) / static_cast<real>(std::bit_ceil(kept)); // so that no sum overflows
  real sums[width];
  for (std::size_t i = 0; i < width; ++i)
    sums[i] = unit * Codec::load(Codec::from_key(rows[job.first * width + i]));
  for (auto k = job.first + 1; k <= job.last; ++k)
    for (std::size_t i = 0; i < width; ++i)
      sums[i] += unit * Codec::load(Codec::from_key(rows[k * width + i]));
  const auto divisor = unit * static_cast<real>(kept);
  for (std::size_t i = 0; i < count; ++i)
    put<Codec>(job, begin + i, Codec::store(sums[i] / divisor));
}

/// below[i] = what the models weigh that come before model k in lane i, those of the same value by their
/// order.
template <class Key>
SWARM_INLINE void weigh_below(const order_job& job, const Key* rows, std::uint32_t k, Key* __restrict below) {
  const Key* const own = rows + k * width;
  for (std::size_t i = 0; i < width; ++i)
    below[i] = 0;
  for (std::uint32_t j = 0; j < job.models; ++j) {
    const Key* const other = rows + j * width;
    const auto weight = static_cast<Key>(job.weights[j]);
    if (j < k) {
      for (std::size_t i = 0; i < width; ++i)
        below[i] += other[i] <= own[i] ? weight : 0;
    } else if (j > k) {
      for (std::size_t i = 0; i < width; ++i)
        below[i] += other[i] < own[i] ? weight : 0;
    }
  }
}

/// The same with unequal weights. Comparing all with all beats sorting keys with their weights, as it needs
/// no branch.
template <class Codec>
SWARM_INLINE void order_weighted(const order_job& job, std::size_t begin, std::size_t count,
                                 const typename Codec::key* rows) {
  using key = typename Codec::key;
  using real = typename Codec::real;
  const auto all = static_cast<key>(job.weight_sum);
  const auto slack = static_cast<key>(job.models); // what rounding the weights may add up to
  const auto cut = static_cast<key>(job.cut);
  key below[width], low[width], high[width];
  real kept[width], sums[width];
  for (std::size_t i = 0; i < width; ++i) {
    low[i] = std::numeric_limits<key>::max();
    high[i] = std::numeric_limits<key>::min();
    kept[i] = 0;
    sums[i] = 0;
  }
  for (std::uint32_t k = 0; k < job.models; ++k) {
    const auto* const own = rows + k * width;
    const auto weight = static_cast<key>(job.weights[k]);
    weigh_below(job, rows, k, below);
    for (std::size_t i = 0; i < width; ++i) {
      const bool reaches_half = 2 * (below[i] + weight + slack) >= all;
      const bool starts_by_half = 2 * (below[i] - slack) <= all;
      low[i] = reaches_half && own[i] < low[i] ? own[i] : low[i];
      high[i] = starts_by_half && own[i] > high[i] ? own[i] : high[i];
    }
    if (cut == 0) continue;
    for (auto& each : below) {
      const bool keep = each + slack >= cut && all - each - weight + slack >= cut;
      each = keep ? 1 : 0;
    }
    const auto factor = static_cast<real>(job.factors[k]);
    for (std::size_t i = 0; i < width; ++i) {
      const auto counted = factor * static_cast<real>(below[i]);
      kept[i] += counted;
      sums[i] += counted * Codec::load(Codec::from_key(own[i]));
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto median = halfway<Codec>(low[i], high[i]);
    const auto divisor = kept[i] > 0 ? kept[i] : static_cast<real>(1);
    const auto mean = Codec::store(sums[i] / divisor);
    put<Codec>(job, begin + i, kept[i] > 0 ? mean : median);
  }
}

template <class Codec>
SWARM_INLINE void order_of(const order_job& job) {
  using key = typename Codec::key;
  aligned_buffer<key> rows(job.models * width); // lanes past the end hold zeros
  for (std::size_t begin = 0; begin < job.count; begin += width) {
    const auto count = std::min(width, job.count - begin);
    load_rows<Codec>(job, begin, count, rows.data());
    const auto next = begin + count;
    prefetch(job.inputs, job.models, next * sizeof(typename Codec::stored),
             std::min(next + width, job.count) * sizeof(typename Codec::stored));
    if (job.weights == nullptr)
      order_equal<Codec>(job, begin, count, rows.data());
    else
      order_weighted<Codec>(job, begin, count, rows.data());
  }
}

SWARM_CLONES void order_bool(const order_job& job) {
  order_of<bool_codec>(job);
}
SWARM_CLONES void order_u8(const order_job& job) {
  order_of<integer_codec<std::uint8_t>>(job);
}
SWARM_CLONES void order_i8(const order_job& job) {
  order_of<integer_codec<std::int8_t>>(job);
}
SWARM_CLONES void order_i16(const order_job& job) {
  order_of<integer_codec<std::int16_t>>(job);
}
SWARM_CLONES void order_u16(const order_job& job) {
  order_of<integer_codec<std::uint16_t>>(job);
}
SWARM_CLONES void order_f16(const order_job& job) {
  order_of<f16_codec>(job);
}
SWARM_CLONES void order_bf16(const order_job& job) {
  order_of<bf16_codec>(job);
}
SWARM_CLONES void order_i32(const order_job& job) {
  order_of<integer_codec<std::int32_t>>(job);
}
SWARM_CLONES void order_u32(const order_job& job) {
  order_of<integer_codec<std::uint32_t>>(job);
}
SWARM_CLONES void order_f32(const order_job& job) {
  order_of<float_codec<float>>(job);
}
SWARM_CLONES void order_f64(const order_job& job) {
  order_of<float_codec<double>>(job);
}
void order_i64(const order_job& job) {
  order_of<wide_codec<std::int64_t>>(job);
}
void order_u64(const order_job& job) {
  order_of<wide_codec<std::uint64_t>>(job);
}

using order_function = void (*)(const order_job&);
/// In the order of `dtype`.
constexpr std::array<order_function, 13> order_functions{
    order_bool, order_u8,  order_i8,  order_i16, order_u16, order_f16, order_bf16,
    order_i32,  order_u32, order_f32, order_f64, order_i64, order_u64};

void run(dtype type, const order_job& job) {
  if (job.count > 0) order_functions.at(static_cast<std::size_t>(type))(job);
}

order_job make_job(std::span<const std::uint8_t* const> inputs, const rank_weights& weights,
                   std::uint8_t* out, std::size_t count) {
  SWARM_ASSERT(!inputs.empty() && inputs.size() == weights.each.size());
  order_job job{};
  job.inputs = inputs.data();
  job.models = static_cast<std::uint32_t>(inputs.size());
  job.out = out;
  job.count = count;
  if (!weights.equal) {
    job.weights = weights.each.data();
    job.factors = weights.exact.data();
    job.weight_sum = weights.sum;
  }
  return job;
}

void take_rows(order_job& job, std::uint32_t first, std::uint32_t last) {
  job.first = first;
  job.last = last;
  job.network = make_network(job.models, first, last);
}

} // namespace

rank_weights make_rank_weights(std::span<const double> weights) {
  constexpr std::size_t models_max = 1024;
  constexpr double whole = 0x1p29;
  SWARM_ASSERT(!weights.empty() && weights.size() <= models_max);
  const auto scaled = scale_weights(weights);
  rank_weights out;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    SWARM_ASSERT(weights[k] > 0);
    out.each.push_back(
        std::max(1u, static_cast<std::uint32_t>(std::nearbyint(scaled.each[k] / scaled.sum * whole))));
    out.sum += out.each.back();
    out.equal = out.equal && weights[k] == weights.front();
  }
  out.exact = scaled.each;
  return out;
}

void coordinate_median(dtype type, std::span<const std::uint8_t* const> inputs, const rank_weights& weights,
                       std::uint8_t* out, std::size_t count) {
  auto job = make_job(inputs, weights, out, count);
  if (weights.equal) take_rows(job, (job.models - 1) / 2, job.models / 2);
  run(type, job);
}

void trimmed_mean(dtype type, std::span<const std::uint8_t* const> inputs, const rank_weights& weights,
                  std::uint32_t cut, std::uint8_t* out, std::size_t count) {
  constexpr std::uint64_t whole = 1'000'000;
  SWARM_ASSERT(cut > 0 && cut < whole / 2);
  auto job = make_job(inputs, weights, out, count);
  if (weights.equal) {
    const auto away = static_cast<std::uint32_t>((std::uint64_t{cut} * job.models + whole - 1) / whole);
    if (2 * away >= job.models)
      take_rows(job, (job.models - 1) / 2, job.models / 2);
    else
      take_rows(job, away, job.models - 1 - away);
  } else {
    job.cut = static_cast<std::uint32_t>(std::uint64_t{cut} * weights.sum / whole);
  }
  run(type, job);
}

} // namespace swarm::merge
