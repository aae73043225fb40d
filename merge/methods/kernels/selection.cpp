#include "merge/methods/kernels/selection.hpp"

#include "base/assert.hpp"
#include "base/merge_method.hpp"
#include "merge/methods/kernels/distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace swarm::merge {

distance_table::distance_table(std::span<const double> pairs, std::size_t models)
    : models_(models), squared_(models * models) {
  SWARM_ASSERT(models > 0 && pairs.size() == pair_count(models));
  std::size_t next = 0;
  for (std::size_t a = 0; a < models; ++a) {
    for (auto b = a + 1; b < models; ++b) {
      const auto value = pairs[next++];
      squared_[a * models + b] = squared_[b * models + a] = value;
    }
  }
}

std::vector<std::size_t> krum_order(const distance_table& distances, std::span<const double> weights,
                                    std::uint32_t hostile) {
  const auto models = distances.models();
  SWARM_ASSERT(weights.size() == models);
  const auto f = hostile_borne(hostile, models);
  const auto nearest = models >= 3 ? models - f - 2 : models - 1;
  std::vector<double> scores;
  for (std::size_t k = 0; k < models; ++k) {
    std::vector<double> others;
    for (std::size_t j = 0; j < models; ++j)
      if (j != k) others.push_back(distances.squared(k, j));
    std::sort(others.begin(), others.end());
    scores.push_back(
        std::accumulate(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(nearest), 0.0));
  }
  std::vector<std::size_t> order(models);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] < scores[b] : weights[a] > weights[b];
  });
  return order;
}

namespace {

/// The lower quartile of the distances between different models, as far as double can hold them; 0 when there are none.
double typical_distance(const distance_table& distances) {
  std::vector<double> found;
  for (std::size_t a = 0; a < distances.models(); ++a)
    for (auto b = a + 1; b < distances.models(); ++b)
      if (const auto squared = distances.squared(a, b); squared > 0 && std::isfinite(squared))
        found.push_back(std::sqrt(squared));
  if (found.empty()) return 0;
  std::sort(found.begin(), found.end());
  return found[found.size() / 4];
}

/// The model that is nearest to all others, infinite distances first.
std::size_t medoid(const distance_table& distances, std::span<const double> weights) {
  std::pair<std::size_t, double> best;
  std::size_t out = 0;
  for (std::size_t k = 0; k < distances.models(); ++k) {
    std::pair<std::size_t, double> here{0, 0.0};
    for (std::size_t j = 0; j < distances.models(); ++j) {
      const auto way = std::sqrt(distances.squared(k, j));
      if (std::isfinite(way))
        here.second += weights[j] * way;
      else
        ++here.first;
    }
    if (k == 0 || here < best) {
      best = here;
      out = k;
    }
  }
  return out;
}

/// The models whose distances double can hold beside the typical one, seen from the medoid.
std::vector<std::size_t> measurable(const distance_table& distances, std::span<const double> weights,
                                    double typical) {
  constexpr double reach = 1e12;
  const auto center = medoid(distances, weights);
  std::vector<std::size_t> out{center};
  for (std::size_t k = 0; k < distances.models(); ++k) {
    const bool fits =
        std::all_of(out.begin(), out.end(), [&](auto j) { return std::isfinite(distances.squared(k, j)); });
    if (k != center && fits && std::sqrt(distances.squared(k, center)) <= reach * typical) out.push_back(k);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Weiszfeld's iteration on the models `among`.
class weiszfeld {
public:
  weiszfeld(const distance_table& distances, std::span<const double> weights) : distances_(distances) {
    const auto typical = typical_distance(distances);
    among_ = measurable(distances, weights, typical);
    smallest_ = 1e-6 * typical;
    for (const auto k : among_)
      weights_.push_back(weights[k]);
    const auto largest = *std::max_element(weights_.begin(), weights_.end());
    for (auto& weight : weights_)
      weight /= largest;
    shares_ = weights_;
    normalize();
  }

  std::size_t run() {
    constexpr std::size_t iterations_max = 1000;
    if (smallest_ == 0) return 0;
    measure();
    for (std::size_t i = 1; i <= iterations_max; ++i) {
      for (std::size_t k = 0; k < among_.size(); ++k)
        shares_[k] = weights_[k] / ways_[k];
      normalize();
      const auto before = ways_;
      measure();
      if (is_close(before)) return i;
    }
    return iterations_max;
  }

  std::vector<double> shares() const {
    std::vector<double> out(distances_.models(), 0.0);
    for (std::size_t k = 0; k < among_.size(); ++k)
      out[among_[k]] = shares_[k];
    return out;
  }

private:
  void normalize() {
    const auto sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
    for (auto& share : shares_)
      share /= sum;
  }

  bool is_close(const std::vector<double>& before) const {
    constexpr double tolerance = 1e-9;
    for (std::size_t k = 0; k < ways_.size(); ++k)
      if (std::fabs(ways_[k] - before[k]) > tolerance * before[k]) return false;
    return true;
  }

  /// Finds the ways from the point to the models, none shorter than the smallest. With shares a that add up
  /// to 1 and squared distances D, the squared way to model k is sum(a_j D_kj) - sum(a_i a_j D_ij) / 2.
  void measure() {
    const auto count = among_.size();
    std::vector<double> to_all(count, 0.0);
    double among_all = 0;
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t j = 0; j < count; ++j)
        to_all[k] += shares_[j] * distances_.squared(among_[k], among_[j]);
      among_all += shares_[k] * to_all[k];
    }
    ways_.assign(count, smallest_);
    for (std::size_t k = 0; k < count; ++k) {
      const auto squared = to_all[k] - among_all / 2;
      if (squared > smallest_ * smallest_) ways_[k] = std::sqrt(squared);
    }
  }

  const distance_table& distances_;
  std::vector<std::size_t> among_;
  std::vector<double> weights_;
  std::vector<double> shares_;
  std::vector<double> ways_;
  double smallest_ = 0;
};

} // namespace

geometric_median find_geometric_median(const distance_table& distances, std::span<const double> weights) {
  SWARM_ASSERT(weights.size() == distances.models());
  weiszfeld search(distances, weights);
  geometric_median out;
  out.iterations = search.run();
  out.shares = search.shares();
  return out;
}

} // namespace swarm::merge
