#include "merge/methods/kernels/order.hpp"

#include "merge/testing/elements.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

namespace order_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

struct weighed {
  long double value;
  double weight;
};

/// The values of one element, smallest first; -0 before 0 is of no matter here.
std::vector<weighed> sorted_column(dtype type, const std::vector<bytes>& inputs,
                                   const std::vector<double>& weights, std::size_t i) {
  std::vector<weighed> out;
  for (std::size_t k = 0; k < inputs.size(); ++k)
    out.push_back({value_at(type, inputs[k], i), weights[k]});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  return out;
}

/// Twice the weights are whole numbers, so that sums and halves are exact.
long double naive_median(const std::vector<weighed>& sorted) {
  double all = 0, below = 0;
  for (const auto& one : sorted)
    all += one.weight;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    below += sorted[k].weight;
    if (2 * below == all) return (sorted[k].value + sorted[k + 1].value) / 2;
    if (2 * below > all) return sorted[k].value;
  }
  return 0;
}

/// `cut` in millionths.
long double naive_trimmed(const std::vector<weighed>& sorted, double cut) {
  double all = 0, before = 0;
  for (const auto& one : sorted)
    all += one.weight;
  long double sum = 0, kept = 0;
  for (const auto& one : sorted) {
    const auto after = all - before - one.weight;
    if (1e6 * before >= cut * all && 1e6 * after >= cut * all) {
      sum += one.value * one.weight;
      kept += one.weight;
    }
    before += one.weight;
  }
  return kept > 0 ? sum / kept : naive_median(sorted);
}

/// Checks a result against the exact one: rounded to the nearest element, but for sums in double.
void check_near(dtype type, long double got, long double exact, long double magnitude) {
  const auto slack = 0x1p-46L * magnitude;
  const auto size = std::max(std::fabs(exact), std::fabs(got));
  const auto place = size == 0 ? 0 : std::ilogb(size);
  CAPTURE(name_of(type));
  CAPTURE(static_cast<double>(got));
  CAPTURE(static_cast<double>(exact));
  if (type == dtype::boolean)
    REQUIRE(got == (exact > 0.5L ? 1 : 0));
  else if (is_integer(type))
    REQUIRE(std::fabs(got - exact)
            <= (size_of(type) == 8 ? 1 : 0.5L) + slack); // the twin's sums have 64 bits
  else if (type == dtype::f64)
    REQUIRE(std::fabs(got - exact) <= std::ldexp(1.0L, place - 52) + slack + 0x1p-1068L);
  else if (type == dtype::f32)
    REQUIRE(std::fabs(got - exact) <= std::max(std::ldexp(1.0L, place - 24), 0x1p-150L) + slack);
  else if (type == dtype::f16)
    REQUIRE(std::fabs(got - exact) <= std::max(std::ldexp(1.0L, place - 11), 0x1p-25L) + slack);
  else
    REQUIRE(std::fabs(got - exact) <= std::max(std::ldexp(1.0L, place - 8), 0x1p-134L) + slack);
}

bytes median_of(dtype type, const std::vector<bytes>& inputs, const std::vector<double>& weights) {
  bytes out(inputs.front().size());
  coordinate_median(type, pointers(inputs), make_rank_weights(weights), out.data(),
                    out.size() / size_of(type));
  return out;
}

bytes trimmed_of(dtype type, const std::vector<bytes>& inputs, const std::vector<double>& weights,
                 std::uint32_t cut) {
  bytes out(inputs.front().size());
  trimmed_mean(type, pointers(inputs), make_rank_weights(weights), cut, out.data(),
               out.size() / size_of(type));
  return out;
}

/// Few different values in some columns, so that there are ties.
std::vector<bytes> random_models(dtype type, std::size_t models, std::size_t count, seeded_random& random) {
  std::vector<bytes> out;
  for (std::size_t k = 0; k < models; ++k) {
    out.push_back(random_elements(type, count, random));
    const auto width = size_of(type);
    for (std::size_t i = 0; k > 0 && i < count; ++i)
      if (random.below(4) == 0) std::memcpy(out[k].data() + i * width, out[k - 1].data() + i * width, width);
  }
  return out;
}

std::vector<double> random_weights(std::size_t models, bool equal, seeded_random& random) {
  std::vector<double> out(models, 3);
  for (auto& weight : out)
    if (!equal) weight = static_cast<double>(1 + random.below(100));
  return out;
}

const std::vector<std::size_t> model_counts{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 31};

} // namespace

TEST_CASE("the coordinate median is that of a naive twin for every type, number of models and weights") {
  seeded_random random(31);
  for (const auto type : all_types) {
    for (const auto models : model_counts) {
      for (const bool equal : {true, false}) {
        const auto count = 1 + random.below(300);
        const auto inputs = random_models(type, models, count, random);
        const auto weights = random_weights(models, equal, random);
        const auto merged = median_of(type, inputs, weights);
        for (std::size_t i = 0; i < count; ++i)
          check_near(type, value_at(type, merged, i), naive_median(sorted_column(type, inputs, weights, i)),
                     0);
      }
    }
  }
}

