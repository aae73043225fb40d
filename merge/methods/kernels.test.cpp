#include "merge/methods/kernels.hpp"

#include "base/random.hpp"
#include "merge/testing/elements.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace kernels_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

bytes mean_of(dtype type, const std::vector<bytes>& inputs, const std::vector<double>& weights) {
  bytes out(inputs.front().size());
  weighted_mean(type, pointers(inputs), scale_weights(weights), out.data(), out.size() / size_of(type));
  return out;
}

/// Checks one merged element against the exact mean, as far as long double is exact.
void check_element(dtype type, const bytes& merged, std::size_t i, const std::vector<bytes>& inputs,
                   const std::vector<double>& weights) {
  long double sum = 0, weight_sum = 0, magnitude = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto term = weights[k] * value_at(type, inputs[k], i);
    sum += term;
    magnitude += std::fabs(term);
    weight_sum += weights[k];
  }
  const auto mean = sum / weight_sum;
  const auto got = value_at(type, merged, i);
  // The error that sums in double may have.
  const auto slack = static_cast<long double>(inputs.size()) * magnitude / weight_sum * 0x1p-52L;
  CAPTURE(name_of(type));
  CAPTURE(i);
  if (type == dtype::boolean) {
    REQUIRE(got == (mean > 0.5L ? 1 : 0));
  } else if (is_integer(type)) {
    const auto wide = type == dtype::i64 || type == dtype::u64; // exact in the kernel, rounded in the twin
    REQUIRE(std::fabs(got - mean) <= 0.5L + (wide ? slack * 0x1p-10L : slack));
  } else if (type == dtype::f64) {
    REQUIRE(std::fabs(got - mean) <= slack + std::fabs(mean) * 0x1p-52L + 0x1p-1074L);
  } else if (type == dtype::f32) {
    const auto unit =
        std::max(std::ldexp(1.0L, std::ilogb(static_cast<double>(mean == 0 ? 1 : mean)) - 23), 0x1p-149L);
    REQUIRE(std::fabs(got - mean) <= unit / 2 + slack);
  } else {
    const auto half = type == dtype::f16;
    const std::uint16_t infinity = half ? 0x7c00 : 0x7f80;
    const auto value = [&](std::uint16_t code) { return half ? f16_value(code) : bf16_value(code); };
    const auto low = value(nearest_code(std::fabs(mean) - std::min(slack, std::fabs(mean)), infinity, value));
    const auto high = value(nearest_code(std::fabs(mean) + slack, infinity, value));
    REQUIRE((std::fabs(got) == low || std::fabs(got) == high));
    REQUIRE((got == 0 || std::signbit(got) == std::signbit(mean)));
  }
}

} // namespace

TEST_CASE("the weighted mean is that of a naive twin for every type and number of models") {
  seeded_random random(21);
  for (const auto type : all_types) {
    for (const std::size_t models : {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 25}) {
      const std::size_t count = 1 + random.below(2500);
      std::vector<bytes> inputs;
      std::vector<double> weights;
      for (std::size_t k = 0; k < models; ++k) {
        inputs.push_back(random_elements(type, count, random));
        weights.push_back(models % 2 == 0 ? static_cast<double>(1 + random.below(100))
                                          : static_cast<double>(random.below(1000)) / 7 + 0.001);
      }
      const auto merged = mean_of(type, inputs, weights);
      for (std::size_t i = 0; i < count; ++i)
        check_element(type, merged, i, inputs, weights);
    }
  }
}

TEST_CASE("every half and every bfloat16 survives being merged with itself") {
  for (const auto type : {dtype::f16, dtype::bf16}) {
    std::vector<std::uint16_t> codes;
    for (std::uint32_t code = 0; code < 65536; ++code) {
      const auto raw = static_cast<std::uint16_t>(code);
      if (count_non_finite(type, reinterpret_cast<const std::uint8_t*>(&raw), 1) == 0) codes.push_back(raw);
    }
    CHECK(codes.size() == (type == dtype::f16 ? 63488 : 65280));
    const auto raw = raw_of(codes);
    CHECK(mean_of(type, {raw}, {1}) == raw);
    CHECK(mean_of(type, {raw, raw, raw}, {1, 2, 4}) == raw);
  }
}

TEST_CASE("halves are rounded to nearest, ties to even") {
  // Means of neighbours lie exactly between two codes.
  for (const auto type : {dtype::f16, dtype::bf16}) {
    std::vector<std::uint16_t> low, high, expected;
    const std::uint16_t infinity = type == dtype::f16 ? 0x7c00 : 0x7f80;
    for (std::uint16_t code = 0; code + 1 < infinity; ++code) {
      low.push_back(code);
      high.push_back(static_cast<std::uint16_t>(code + 1));
      expected.push_back(static_cast<std::uint16_t>(code % 2 == 0 ? code : code + 1));
    }
    CHECK(values_of<std::uint16_t>(mean_of(type, {raw_of(low), raw_of(high)}, {3, 3})) == expected);
  }
}

TEST_CASE("equal models with whole weights merge to themselves, bit for bit") {
  seeded_random random(5);
  for (const auto type : all_types) {
    const auto model = random_elements(type, 3000, random);
    for (const std::size_t models : {1, 3, 8, 11}) {
      std::vector<double> weights;
      for (std::size_t k = 0; k < models; ++k)
        weights.push_back(static_cast<double>(1 + random.below(100)));
      if (type == dtype::f64) continue; // 53 bits and a weight do not fit into a double
      CHECK(mean_of(type, std::vector<bytes>(models, model), weights) == model);
    }
  }
}

