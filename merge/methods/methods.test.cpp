#include "base/random.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/kernels/distance.hpp"
#include "merge/methods/kernels/order.hpp"
#include "merge/methods/kernels/selection.hpp"
#include "merge/methods/merge.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace methods_methods_test {

// Each method on whole model files.

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

const std::vector<std::string> all_methods{"mean",   "coordmedian",   "geomedian",     "trimmedmean:0.2",
                                           "krum:1", "multikrum:1,3", "clippedmean:40"};

merge_method method_of(const std::string& text) {
  const auto method = parse_merge_method(text);
  REQUIRE(method);
  return *method;
}

/// Models of all floating types and some others, of several blocks and segments, around one centre.
std::vector<contribution> random_contributions(model_store& store, std::size_t models, std::uint64_t seed) {
  seeded_random random(seed);
  std::vector<contribution> out;
  for (std::size_t k = 0; k < models; ++k) {
    std::vector<float> large(4'300'001), small(7);
    std::vector<double> wide(70'001);
    std::vector<std::uint16_t> half(50'001), brain(33'000);
    std::vector<std::int32_t> counts(40'000);
    std::vector<std::uint8_t> mask(1000);
    const auto noise = [&] { return static_cast<double>(random.below(1u << 20)) * 0x1p-20 - 0.5; };
    for (auto& x : large)
      x = static_cast<float>(noise() / 100);
    for (auto& x : small)
      x = static_cast<float>(noise());
    for (auto& x : wide)
      x = noise();
    for (auto& x : half)
      x = static_cast<std::uint16_t>(random.below(0x3c00) | (random.below(2) << 15));
    for (auto& x : brain)
      x = static_cast<std::uint16_t>(random.below(0x3f80) | (random.below(2) << 15));
    for (auto& x : counts)
      x = static_cast<std::int32_t>(random.below(1000));
    for (auto& x : mask)
      x = static_cast<std::uint8_t>(random.below(2));
    const auto file = store_model(store, {{"large", dtype::f32, {large.size()}, raw_of(large)},
                                          {"small", dtype::f32, {small.size()}, raw_of(small)},
                                          {"wide", dtype::f64, {wide.size()}, raw_of(wide)},
                                          {"half", dtype::f16, {half.size()}, raw_of(half)},
                                          {"brain", dtype::bf16, {brain.size()}, raw_of(brain)},
                                          {"counts", dtype::i32, {counts.size()}, raw_of(counts)},
                                          {"mask", dtype::boolean, {mask.size()}, mask}});
    out.push_back({file, static_cast<double>(1 + random.below(5)), fmt::format("peer {}", k)});
  }
  return out;
}

hash32 digest_of(const std::string& method, const std::vector<contribution>& from, model_store& store) {
  const auto done = merge_models(method_of(method), from, store);
  REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
  CHECK(done->excluded.empty());
  return done->digest;
}

std::shared_ptr<const model_file> vector_model(model_store& store, const std::vector<float>& values) {
  return store_model(store, {{"weight", dtype::f32, {values.size()}, raw_of(values)}});
}

std::vector<float> merged_values(const std::string& method, const std::vector<contribution>& from,
                                 model_store& store) {
  const auto done = merge_models(method_of(method), from, store);
  REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
  return values_of<float>(done->file->data(*done->file->layout().find("weight")));
}

} // namespace

TEST_CASE("every method gives the same bits for any number of threads and any order of the models") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  auto from = random_contributions(store, 5, 61);
  for (const auto& method : all_methods) {
    CAPTURE(method);
    const auto digest = digest_of(method, from, store);
    for (const std::size_t threads : {1, 7}) {
      const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
      std::rotate(from.begin(), from.begin() + 2, from.end());
      std::swap(from[0], from[1]);
      CHECK(digest_of(method, from, store) == digest);
    }
  }
}

