#pragma once

#include "merge/methods/merge.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace swarm::merge {

/// One way to make one model of several. A method that needs to see whole models first (geometric median:
/// distances) does so in `prepare`; the elements then come out of `combine`, block by block.
class merge_algorithm {
public:
  virtual ~merge_algorithm() = default;

  /// Called once. All files have equal layouts, all weights are finite and > 0.
  virtual result<> prepare(std::span<const model_file* const> files, std::span<const double> weights) = 0;
  /// out[i] from inputs[k][i], k in the order of `files`, for `count` elements. Called from many threads at
  /// once; each element must depend on nothing but its inputs and what `prepare` found.
  virtual void combine(dtype type, std::span<const std::uint8_t* const> inputs, std::uint8_t* out,
                       std::size_t count) const = 0;
};

/// merge_errc::not_implemented for a method that this version does not have.
result<std::unique_ptr<merge_algorithm>> make_algorithm(merge_method method);

} // namespace swarm::merge