TEST_CASE("integers are rounded to nearest even, bool goes by weighted majority") {
  CHECK(values_of<std::int8_t>(mean_of(
            dtype::i8,
            {raw_of<std::int8_t>({1, 2, -1, -2, 127, -128}), raw_of<std::int8_t>({2, 3, -2, -3, 127, -128})},
            {1, 1}))
        == std::vector<std::int8_t>{2, 2, -2, -2, 127, -128});
  const auto big = std::numeric_limits<std::int64_t>::max();
  CHECK(values_of<std::int64_t>(mean_of(
            dtype::i64,
            {raw_of<std::int64_t>({big, big, -big, 1, 2}), raw_of<std::int64_t>({big, big - 2, -big, 2, 3})},
            {1, 1}))
        == std::vector<std::int64_t>{big, big - 1, -big, 2, 2});
  CHECK(values_of<std::uint64_t>(
            mean_of(dtype::u64, {raw_of<std::uint64_t>({~0ull}), raw_of<std::uint64_t>({~0ull - 4})}, {3, 1}))
        == std::vector<std::uint64_t>{~0ull - 1});
  CHECK(mean_of(dtype::boolean, {{1, 1, 0, 0, 2}, {0, 1, 1, 0, 0}, {0, 0, 0, 1, 9}}, {2, 1, 1})
        == bytes{0, 1, 0, 0, 1});
}

TEST_CASE("zeros keep their sign, sums do not overflow, weight 0 is not read") {
  const auto zero = raw_of<float>({-0.0f, 0.0f, -0.0f});
  const auto merged =
      values_of<float>(mean_of(dtype::f32, {zero, zero, raw_of<float>({-0.0f, 0.0f, 0.0f})}, {1, 1, 1}));
  CHECK(std::signbit(merged[0]));
  CHECK(!std::signbit(merged[1]));
  CHECK(!std::signbit(merged[2]));
  const auto largest = std::numeric_limits<double>::max();
  const auto huge = raw_of<double>({largest, -largest});
  for (const double weight : {1e-300, 1.0, 1e300, largest})
    CHECK(values_of<double>(mean_of(dtype::f64, {huge, huge}, {weight, weight}))
          == std::vector<double>{largest, -largest});
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(values_of<float>(
            mean_of(dtype::f32, {raw_of<float>({nan}), raw_of<float>({4}), raw_of<float>({6})}, {0, 1, 3}))
        == std::vector<float>{5.5f});
}

TEST_CASE("NaN and infinity show in the mean, and are counted") {
  struct row {
    dtype type;
    bytes nan, infinity, one;
  };
  const std::vector<row> rows{
      {dtype::f16, raw_of<std::uint16_t>({0x7e01}), raw_of<std::uint16_t>({0xfc00}),
       raw_of<std::uint16_t>({0x3c00})},
      {dtype::bf16, raw_of<std::uint16_t>({0x7fc1}), raw_of<std::uint16_t>({0xff80}),
       raw_of<std::uint16_t>({0x3f80})},
      {dtype::f32, raw_of<float>({std::nanf("")}), raw_of<float>({-INFINITY}), raw_of<float>({1})},
      {dtype::f64, raw_of<double>({std::nan("")}), raw_of<double>({-HUGE_VAL}), raw_of<double>({1})},
  };
  for (const auto& row : rows) {
    CAPTURE(name_of(row.type));
    CHECK(count_non_finite(row.type, row.nan.data(), 1) == 1);
    CHECK(count_non_finite(row.type, row.infinity.data(), 1) == 1);
    CHECK(count_non_finite(row.type, row.one.data(), 1) == 0);
    for (const auto* bad : {&row.nan, &row.infinity}) {
      for (const std::size_t models : {1, 2, 3, 8, 9}) {
        std::vector<bytes> inputs(models, row.one);
        inputs[models / 2] = *bad;
        const auto merged = mean_of(row.type, inputs, std::vector<double>(models, 1));
        CHECK(count_non_finite(row.type, merged.data(), 1) == 1);
      }
    }
  }
  CHECK(count_non_finite(dtype::i32, raw_of<std::uint32_t>({0x7f800000}).data(), 1) == 0);
}

TEST_CASE("the number of threads changes nothing") {
  seeded_random random(8);
  for (const auto type : all_types) {
    const std::size_t count = 300001;
    std::vector<bytes> inputs;
    for (int k = 0; k < 5; ++k)
      inputs.push_back(random_elements(type, count, random));
    const auto weights = scale_weights(std::vector<double>{1, 0.3, 17, 2.5, 3});
    bytes alone(inputs[0].size()), many(inputs[0].size());
    weighted_mean(type, pointers(inputs), weights, alone.data(), count);
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 5);
    weighted_mean_parallel(type, pointers(inputs), weights, many.data(), count);
    CHECK(alone == many);
  }
}

TEST_CASE("weights are scaled by one power of two") {
  for (const auto& weights : std::vector<std::vector<double>>{
           {1}, {3, 5}, {0, 0.1, 0}, {1e308, 1e308, 1e308}, {5e-324}, {1, 2, 3, 100}}) {
    const auto scaled = scale_weights(weights);
    CHECK(scaled.sum >= 0.5);
    CHECK(scaled.sum < 1);
    for (std::size_t k = 0; k < weights.size(); ++k)
      CHECK(scaled.each[k] * weights.back() == doctest::Approx(weights[k] * scaled.each.back()));
  }
}

} // namespace kernels_test
