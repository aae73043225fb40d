#pragma once

#include "merge/model/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace swarm::merge {

/// Weights for `weighted_mean`, all multiplied by one power of two so that their sum is in [0.5, 1). So
/// ratios stay exact, no sum can overflow, and equal inputs with small whole numbers as weights give the same
/// input again.
struct mean_weights {
  std::vector<double> each;
  double sum = 0;
};
/// Every weight must be finite and >= 0, and at least one > 0 (asserted).
mean_weights scale_weights(std::span<const double> weights);

/// out[i] = sum over k of weights[k] * inputs[k][i], divided by the sum of the weights, for `count` elements,
/// on the calling thread. It computes in double (64-bit integers in 113 bits), adds contributions in order
/// and rounds once at the end: to nearest, ties to even. BOOL is true where the trues weigh more than the
/// falses. Inputs with weight 0 are not read. Pointers must be aligned to the element size, and `out` must
/// not overlap an input.
void weighted_mean(dtype type, std::span<const std::uint8_t* const> inputs, const mean_weights& weights,
                   std::uint8_t* out, std::size_t count);
/// The same on all TBB threads of the calling arena.
void weighted_mean_parallel(dtype type, std::span<const std::uint8_t* const> inputs,
                            const mean_weights& weights, std::uint8_t* out, std::size_t count);

/// How many of `count` elements are NaN or infinite; 0 for integers and BOOL.
std::size_t count_non_finite(dtype type, const std::uint8_t* data, std::size_t count);

} // namespace swarm::merge
