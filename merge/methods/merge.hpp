#pragma once

#include "merge/store/model_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::merge {

enum class merge_method { mean, coordmedian, geomedian };
/// "mean", "coordmedian", "geomedian" in any case; empty is mean.
result<merge_method> parse_merge_method(std::string_view text);
std::string_view name_of(merge_method method);
/// merge_errc::not_implemented, with what to use instead, for a method that this version does not have.
result<> check_supported(merge_method method);

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

/// Called from the merging thread with bytes of output done and in all; returning false cancels the merge.
using merge_progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Merges into a new model of `out`. Contributions whose layout is not the commonest one (the earliest of
/// equally common ones), or with NaN or infinite values, are left out and named; the weights of the others
/// keep their ratios. Runs on TBB, with memory for a few blocks whatever the size of the models. The result
/// is the same on every machine and for every number of threads. Errors: nothing_to_merge, bad_weight,
/// not_implemented, errc::cancelled, those of the store.
result<merged> merge_models(merge_method method, std::span<const contribution> contributions,
                            model_store& out, const merge_progress& progress = {});

/// Names the first tensor with NaN or infinite values and counts them in all; nothing when all are finite.
std::optional<std::string> check_finite(const model_file& file);

} // namespace swarm::merge
