#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// What is decided from the distances between models. All of it is small: the models themselves are not read.
namespace swarm::merge {

/// The squared distances between all pairs of `models` models, as `squared_distances` orders them.
class distance_table {
public:
  distance_table(std::span<const double> pairs, std::size_t models);

  std::size_t models() const { return models_; }
  /// Infinite where double was not enough.
  double squared(std::size_t a, std::size_t b) const { return squared_[a * models_ + b]; }

private:
  std::size_t models_;
  std::vector<double> squared_;
};

/// All models, best first, by the score of Krum: the sum of the squared distances to the models - f - 2
/// nearest others (Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine
/// Tolerant Gradient Descent", 2017). Of equal scores the model that weighs more comes first, then the
/// earlier one. With fewer than 2f + 3 models f is lowered (`hostile_borne`).
std::vector<std::size_t> krum_order(const distance_table& distances, std::span<const double> weights,
                                    std::uint32_t hostile);

struct geometric_median {
  /// The median as a combination of the models; not negative, the sum is 1 up to rounding.
  std::vector<double> shares;
  std::size_t iterations = 0;
};

/// The weighted geometric median: the point with the smallest weighted sum of distances to the models
/// (Weiszfeld, "Sur le point pour lequel la somme des distances de n points donnés est minimum", 1937). From
/// the weighted mean on, each iteration takes the mean with weights divided by the distance to the last
/// point. As in Pillutla, Kakade, Harchaoui, "Robust Aggregation for Federated Learning", 2019, a distance
/// below 10^-6 counts as that much, so that a point that meets a model does not divide by zero; here it is
/// 10^-6 of the lower quartile of the distances between models. Theirs ends when the sum of distances falls
/// by less than 10^-6 of itself; as one model far away would hide all others in that sum, this ends when no
/// distance changes by more than 10^-9 of itself, or after 1000 iterations.
///
/// As every point is a combination of the models, its distances to them follow from those between the models,
/// and no iteration reads a model. A model more than 10^12 times further away than that quartile has no
/// share: beside its distance double cannot hold the others.
geometric_median find_geometric_median(const distance_table& distances, std::span<const double> weights);

} // namespace swarm::merge