TEST_CASE("distances are added up over the whole model, all floating types together") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto from = random_contributions(store, 5, 62);
  // Outside of a merge, tensor by tensor in one go: other sums, the same to rounding.
  std::vector<const contribution*> sorted;
  for (const auto& one : from)
    sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->file->digest() < b->file->digest(); });
  std::vector<double> totals(pair_count(5)), weights;
  for (const auto* one : sorted)
    weights.push_back(one->weight);
  const auto& tensors = from[0].file->layout().tensors();
  const auto inputs_of = [&](const tensor_info& tensor) {
    std::vector<const std::uint8_t*> inputs;
    for (const auto* one : sorted)
      inputs.push_back(one->file->data(tensor).data());
    return inputs;
  };
  for (const auto& tensor : tensors) {
    if (!is_floating(tensor.type)) continue;
    std::vector<double> sums(totals.size());
    squared_distances(tensor.type, inputs_of(tensor), tensor.size / size_of(tensor.type), sums);
    for (std::size_t p = 0; p < sums.size(); ++p)
      totals[p] += sums[p];
  }
  const auto shares = scale_weights(find_geometric_median(distance_table(totals, 5), weights).shares);
  const auto done = merge_models(method_of("geomedian"), from, store);
  REQUIRE(done);
  for (const auto& tensor : tensors) {
    bytes expected(tensor.size);
    weighted_mean(tensor.type, inputs_of(tensor), shares, expected.data(),
                  tensor.size / size_of(tensor.type));
    const auto got = done->file->data(*done->file->layout().find(tensor.name));
    if (tensor.type != dtype::f32) continue;
    const auto a = values_of<float>(expected), b = values_of<float>(got);
    for (std::size_t i = 0; i < a.size(); ++i)
      REQUIRE(std::fabs(a[i] - b[i]) <= 1e-7f);
  }
  const auto best = krum_order(distance_table(totals, 5), weights, 1).front();
  const auto chosen = merge_models(method_of("krum:1"), from, store);
  REQUIRE(chosen);
  for (const auto& tensor : tensors)
    if (is_floating(tensor.type))
      CHECK(to_bytes(chosen->file->data(*chosen->file->layout().find(tensor.name)))
            == to_bytes(sorted[best]->file->data(tensor)));
}

TEST_CASE("every method but the mean bears a hostile minority") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  std::vector<contribution> from;
  for (const float value : {0.9f, 1.0f, 1.1f, 1.2f, 0.8f})
    from.push_back({vector_model(store, std::vector<float>(50, value)), 1, fmt::format("good {}", value)});
  from.push_back({vector_model(store, std::vector<float>(50, 1e12f)), 1, "scaled"});
  for (const auto& method : all_methods) {
    CAPTURE(method);
    const auto value = merged_values(method, from, store).front();
    if (method == "mean")
      CHECK(value > 1e11f);
    else if (method.starts_with("clipped")) // bounded by the norm: 40 / sqrt(50) / 6 away from the centre
      CHECK(std::fabs(value - 1) < 1.1f);
    else
      CHECK(std::fabs(value - 1) < 0.21f);
  }
}

TEST_CASE("a clipped mean is the mean while every model is near") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<contribution> from{{vector_model(store, {1, 2}), 1, "a"},
                                       {vector_model(store, {3, 4}), 1, "b"},
                                       {vector_model(store, {3, 12}), 2, "c"}};
  CHECK(merged_values("clippedmean:100", from, store) == merged_values("mean", from, store));
  // The centre is (3, 8): halfway between 4 and 12, as half of the weight is at 12. The ways to the models
  // are sqrt(40), 4 and 4; cut to 1 they are a unit long each.
  const auto clipped = merged_values("clippedmean:1", from, store);
  const auto way = 1 / std::sqrt(40.0);
  CHECK(clipped[0] == doctest::Approx(3 - 2 * way / 4));
  CHECK(clipped[1] == doctest::Approx(8 + (-6 * way - 1 + 2) / 4));
}

TEST_CASE("values that are not finite are found by methods that would hide them") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<contribution> from{{vector_model(store, {1, 2}), 1, "a"},
                                       {vector_model(store, {2, nan}), 1, "diverged"},
                                       {vector_model(store, {3, 4}), 1, "b"},
                                       {vector_model(store, {2, 3}), 1, "c"},
                                       {vector_model(store, {2, -INFINITY}), 1, "burst"}};
  for (const auto& method : all_methods) {
    CAPTURE(method);
    const auto done = merge_models(method_of(method), from, store);
    REQUIRE(done);
    REQUIRE(done->excluded.size() == 2);
    CHECK(done->excluded[0].label == "diverged");
    CHECK(done->excluded[1].label == "burst");
    const auto values = values_of<float>(done->file->data(*done->file->layout().find("weight")));
    if (method == "krum:1") // of three models at equal scores any
      CHECK(values[1] == values[0] + 1);
    else
      CHECK(values == std::vector<float>{2, 3});
  }
}

TEST_CASE("one model, or a model without a number, is merged to itself by every method") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto one = vector_model(store, {1.5f, -0.0f, 7});
  const auto empty = vector_model(store, {});
  for (const auto& method : all_methods) {
    CAPTURE(method);
    CHECK(digest_of(method, {{one, 3, "one"}}, store) == one->digest());
    CHECK(digest_of(method, {{empty, 3, "one"}, {empty, 1, "two"}}, store) == empty->digest());
  }
}

TEST_CASE("a merge that looks at whole models first can be cancelled while it does") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto from = random_contributions(store, 3, 63);
  int asked = 0;
  const auto done = merge_models(method_of("krum:1"), from, store,
                                 [&](std::uint64_t, std::uint64_t) { return ++asked < 2; });
  REQUIRE(!done);
  CHECK(done.error().is(errc::cancelled));
}

} // namespace methods_methods_test
