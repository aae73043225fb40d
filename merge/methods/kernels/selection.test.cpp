#include "merge/methods/kernels/selection.hpp"

#include "base/random.hpp"
#include "merge/methods/kernels/distance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace selection_test {

using namespace swarm;
using namespace swarm::merge;

namespace {

using point = std::vector<long double>;

point random_point(std::size_t dimensions, seeded_random& random) {
  point out;
  for (std::size_t i = 0; i < dimensions; ++i)
    out.push_back(static_cast<long double>(random.below(1u << 30)) * 0x1p-29L - 1);
  return out;
}

long double squared(const point& a, const point& b) {
  long double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

distance_table table_of(const std::vector<point>& points) {
  std::vector<double> pairs;
  for (std::size_t a = 0; a < points.size(); ++a)
    for (auto b = a + 1; b < points.size(); ++b)
      pairs.push_back(static_cast<double>(squared(points[a], points[b])));
  return {pairs, points.size()};
}

point combination(const std::vector<point>& points, const std::vector<double>& shares) {
  point out(points.front().size(), 0);
  for (std::size_t k = 0; k < points.size(); ++k)
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] += shares[k] * points[k][i];
  return out;
}

long double sum_of_ways(const std::vector<point>& points, const std::vector<double>& weights,
                        const point& from) {
  long double sum = 0;
  for (std::size_t k = 0; k < points.size(); ++k)
    sum += weights[k] * std::sqrt(squared(points[k], from));
  return sum;
}

/// Weiszfeld on the points themselves, for very long.
point naive_median(const std::vector<point>& points, const std::vector<double>& weights) {
  auto at = combination(points, weights);
  const auto all = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (auto& x : at)
    x /= all;
  for (int i = 0; i < 20000; ++i) {
    point next(at.size(), 0);
    long double sum = 0;
    for (std::size_t k = 0; k < points.size(); ++k) {
      const auto share = weights[k] / std::max(std::sqrt(squared(points[k], at)), 1e-12L);
      sum += share;
      for (std::size_t d = 0; d < at.size(); ++d)
        next[d] += share * points[k][d];
    }
    for (auto& x : next)
      x /= sum;
    at = next;
  }
  return at;
}

} // namespace

TEST_CASE("the geometric median is that of a naive twin, its sum of distances to 10^-8") {
  seeded_random random(51);
  for (int run = 0; run < 60; ++run) {
    const auto models = 1 + random.below(12);
    std::vector<point> points;
    std::vector<double> weights;
    for (std::size_t k = 0; k < models; ++k) {
      points.push_back(random_point(1 + static_cast<std::size_t>(run) % 7, random));
      weights.push_back(static_cast<double>(1 + random.below(100)));
    }
    const auto found = find_geometric_median(table_of(points), weights);
    CHECK(std::accumulate(found.shares.begin(), found.shares.end(), 0.0)
          == doctest::Approx(1).epsilon(1e-12));
    CHECK(std::all_of(found.shares.begin(), found.shares.end(), [](auto share) { return share >= 0; }));
    const auto ours = sum_of_ways(points, weights, combination(points, found.shares));
    const auto twins = sum_of_ways(points, weights, naive_median(points, weights));
    CAPTURE(run);
    CAPTURE(found.iterations);
    CHECK(static_cast<double>(ours) <= static_cast<double>(twins) * (1 + 1e-6));
  }
}

TEST_CASE("a model with more than half of the weight is the geometric median") {
  const std::vector<point> points{{0, 0}, {10, 0}, {0, 10}};
  const auto found = find_geometric_median(table_of(points), std::vector<double>{3, 1, 1});
  CHECK(found.shares[0] > 0.999);
}

TEST_CASE("a minority far away moves the geometric median little, however far it is") {
  seeded_random random(52);
  for (const auto far : {1e2L, 1e6L, 1e9L, 1e15L, 1e30L, 1e200L}) {
    std::vector<point> points;
    for (int k = 0; k < 5; ++k)
      points.push_back(random_point(20, random));
    for (int k = 0; k < 3; ++k)
      points.emplace_back(20, far);
    const auto found = find_geometric_median(table_of(points), std::vector<double>(8, 1));
    const auto at = combination(points, found.shares);
    CAPTURE(static_cast<double>(far));
    CHECK(static_cast<double>(std::sqrt(squared(at, point(20, 0)))) < 6);
  }
}

