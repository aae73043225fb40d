#pragma once

#include "merge/model/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace swarm::merge {

/// For elements that are no quantities: out[i] is the value that contributions with more than half of the
/// weight have in common, and the largest value where there is none, so that a counter never falls behind
/// all others. BOOL is true where the trues weigh more than the falses. For integers, BOOL and F64; on the
/// calling thread. Weights are finite and > 0, pointers are aligned to the element size; `out` overlaps no
/// input.
void elect(dtype type, std::span<const std::uint8_t* const> inputs, std::span<const double> weights,
           std::uint8_t* out, std::size_t count);

} // namespace swarm::merge
