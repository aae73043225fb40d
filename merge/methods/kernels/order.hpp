#pragma once

#include "merge/model/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Merges that go by the order of the values at each place of the model.
namespace swarm::merge {

/// Weights as whole numbers with a sum of about 2^29, so that shares of the whole are exact sums: what two
/// models weigh together does not depend on which of them is added first, and ties are seen as ties.
struct rank_weights {
  std::vector<std::uint32_t> each;
  std::uint32_t sum = 0;
  bool equal = true;
  std::vector<double> exact; ///< as given, times one power of two; their sum is below 1
};
/// Every weight finite and > 0 (asserted), at most 1024 of them.
rank_weights make_rank_weights(std::span<const double> weights);

/// out[i] = the value below and above which lies at most half of all weight; halfway between two values when
/// both are that. A single value is taken over bit for bit, -0 counts as less than 0.
///
/// As everywhere here: `count` elements of any type, on the calling thread; finite values; rounded to
/// nearest, ties to even; `out` overlaps no input. The result does not depend on the order of the inputs.
void coordinate_median(dtype type, std::span<const std::uint8_t* const> inputs, const rank_weights& weights,
                       std::uint8_t* out, std::size_t count);

/// out[i] = the weighted mean of the values that are left when the smallest and the largest are taken away
/// until at least cut / 1000000 of all weight is gone at either end; the median where nothing would be left.
/// With equal weights that is ceil(cut * models / 1000000) values at either end: the coordinate-wise trimmed
/// mean of Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal
/// Statistical Rates", 2018. With unequal weights, the order of the inputs says which of two models with the
/// same value is taken away first, and how sums are rounded.
void trimmed_mean(dtype type, std::span<const std::uint8_t* const> inputs, const rank_weights& weights,
                  std::uint32_t cut, std::uint8_t* out, std::size_t count);

} // namespace swarm::merge