TEST_CASE("equal models, and models two of which are equal, have a geometric median") {
  const auto same = find_geometric_median(table_of({{1, 2}, {1, 2}}), std::vector<double>{1, 3});
  CHECK(same.shares == std::vector<double>{0.25, 0.75});
  const std::vector<point> points{{0, 0}, {0, 0}, {1, 0}};
  const auto at =
      combination(points, find_geometric_median(table_of(points), std::vector<double>(3, 1)).shares);
  CHECK(static_cast<double>(at[0]) < 1e-5);
  const auto alone = find_geometric_median(table_of({{5}}), std::vector<double>{7});
  CHECK(alone.shares == std::vector<double>{1});
}

TEST_CASE("Krum orders models by the sum of the distances to their nearest") {
  seeded_random random(53);
  for (int run = 0; run < 50; ++run) {
    const auto models = 3 + random.below(12);
    const auto hostile = static_cast<std::uint32_t>(random.below((models - 3) / 2 + 1));
    std::vector<point> points;
    for (std::size_t k = 0; k < models; ++k)
      points.push_back(random_point(4, random));
    const auto order = krum_order(table_of(points), std::vector<double>(models, 1), hostile);
    const auto score = [&](std::size_t k) {
      std::vector<long double> ways;
      for (std::size_t j = 0; j < models; ++j)
        if (j != k) ways.push_back(squared(points[k], points[j]));
      std::sort(ways.begin(), ways.end());
      long double sum = 0;
      for (std::size_t i = 0; i + hostile + 2 < models; ++i)
        sum += ways[i];
      return sum;
    };
    REQUIRE(order.size() == models);
    for (std::size_t i = 1; i < models; ++i)
      CHECK(score(order[i - 1]) <= score(order[i]));
  }
}

TEST_CASE("Krum leaves hostile models for last, prefers weight among equals, and bears small rounds") {
  const std::vector<point> points{{1e9L}, {0.15L}, {0}, {-0.15L}, {1e9L}, {0.2L}, {-0.2L}};
  auto order = krum_order(table_of(points), std::vector<double>(7, 1), 2);
  CHECK(order.front() == 2);
  std::sort(order.end() - 2, order.end());
  CHECK(std::vector<std::size_t>(order.end() - 2, order.end()) == std::vector<std::size_t>{0, 4});
  CHECK(krum_order(table_of({{1}, {2}}), std::vector<double>{1, 2}, 5) == std::vector<std::size_t>{1, 0});
  CHECK(krum_order(table_of({{1}, {2}}), std::vector<double>{1, 1}, 5) == std::vector<std::size_t>{0, 1});
  CHECK(krum_order(table_of({{1}}), std::vector<double>{1}, 1) == std::vector<std::size_t>{0});
  CHECK(krum_order(table_of({{1}, {1.5L}, {9}}), std::vector<double>(3, 1), 1).back() == 2);
}

TEST_CASE("infinite distances rank last and have no share") {
  const auto far = std::numeric_limits<double>::infinity();
  const distance_table table(std::vector<double>{far, 1, 1, far, far, 1}, 4); // model 1 is far from all
  const auto found = find_geometric_median(table, std::vector<double>{1, 5, 1, 1});
  CHECK(found.shares[1] == 0);
  CHECK(found.shares[0] == doctest::Approx(1.0 / 3).epsilon(1e-6));
  CHECK(krum_order(table, std::vector<double>(4, 1), 0).back() == 1);
}

TEST_CASE("whatever is said of distances there is a median") {
  const auto far = std::numeric_limits<double>::infinity();
  constexpr auto most = std::numeric_limits<double>::max();
  for (const std::vector<double>& said : {std::vector<double>{far, far, far},
                                          {0, 0, 0},
                                          {0, 0, far},
                                          {most, most, most},
                                          {5e-324, most, far},
                                          {5e-324, 5e-324, 5e-324},
                                          {1, 1, 1e300}, // no points are so
                                          {0, 0, 1}}) {
    const distance_table table(said, 3);
    const auto shares = find_geometric_median(table, std::vector<double>{1, 2, 3}).shares;
    double sum = 0;
    for (const auto share : shares) {
      CHECK(share >= 0);
      sum += share;
    }
    CHECK(sum == doctest::Approx(1));
    CHECK(krum_order(table, std::vector<double>(3, 1), 1).size() == 3);
  }
}

} // namespace selection_test
