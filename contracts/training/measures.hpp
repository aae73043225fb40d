#pragma once

#include "base/merge_method.hpp"
#include "base/result.hpp"

#include <span>
#include <vector>

/// What the models of a round are measured to, before a merge is made in shards by a method that looks at whole models: so many
/// sums of each unit (sharding.hpp), which their makers commit, and their totals, from which follows how models are merged by
/// single elements (merge/methods/method.hpp). Sums are doubles, none negative, and added up as in base/sum_tree.hpp. Pure.
namespace swarm::contracts {

/// So many models at most are measured in shards: the sums of a unit grow with the square of their number.
inline constexpr std::size_t measured_models_max = 16;

/// How many sums a unit of so many models is measured to; 0 for a method that needs none, or whose merges are made as a whole.
std::size_t sums_of(const merge_method& method, std::size_t models);

/// Sums as words of 32 bytes: four each, in big-endian order, zeros behind the last one.
std::vector<hash32> pack_sums(std::span<const double> sums);
constexpr std::size_t words_of_sums(std::size_t sums) {
  return (sums + 3) / 4;
}
/// `count` sums. Fails for another number of words, and for what is no sum: NaN, negative ones and -0, or bits behind the last.
/// A sum may be infinite, where double was not enough.
result<std::vector<double>> unpack_sums(std::span<const hash32> words, std::size_t count);

/// By which whoever measures a unit again sees whether it is what was committed.
hash32 digest_of_sums(std::span<const hash32> words);

} // namespace swarm::contracts
