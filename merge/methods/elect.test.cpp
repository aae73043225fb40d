#include "merge/methods/elect.hpp"

#include "base/random.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace elect_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

template <class T>
std::vector<T> elect_of(dtype type, const std::vector<std::vector<T>>& rows,
                        const std::vector<double>& weights) {
  std::vector<bytes> raw;
  std::vector<const std::uint8_t*> inputs;
  for (const auto& row : rows)
    raw.push_back(raw_of(row));
  for (const auto& one : raw)
    inputs.push_back(one.data());
  bytes out(raw.front().size());
  elect(type, inputs, weights, out.data(), rows.front().size());
  return values_of<T>(out);
}

template <class T>
T naive(const std::vector<T>& values, const std::vector<double>& weights) {
  std::map<T, double> votes;
  double all = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    votes[values[k]] += weights[k];
    all += weights[k];
  }
  for (const auto& [value, weight] : votes)
    if (weight > all - weight) return value;
  return *std::max_element(values.begin(), values.end());
}

} // namespace

TEST_CASE("more than half of the weight decides, else the largest value") {
  using row = std::vector<std::int64_t>;
  constexpr auto big = std::numeric_limits<std::int64_t>::max();
  CHECK(elect_of<std::int64_t>(dtype::i64, {row{7, 7, big}, row{7, 9, big - 2}, row{8, 8, big}}, {1, 1, 1})
        == row{7, 9, big});
  CHECK(elect_of<std::int64_t>(dtype::i64, {row{1}, row{2}, row{3}}, {5, 1, 1}) == row{1});
  CHECK(elect_of<std::int64_t>(dtype::i64, {row{1}, row{2}}, {1, 1}) == row{2});
  CHECK(elect_of<std::int8_t>(dtype::i8, {{-3}, {-5}, {-4}}, {1, 1, 1}) == std::vector<std::int8_t>{-3});
  CHECK(elect_of<double>(dtype::f64, {{12}, {13}}, {1, 1}) == std::vector<double>{13});
}

TEST_CASE("flags go by weight, and are false where it is even") {
  using row = std::vector<std::uint8_t>;
  CHECK(elect_of<std::uint8_t>(dtype::boolean, {row{1, 1, 0}, row{0, 1, 0}, row{0, 0, 1}}, {3, 1, 2})
        == row{0, 1, 0});
  CHECK(elect_of<std::uint8_t>(dtype::boolean, {row{1}, row{0}, row{0}}, {4, 1, 2}) == row{1});
}

TEST_CASE("elections agree with counting every value") {
  seeded_random random(7);
  for (int run = 0; run < 300; ++run) {
    const auto voters = 1 + random.below(6);
    std::vector<std::vector<std::uint32_t>> rows(voters);
    std::vector<double> weights;
    for (auto& row : rows) {
      weights.push_back(1.0 + static_cast<double>(random.below(3)));
      for (int i = 0; i < 8; ++i)
        row.push_back(static_cast<std::uint32_t>(random.below(3)));
    }
    const auto got = elect_of<std::uint32_t>(dtype::u32, rows, weights);
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::vector<std::uint32_t> values;
      for (const auto& row : rows)
        values.push_back(row[i]);
      CHECK(got[i] == naive(values, weights));
    }
  }
}

} // namespace elect_test