TEST_CASE("the trimmed mean is that of a naive twin for every type, number of models and weights") {
  seeded_random random(32);
  for (const auto type : all_types) {
    for (const auto models : model_counts) {
      for (const std::uint32_t cut : {1u, 100'000u, 200'000u, 333'333u, 499'999u}) {
        for (const bool equal : {true, false}) {
          const auto count = 1 + random.below(150);
          const auto inputs = random_models(type, models, count, random);
          const auto weights = random_weights(models, equal, random);
          const auto merged = trimmed_of(type, inputs, weights, cut);
          for (std::size_t i = 0; i < count; ++i) {
            const auto column = sorted_column(type, inputs, weights, i);
            const auto magnitude = std::max(std::fabs(column.front().value), std::fabs(column.back().value));
            check_near(type, value_at(type, merged, i), naive_trimmed(column, cut), magnitude);
          }
        }
      }
    }
  }
}

TEST_CASE("the order of the models changes no median and no trimmed mean of equal weights") {
  seeded_random random(33);
  for (const auto type : all_types) {
    auto inputs = random_models(type, 9, 500, random);
    auto weights = random_weights(9, false, random);
    const auto median = median_of(type, inputs, weights);
    const auto plain = median_of(type, inputs, std::vector<double>(9, 1));
    const auto trimmed = trimmed_of(type, inputs, std::vector<double>(9, 1), 200'000);
    std::rotate(inputs.begin(), inputs.begin() + 4, inputs.end());
    std::rotate(weights.begin(), weights.begin() + 4, weights.end());
    std::swap(inputs[1], inputs[7]);
    std::swap(weights[1], weights[7]);
    CHECK(median_of(type, inputs, weights) == median);
    CHECK(median_of(type, inputs, std::vector<double>(9, 1)) == plain);
    CHECK(trimmed_of(type, inputs, std::vector<double>(9, 1), 200'000) == trimmed);
  }
}

TEST_CASE("weights move the median, halves are shared") {
  const auto median = [](const std::vector<float>& values, const std::vector<double>& weights) {
    std::vector<bytes> inputs;
    for (const auto value : values)
      inputs.push_back(raw_of<float>({value}));
    return values_of<float>(median_of(dtype::f32, inputs, weights)).front();
  };
  CHECK(median({7}, {5}) == 7);
  CHECK(median({1, 3}, {1, 1}) == 2);
  CHECK(median({1, 3}, {1, 2}) == 3);
  CHECK(median({1, 2, 30}, {1, 1, 1}) == 2);
  CHECK(median({30, 1, 2}, {3, 1, 1}) == 30);
  CHECK(median({1, 2, 30}, {1, 2, 3}) == 16); // 1 + 2 weigh as much as 3
  CHECK(median({1, 2, 30}, {1.0 / 3, 2.0 / 3, 1}) == 16);
  CHECK(median({4, 1, 3, 2}, {1, 1, 1, 1}) == 2.5f);
  const auto largest = std::numeric_limits<float>::max();
  CHECK(median({largest, largest}, {1, 1}) == largest);
  CHECK(std::signbit(median({-0.0f, -0.0f, 5}, {1, 1, 1})));
  CHECK(std::signbit(median({-0.0f, 0.0f, -1}, {1, 1, 1}))); // -0 counts as less than 0
}

TEST_CASE("what is cut away at either end is at least the part asked for") {
  const auto trimmed = [](const std::vector<float>& values, const std::vector<double>& weights,
                          std::uint32_t cut) {
    std::vector<bytes> inputs;
    for (const auto value : values)
      inputs.push_back(raw_of<float>({value}));
    return values_of<float>(trimmed_of(dtype::f32, inputs, weights, cut)).front();
  };
  CHECK(trimmed({1, 2, 6, 4, 1000}, {1, 1, 1, 1, 1}, 200'000) == 4);
  CHECK(trimmed({1, 2, 6, 1000}, {1, 1, 1, 1}, 200'000) == 4); // one at either end, not four fifths of one
  CHECK(trimmed({1, 1000}, {1, 1}, 200'000) == 500.5f);        // nothing would be left: the median
  CHECK(trimmed({1, 2, 6, 4, 1000}, {1, 1, 3, 1, 1}, 100'000) == 4.8f);
  CHECK(trimmed({1, 1000}, {9, 1}, 200'000) == 1);
}

TEST_CASE("weights become whole numbers that keep their ratios") {
  const auto ranks = make_rank_weights(std::vector<double>{1, 2, 5});
  CHECK(ranks.each == std::vector<std::uint32_t>{1u << 26, 1u << 27, 5u << 26});
  CHECK(ranks.sum == 1u << 29);
  CHECK(!ranks.equal);
  CHECK(make_rank_weights(std::vector<double>{1e308, 1e308}).equal);
  CHECK(make_rank_weights(std::vector<double>{1e-300, 1e300}).each.front() == 1);
}

} // namespace order_test
