#include "merge/methods/merge.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "merge/methods/elect.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace merge_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::wording;

namespace {

constexpr auto nan_value = std::numeric_limits<float>::quiet_NaN();

std::shared_ptr<const model_file> small_model(model_store& store, const std::vector<float>& weights,
                                              float bias = 0) {
  return store_model(store, {{"weight", dtype::f32, {weights.size()}, raw_of(weights)},
                             {"bias", dtype::f32, {}, raw_of<float>({bias})}});
}

std::vector<float> values(const model_file& file, const std::string& name = "weight") {
  return values_of<float>(file.data(*file.layout().find(name)));
}

wording message_of(const result<merged>& from) {
  return from ? "no error" : from.error().message;
}

} // namespace

TEST_CASE("models are merged by their weights into a new model of the store") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<contribution> from{{small_model(store, {1, 2, 3}, 1), 1, "one"},
                                       {small_model(store, {5, 6, 7}, 2), 3, "two"},
                                       {small_model(store, {nan_value, 0, 0}), 0, "weightless"}};
  std::vector<std::uint64_t> progress;
  const auto done =
      merge_models(merge_method::mean, from, store, [&](std::uint64_t bytes, std::uint64_t total) {
        CHECK(bytes <= total);
        progress.push_back(bytes);
        return true;
      });
  REQUIRE_MESSAGE(done, message_of(done));
  CHECK(done->excluded.empty());
  CHECK(values(*done->file) == std::vector<float>{4, 5, 6});
  CHECK(values(*done->file, "bias") == std::vector<float>{1.75});
  CHECK(done->file->layout() == from[0].file->layout());
  CHECK(done->size == done->file->size());
  CHECK(store.open(done->digest).value() == done->file);
  CHECK(progress.size() == 2);
  CHECK(progress.back() == done->size);
}

TEST_CASE("large models of many types are merged block by block as tensor by tensor") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  seeded_random random(4);
  std::vector<contribution> from;
  std::vector<std::vector<named_tensor>> models;
  for (int k = 0; k < 3; ++k) {
    std::vector<named_tensor> tensors;
    const auto add = [&](std::string name, dtype type, std::uint64_t count) {
      bytes data(count * size_of(type));
      for (auto& byte : data)
        byte = static_cast<std::uint8_t>(random.below(type == dtype::boolean ? 2 : 100));
      tensors.push_back({std::move(name), type, {count}, std::move(data)});
    };
    add("large", dtype::f32, 5'000'001); // more than one block
    add("wide", dtype::f64, 300'001);
    add("half", dtype::f16, 70'001);
    add("long", dtype::i64, 1001);
    add("mask", dtype::boolean, 40'001);
    add("empty", dtype::f32, 0);
    for (int i = 0; i < 300; ++i)
      add(fmt::format("small.{}", i), i % 2 == 0 ? dtype::f32 : dtype::i8,
          random.below(3) + static_cast<unsigned>(k) * 0 + 1);
    if (k > 0) { // the same shapes in all models
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        tensors[i].shape = models[0][i].shape;
        tensors[i].data.resize(models[0][i].data.size());
      }
    }
    from.push_back({store_model(store, tensors), 1.0 + k, fmt::format("peer {}", k)});
    models.push_back(std::move(tensors));
  }
  const auto done = merge_models(merge_method::mean, from, store);
  REQUIRE_MESSAGE(done, message_of(done));
  std::vector<std::size_t> order{0, 1, 2}; // models are summed in the order of their digests
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return from[a].file->digest() < from[b].file->digest(); });
  const auto weights = scale_weights(std::vector<double>{1.0 + static_cast<double>(order[0]),
                                                         1.0 + static_cast<double>(order[1]),
                                                         1.0 + static_cast<double>(order[2])});
  for (std::size_t i = 0; i < models[0].size(); ++i) {
    const auto& tensor = models[0][i];
    bytes expected(tensor.data.size());
    const std::vector<const std::uint8_t*> inputs{
        models[order[0]][i].data.data(), models[order[1]][i].data.data(), models[order[2]][i].data.data()};
    const auto count = expected.size() / size_of(tensor.type);
    if (is_floating(tensor.type))
      weighted_mean(tensor.type, inputs, weights, expected.data(), count);
    else
      elect(tensor.type, inputs, weights.each, expected.data(), count);
    CHECK_MESSAGE(to_bytes(done->file->data(*done->file->layout().find(tensor.name))) == expected,
                  tensor.name);
  }
  CHECK(make_manifest(done->file->raw()).digest() == done->digest);
}

TEST_CASE(
    "contributions with other parameters or bad values are left out and named, the rest keeps its weights") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<contribution> from{
      {small_model(store, {1, 1, 1, 1}), 5, "other shape"},
      {small_model(store, {1, 2, 3}), 1, "good"},
      {small_model(store, {0, nan_value, INFINITY}, nan_value), 9, "diverged"},
      {store_model(store, {{"weights", dtype::f32, {3}, bytes(12)}, {"bias", dtype::f32, {}, bytes(4)}}), 2,
       "other name"},
      {small_model(store, {5, 6, 7}), 3, "also good"}};
  const auto done = merge_models(merge_method::mean, from, store);
  REQUIRE_MESSAGE(done, message_of(done));
  CHECK(values(*done->file) == std::vector<float>{4, 5, 6});
  REQUIRE(done->excluded.size() == 3);
  CHECK(done->excluded[0].label == "other shape");
  CHECK(done->excluded[0].reason == "other parameters than most: 'weight' has shape [4] instead of [3]");
  CHECK(done->excluded[1].label == "diverged");
  CHECK(done->excluded[0].cause == merge::exclusion_cause::other_parameters);
  CHECK(done->excluded[1].cause == merge::exclusion_cause::not_finite);
  CHECK(done->excluded[1].reason == "'bias' has 1 NaN or infinite values of 1; 3 in 2 tensors");
  CHECK(done->excluded[2].label == "other name");
  CHECK(done->excluded[2].reason == "other parameters than most: 'weight' is missing; 'weights' is extra");
}

