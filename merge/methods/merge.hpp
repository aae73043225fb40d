#pragma once

#include "merge/store/model_store.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::merge {

enum class merge_method { mean, coordmedian, geomedian };
/// Reads "mean", "coordmedian" or "geomedian" in any case; an empty text is mean.
result<merge_method> parse_merge_method(std::string_view text);
std::string_view name_of(merge_method method);
/// Fails with merge_errc::not_implemented, and says what to use instead, for a method that this version
/// does not have.
result<> check_supported(merge_method method);

struct contribution {
  std::shared_ptr<const model_file> file;
  double weight = 1; ///< finite, >= 0; only ratios matter
  std::string label; ///< names the contributor in messages
};

struct exclusion {
  std::string label;
  std::string reason; ///< one line, ready for a person
};

struct merged {
  hash32 digest;
  std::uint64_t size = 0;
  std::shared_ptr<const model_file> file;
  std::vector<exclusion> excluded; ///< in the order of the contributions
};

/// Called from the merging thread with the output bytes done so far and in all; returning false
/// cancels the merge.
using merge_progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Merges into a new model of `out`. Contributions whose layout is not the commonest one (the earliest of
/// equally common ones), or with NaN or infinite values in a tensor that is not the same in all, are left
/// out and named; the weights of the others keep their ratios. The method has the tensors of floating type
/// that are not the same in all contributions; what becomes of the others: `treatment`. Runs on TBB, with
/// memory for a few blocks whatever the size of the models. The result is the same on every machine and for
/// every number of threads. Errors: nothing_to_merge, bad_weight, not_implemented, errc::cancelled, those of
/// the store.
result<merged> merge_models(merge_method method, std::span<const contribution> contributions,
                            model_store& out, const merge_progress& progress = {});

} // namespace swarm::merge
