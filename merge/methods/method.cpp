#include "merge/methods/method.hpp"

#include "base/assert.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/kernels/distance.hpp"
#include "merge/methods/kernels/order.hpp"
#include "merge/methods/kernels/selection.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace swarm::merge {

namespace {

using inputs_view = std::span<const std::uint8_t* const>;

class mean_algorithm final : public merge_algorithm {
public:
  explicit mean_algorithm(std::span<const double> weights) : weights_(scale_weights(weights)) {}
  void combine(dtype type, inputs_view inputs, std::uint8_t* out, std::size_t count) const override {
    weighted_mean(type, inputs, weights_, out, count);
  }
  bool shows_non_finite() const override { return true; }

private:
  mean_weights weights_;
};

class median_algorithm final : public merge_algorithm {
public:
  explicit median_algorithm(std::span<const double> weights) : weights_(make_rank_weights(weights)) {}
  void combine(dtype type, inputs_view inputs, std::uint8_t* out, std::size_t count) const override {
    coordinate_median(type, inputs, weights_, out, count);
  }

private:
  rank_weights weights_;
};

class trimmed_algorithm final : public merge_algorithm {
public:
  trimmed_algorithm(std::span<const double> weights, std::uint32_t cut)
      : weights_(make_rank_weights(weights)), cut_(cut) {}
  void combine(dtype type, inputs_view inputs, std::uint8_t* out, std::size_t count) const override {
    trimmed_mean(type, inputs, weights_, cut_, out, count);
  }

private:
  rank_weights weights_;
  std::uint32_t cut_;
};

/// What Krum and the geometric median have in common: the distances between all models say what each of them
/// counts.
class distance_algorithm : public merge_algorithm {
public:
  explicit distance_algorithm(std::span<const double> weights) : weights_(weights.begin(), weights.end()) {}
  std::size_t measures() const override { return pair_count(weights_.size()); }
  void measure(dtype type, inputs_view inputs, std::size_t count, std::span<double> sums) const override {
    squared_distances(type, inputs, count, sums);
  }
  void decide(std::span<const double> totals) override {
    shares_ = scale_weights(shares_from(distance_table(totals, weights_.size()), weights_));
  }
  void combine(dtype type, inputs_view inputs, std::uint8_t* out, std::size_t count) const override {
    const auto chosen = [](double share) { return share > 0; };
    const auto only = std::find_if(shares_.each.begin(), shares_.each.end(), chosen);
    if (std::count_if(only, shares_.each.end(), chosen) == 1)
      std::memcpy(out, inputs[static_cast<std::size_t>(only - shares_.each.begin())], count * size_of(type));
    else
      weighted_mean(type, inputs, shares_, out, count);
  }

private:
  virtual std::vector<double> shares_from(const distance_table& distances,
                                          std::span<const double> weights) const = 0;

  std::vector<double> weights_;
  mean_weights shares_;
};

class geomedian_algorithm final : public distance_algorithm {
public:
  using distance_algorithm::distance_algorithm;

private:
  std::vector<double> shares_from(const distance_table& distances,
                                  std::span<const double> weights) const override {
    return find_geometric_median(distances, weights).shares;
  }
};

/// Krum with one model chosen, Multi-Krum with more.
class krum_algorithm final : public distance_algorithm {
public:
  krum_algorithm(std::span<const double> weights, std::uint32_t hostile, std::uint32_t chosen)
      : distance_algorithm(weights), hostile_(hostile), chosen_(chosen) {}

private:
  std::vector<double> shares_from(const distance_table& distances,
                                  std::span<const double> weights) const override {
    const auto order = krum_order(distances, weights, hostile_);
    std::vector<double> shares(weights.size(), 0.0);
    for (std::size_t i = 0; i < std::min<std::size_t>(chosen_, order.size()); ++i)
      shares[order[i]] = weights[order[i]];
    return shares;
  }

  std::uint32_t hostile_;
  std::uint32_t chosen_;
};

/// The weighted mean of the ways from the coordinate-wise median to the models, each cut to the norm.
/// Clipping by a norm is that of Sun, Kairouz, Suresh, McMahan, "Can You Really Backdoor Federated
/// Learning?", 2019; there the ways start at the last merge, which a leader that came late need not have,
/// here at what only the models of the round say.
class clipped_algorithm final : public merge_algorithm {
public:
  clipped_algorithm(std::span<const double> weights, double norm)
      : weights_(weights.begin(), weights.end()), ranks_(make_rank_weights(weights)), norm_(norm) {}

  std::size_t measures() const override { return weights_.size(); }
  void measure(dtype type, inputs_view inputs, std::size_t count, std::span<double> sums) const override {
    std::vector<std::uint8_t> center(count * size_of(type));
    coordinate_median(type, inputs, ranks_, center.data(), count);
    squared_distances_from(type, center.data(), inputs, count, sums);
  }
  /// The mean of center + factor_k * (model_k - center) is a mean of the models and of the center, which
  /// weighs what the models lose.
  void decide(std::span<const double> totals) override {
    std::vector<double> shares;
    double lost = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      const auto way = std::sqrt(totals[k]);
      const auto factor = way <= norm_ ? 1.0 : norm_ / way; // 0 for an infinite way
      shares.push_back(weights_[k] * factor);
      lost += weights_[k] * (1 - factor);
    }
    shares.push_back(lost);
    shares_ = scale_weights(shares);
  }
  void combine(dtype type, inputs_view inputs, std::uint8_t* out, std::size_t count) const override {
    std::vector<std::uint8_t> center(count * size_of(type));
    coordinate_median(type, inputs, ranks_, center.data(), count);
    std::vector<const std::uint8_t*> all(inputs.begin(), inputs.end());
    all.push_back(center.data());
    weighted_mean(type, all, shares_, out, count);
  }

private:
  std::vector<double> weights_;
  rank_weights ranks_;
  double norm_;
  mean_weights shares_;
};

} // namespace

std::unique_ptr<merge_algorithm> make_algorithm(const merge_method& method, std::span<const double> weights) {
  constexpr double million = 1e6;
  switch (method.kind) {
  case merge_method::mean:
    return std::make_unique<mean_algorithm>(weights);
  case merge_method::coordmedian:
    return std::make_unique<median_algorithm>(weights);
  case merge_method::geomedian:
    return std::make_unique<geomedian_algorithm>(weights);
  case merge_method::trimmedmean:
    return std::make_unique<trimmed_algorithm>(weights, method.cut);
  case merge_method::krum:
  case merge_method::multikrum:
    return std::make_unique<krum_algorithm>(weights, method.hostile, method.chosen);
  case merge_method::clippedmean:
    return std::make_unique<clipped_algorithm>(weights, static_cast<double>(method.norm) / million);
  case merge_method::custom:
    break;
  }
  SWARM_ASSERT(false);
  return nullptr;
}

} // namespace swarm::merge