TEST_CASE("files whose tensors are not where this project writes them are left out") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto good = small_model(store, {1, 2}, 4);
  const auto stored = [&store](std::string_view json) {
    auto writer = store.create(8 + json.size() + 12);
    REQUIRE(writer);
    REQUIRE(writer->write(bytes{static_cast<std::uint8_t>(json.size()), 0, 0, 0, 0, 0, 0, 0}));
    REQUIRE(writer->write(as_bytes(json)));
    REQUIRE(writer->write(raw_of<float>({10, 20, 30})));
    auto file = writer->finish();
    REQUIRE(file);
    return *file;
  };
  const auto header = as_text(good->layout().canonical_header()).substr(8);
  const std::vector<contribution> from{
      {stored(R"({"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
              R"("bias":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})"
              "     "),
       1, "in another order"},
      {stored(std::string(header) + "        "), 9, "after more spaces"},
      {good, 1, "ours"}};
  for (const auto& one : from)
    CHECK(one.file->layout() == good->layout());
  const auto done = merge_models(merge_method::mean, from, store);
  REQUIRE_MESSAGE(done, message_of(done));
  CHECK(done->file->raw().size() == good->size());
  CHECK(values(*done->file) == std::vector<float>{1, 2});
  REQUIRE(done->excluded.size() == 2);
  for (const auto& one : done->excluded)
    CHECK(one.cause == merge::exclusion_cause::other_parameters);
}

TEST_CASE("of equally common layouts the earliest counts") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<contribution> from{{small_model(store, {1}), 1, "first"},
                                       {small_model(store, {2, 2}), 100, "second"}};
  const auto done = merge_models(merge_method::mean, from, store);
  REQUIRE_MESSAGE(done, message_of(done));
  CHECK(values(*done->file) == std::vector<float>{1});
  CHECK(done->excluded.at(0).label == "second");
}

TEST_CASE("a merge that cannot be says why and leaves nothing behind") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto good = small_model(store, {1, 2}), bad = small_model(store, {nan_value, 2}),
             worse = small_model(store, {nan_value, 3});
  const auto before = store.list();
  const auto merge_of = [&](const std::vector<contribution>& from) {
    return merge_models(merge_method::mean, from, store);
  };
  CHECK(merge_of({}).error().is(merge_errc::nothing_to_merge));
  const auto all_bad = merge_of({{bad, 1, "a"}, {worse, 1, "b"}});
  REQUIRE(!all_bad);
  CHECK(all_bad.error().is(merge_errc::nothing_to_merge));
  CHECK(wording(all_bad.error())
        == "no contribution can be merged; a: 'weight' has 1 NaN or infinite values of 2; b: 'weight' has 1 "
           "NaN or "
           "infinite values of 2");
  CHECK(message_of(merge_of({{good, -1, "a"}})) == "a: weight -1 is not a number >= 0");
  CHECK(merge_of({{good, std::nan(""), "a"}}).error().is(merge_errc::bad_weight));
  CHECK(merge_of({{good, INFINITY, "a"}}).error().is(merge_errc::bad_weight));
  CHECK(message_of(merge_of({{good, 0, "a"}, {good, 0, "b"}})) == "all 2 contributions have weight 0");
  const auto custom = merge_models(parse_merge_method("custom:best").value(),
                                   std::vector<contribution>{{good, 1, "a"}}, store);
  REQUIRE(!custom);
  CHECK(custom.error().is(merge_errc::not_implemented));
  CHECK(wording(custom.error()) == "merge method 'custom:best' needs its library");
  const auto cancelled =
      merge_models(merge_method::mean, std::vector<contribution>{{good, 1, "a"}, {bad, 0, "b"}}, store,
                   [](std::uint64_t, std::uint64_t) { return false; });
  REQUIRE(!cancelled);
  CHECK(cancelled.error().is(errc::cancelled));
  CHECK(store.list() == before);
}

TEST_CASE("a store without room stops the merge") {
  const temp_directory directory;
  auto store = open_store(directory.path(), {.bytes_max = 400});
  const auto one = small_model(store, {1, 2}), two = small_model(store, {3, 4});
  const auto done =
      merge_models(merge_method::mean, std::vector<contribution>{{one, 1, "a"}, {two, 1, "b"}}, store);
  REQUIRE(!done);
  CHECK(done.error().is(merge_errc::store_full));
}

TEST_CASE("a model without a single number can be merged") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto empty = store_model(store, {{"none", dtype::f32, {0}, {}}});
  const auto done =
      merge_models(merge_method::mean, std::vector<contribution>{{empty, 1, "a"}, {empty, 1, "b"}}, store);
  REQUIRE_MESSAGE(done, message_of(done));
  CHECK(done->digest == empty->digest());
}

} // namespace merge_test
