#pragma once

#include "base/merge_method.hpp"
#include "merge/model/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace swarm::merge {

/// One way to make one model of several, for models that somebody else walks through: part by part, a part
/// being a run of elements of one tensor. A method that needs to see whole models first is handed each part
/// of floating type twice: `measure` makes a few sums of each, whoever walks adds them up in the order of the
/// parts, and `decide` gets the totals. The result is the same on every machine and for every number of
/// threads, as long as the parts are.
class merge_algorithm {
public:
  virtual ~merge_algorithm() = default;

  /// How many sums `measure` makes; 0 for a method that goes by single elements, which is not measured.
  virtual std::size_t measures() const { return 0; }
  /// Fills `sums` for `count` elements of a floating type; from many threads at once.
  virtual void measure(dtype, std::span<const std::uint8_t* const> /*inputs*/, std::size_t /*count*/,
                       std::span<double> /*sums*/) const {}
  /// Called once, after everything is measured, also when there was nothing to measure.
  virtual void decide(std::span<const double> /*totals*/) {}

  /// out[i] from inputs[k][i], k in the order of the weights, for `count` elements of any type. Called from
  /// many threads at once; each element must depend on nothing but its inputs and what `decide` found.
  virtual void combine(dtype type, std::span<const std::uint8_t* const> inputs, std::uint8_t* out,
                       std::size_t count) const = 0;
  /// What went wrong while combining; asked from one thread, between two blocks.
  virtual result<> outcome() const { return {}; }
  /// True when NaN and infinity in an input are so in the result, so that only the result need be looked at.
  virtual bool shows_non_finite() const { return false; }
};

/// For models with these weights, all finite and > 0. `method` is none that needs a library.
std::unique_ptr<merge_algorithm> make_algorithm(const merge_method& method, std::span<const double> weights);

} // namespace swarm::merge
