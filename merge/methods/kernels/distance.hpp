#pragma once

#include "merge/model/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

/// Sums over many elements. What they give depends on nothing but the elements: they are added in double,
/// element i into lane i % 8, 256 elements at a time, and the lanes in their order, on every machine. Whoever
/// adds up parts of a model in a fixed order gets the same bits wherever the parts come from.
namespace swarm::merge {

/// How many pairs there are of `models` models.
constexpr std::size_t pair_count(std::size_t models) {
  return models * (models - 1) / 2;
}

/// out[p] = sum over i of (inputs[a][i] - inputs[b][i])^2 for `count` elements of a floating type; the pairs
/// (a, b), a < b, in the order (0,1), (0,2), ..., (1,2), ... On the calling thread.
void squared_distances(dtype type, std::span<const std::uint8_t* const> inputs, std::size_t count,
                       std::span<double> out);
/// out[k] = the same between inputs[k] and `from`.
void squared_distances_from(dtype type, const std::uint8_t* from, std::span<const std::uint8_t* const> inputs,
                            std::size_t count, std::span<double> out);

} // namespace swarm::merge
