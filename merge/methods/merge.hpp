#pragma once

#include "base/merge_method.hpp"
#include "merge/methods/method.hpp"
#include "merge/store/model_store.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace swarm::merge {

using swarm::merge_method;

struct contribution {
  std::shared_ptr<const model_file> file;
  double weight = 1; ///< finite, >= 0; only ratios matter
  std::string label; ///< names the contributor in messages
};

enum class exclusion_cause { other_parameters, not_finite };

struct exclusion {
  std::string label;
  std::string reason; ///< one line, ready for a person
  exclusion_cause cause = exclusion_cause::other_parameters;
};

struct merged {
  hash32 digest;
  std::uint64_t size = 0;
  std::shared_ptr<const model_file> file;
  std::vector<exclusion> excluded; ///< in the order of the contributions
};

/// Makes the algorithm of a custom method for models with these weights, all finite and > 0.
using algorithm_maker =
    std::function<result<std::unique_ptr<merge_algorithm>>(std::span<const double> weights)>;

/// Called from the merging thread with bytes done and in all, of the look at whole models that some methods
/// take and then of the output; returning false cancels the merge.
using merge_progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Merges into a new model of `out`. Contributions whose tensors are not where this project writes them, whose layout is not
/// the commonest one (the earliest of equally common ones), or with NaN or infinite values in a tensor that is not the same in all, are left
/// out and named; the weights of the others keep their ratios. The method has the tensors of floating type
/// that are not the same in all contributions; what becomes of the others: `treatment`. Runs on TBB, with memory for a few blocks whatever the size of the models. The result
/// is the same on every machine, for every number of threads and for every order of the contributions that
/// are merged. Errors: nothing_to_merge, bad_weight, errc::cancelled, those of the store; for a custom method
/// those of `custom`, and not_implemented without it.
result<merged> merge_models(const merge_method& method, std::span<const contribution> contributions,
                            model_store& out, const merge_progress& progress = {},
                            const algorithm_maker& custom = {});

} // namespace swarm::merge
