#pragma once

#include "merge/methods/merge.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace swarm::merge {

/// One way to make one model of several. A method that needs whole models first (geometric median needs
/// distances) reads them in `prepare`; `combine` then makes the elements, block by block.
class merge_algorithm {
public:
  virtual ~merge_algorithm() = default;

  /// Called once, with files of equal layouts and weights that are finite and > 0.
  virtual result<> prepare(std::span<const model_file* const> files, std::span<const double> weights) = 0;
  /// out[i] from inputs[k][i], k in the order of `files`, for `count` elements. It is called from many
  /// threads at once; each element may depend only on its inputs and on what `prepare` found.
  virtual void combine(dtype type, std::span<const std::uint8_t* const> inputs, std::uint8_t* out,
                       std::size_t count) const = 0;
};

/// Fails with merge_errc::not_implemented for a method that this version does not have.
result<std::unique_ptr<merge_algorithm>> make_algorithm(merge_method method);

} // namespace swarm::merge
