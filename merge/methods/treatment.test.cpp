#include "merge/methods/treatment.hpp"

#include "merge/methods/merge.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace treatment_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

constexpr auto infinity = std::numeric_limits<float>::infinity();
constexpr auto nan_value = std::numeric_limits<float>::quiet_NaN();

template <class T>
named_tensor vector_of(std::string name, dtype type, const std::vector<T>& values) {
  return {std::move(name), type, {values.size()}, raw_of(values)};
}

named_tensor scalar_of(std::string name, double value) {
  return {std::move(name), dtype::f64, {}, raw_of<double>({value})};
}

result<merged> merge_of(model_store& store, const std::vector<std::vector<named_tensor>>& models) {
  std::vector<contribution> from;
  for (std::size_t i = 0; i < models.size(); ++i)
    from.push_back({store_model(store, models[i]), 1.0, "peer " + std::to_string(i)});
  return merge_models(merge_method::mean, from, store);
}

template <class T>
std::vector<T> values(const result<merged>& from, const std::string& name) {
  REQUIRE_MESSAGE(from, (from ? "" : from.error().message));
  return values_of<T>(from->file->data(*from->file->layout().find(name)));
}

} // namespace

TEST_CASE("what is the same in all models is carried, whatever it stands for") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  constexpr std::int64_t prime = (std::int64_t{1} << 61) - 1;
  const auto model = [&](float weight) {
    return std::vector<named_tensor>{vector_of<float>("mask", dtype::f32, {0, -infinity}),
                                     vector_of<float>("unset", dtype::f32, {nan_value, nan_value}),
                                     vector_of<std::int64_t>("hashes", dtype::i64, {prime, -prime}),
                                     vector_of<float>("weight", dtype::f32, {weight, 1})};
  };
  const auto done = merge_of(store, {model(2), model(4), model(6)});
  CHECK(values<float>(done, "mask") == std::vector<float>{0, -infinity});
  CHECK(std::isnan(values<float>(done, "unset")[1]));
  CHECK(values<std::int64_t>(done, "hashes") == std::vector<std::int64_t>{prime, -prime});
  CHECK(values<float>(done, "weight") == std::vector<float>{4, 1});
  CHECK(done->excluded.empty());
}

TEST_CASE("a constant beside a value that is not finite does not keep its node out, the value does") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto model = [&](float weight) {
    return std::vector<named_tensor>{vector_of<float>("mask", dtype::f32, {-infinity, -infinity, 0}),
                                     vector_of<float>("weight", dtype::f32, {weight, 1})};
  };
  const auto done = merge_of(store, {model(2), model(nan_value), model(6)});
  CHECK(values<float>(done, "weight") == std::vector<float>{4, 1});
  REQUIRE(done->excluded.size() == 1);
  CHECK(done->excluded[0].label == "peer 1");
  CHECK(done->excluded[0].reason == "'weight' has 1 NaN or infinite values of 2");
}

TEST_CASE("integers, flags and counters are elected") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto model = [&](std::int32_t id, std::uint8_t flag, double steps) {
    return std::vector<named_tensor>{vector_of<std::int32_t>("id", dtype::i32, {id}),
                                     vector_of<std::uint8_t>("flag", dtype::boolean, {flag}),
                                     scalar_of("steps", steps)};
  };
  const auto done = merge_of(store, {model(10, 1, 100), model(90, 0, 103), model(10, 1, 101)});
  CHECK(values<std::int32_t>(done, "id") == std::vector<std::int32_t>{10});
  CHECK(values<std::uint8_t>(done, "flag") == std::vector<std::uint8_t>{1});
  CHECK(values<double>(done, "steps") == std::vector<double>{103});
  // A scalar that is a quantity is merged as one.
  const auto scale = merge_of(store, {{scalar_of("scale", 1)}, {scalar_of("scale", 1.5)}});
  CHECK(values<double>(scale, "scale") == std::vector<double>{1.25});
}

TEST_CASE("a model that is alone is carried, but not with NaN") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto mask = merge_of(store, {{vector_of<float>("mask", dtype::f32, {-infinity, 1})}});
  CHECK(values<float>(mask, "mask") == std::vector<float>{-infinity, 1});
  for (const auto type : {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}) {
    named_tensor bad{"w", type, {2}, bytes(2 * size_of(type), 0xff)};
    CHECK(merge_of(store, {{bad}}).error().is(merge_errc::nothing_to_merge));
  }
}

TEST_CASE("a difference anywhere in a large tensor is found") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  constexpr std::size_t count = 9'000'000; // more than two windows
  std::vector<float> zeros(count, 0), other(count, 0);
  const auto plan_of = [&] {
    const auto a = store_model(store, {vector_of<float>("w", dtype::f32, zeros)});
    const auto b = store_model(store, {vector_of<float>("w", dtype::f32, other)});
    const std::vector<const model_file*> files{a.get(), b.get()};
    return plan_treatments(files).at(0);
  };
  CHECK(plan_of() == treatment::carried);
  other.back() = 1;
  CHECK(plan_of() == treatment::merged);
  other.back() = 0;
  other[count / 2] = -0.0F;
  CHECK(plan_of() == treatment::merged); // by the bits
}

} // namespace treatment_test
