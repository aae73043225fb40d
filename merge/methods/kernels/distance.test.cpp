#include "merge/methods/kernels/distance.hpp"

#include "merge/testing/elements.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace distance_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

/// Values of about 1, so that double can hold their squares.
std::vector<bytes> random_models(dtype type, std::size_t models, std::size_t count, seeded_random& random) {
  std::vector<bytes> out;
  for (std::size_t k = 0; k < models; ++k) {
    bytes raw(count * size_of(type));
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<double>(random.below(1u << 24)) * 0x1p-23 - 1;
      auto* at = raw.data() + i * size_of(type);
      const auto single = static_cast<float>(value);
      const auto bits = std::bit_cast<std::uint32_t>(single);
      const auto half = static_cast<std::uint16_t>(0x3c00 | (bits >> 13 & 0x83ff)); // 1 to 2, or -1 to -2
      const auto brain = static_cast<std::uint16_t>(bits >> 16);
      if (type == dtype::f64) std::memcpy(at, &value, sizeof(value));
      if (type == dtype::f32) std::memcpy(at, &single, sizeof(single));
      if (type == dtype::f16) std::memcpy(at, &half, sizeof(half));
      if (type == dtype::bf16) std::memcpy(at, &brain, sizeof(brain));
    }
    out.push_back(std::move(raw));
  }
  return out;
}

double naive_distance(dtype type, const bytes& a, const bytes& b) {
  long double sum = 0;
  for (std::size_t i = 0; i < a.size() / size_of(type); ++i) {
    const auto difference = value_at(type, a, i) - value_at(type, b, i);
    sum += difference * difference;
  }
  return static_cast<double>(sum);
}

} // namespace

TEST_CASE("squared distances are those of a naive twin to 10^-14") {
  seeded_random random(41);
  for (const auto type : {dtype::f16, dtype::bf16, dtype::f32, dtype::f64}) {
    for (const std::size_t models : {1, 2, 3, 8, 19}) {
      const auto count = random.below(3000);
      const auto inputs = random_models(type, models, count, random);
      std::vector<double> pairs(pair_count(models)), from(models);
      squared_distances(type, pointers(inputs), count, pairs);
      squared_distances_from(type, inputs.back().data(), pointers(inputs), count, from);
      std::size_t next = 0;
      for (std::size_t a = 0; a < models; ++a) {
        CHECK(from[a] == doctest::Approx(naive_distance(type, inputs.back(), inputs[a])).epsilon(1e-14));
        for (auto b = a + 1; b < models; ++b)
          CHECK(pairs[next++] == doctest::Approx(naive_distance(type, inputs[a], inputs[b])).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("a sum has one value, which this test knows") {
  // 1000 elements into 8 lanes, block by block: another order of additions would not give it.
  std::vector<double> a, b;
  for (int i = 0; i < 1000; ++i) {
    a.push_back(1.0 / (i + 1));
    b.push_back(std::sqrt(i));
  }
  const std::vector<bytes> inputs{raw_of(a), raw_of(b)};
  std::vector<double> out(1);
  squared_distances(dtype::f64, pointers(inputs), a.size(), out);
  std::array<double, 8> lanes{};
  for (std::size_t begin = 0; begin < a.size(); begin += 256) {
    std::array<double, 8> block{};
    for (auto i = begin; i < std::min(begin + 256, a.size()); ++i)
      block[i % 8] += (a[i] - b[i]) * (a[i] - b[i]);
    for (std::size_t l = 0; l < lanes.size(); ++l)
      lanes[l] += block[l];
  }
  double sum = 0;
  for (const auto lane : lanes)
    sum += lane;
  CHECK(out[0] == sum);
}

TEST_CASE("a distance too large for double is infinite, never NaN") {
  const auto largest = std::numeric_limits<double>::max();
  const std::vector<bytes> inputs{raw_of<double>({largest}), raw_of<double>({-largest})};
  std::vector<double> out(1);
  squared_distances(dtype::f64, pointers(inputs), 1, out);
  CHECK(std::isinf(out[0]));
}

} // namespace distance_test
