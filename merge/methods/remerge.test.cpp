#include "merge/methods/remerge.hpp"

#include "base/random.hpp"
#include "base/sum_tree.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace remerge_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

constexpr auto nan_value = std::numeric_limits<float>::quiet_NaN();

std::vector<float> noise(seeded_random& random, std::size_t count) {
  std::vector<float> out(count);
  for (auto& x : out)
    x = static_cast<float>(random.below(1u << 20)) * 0x1p-20f - 0.5f;
  return out;
}

/// Tensors over several chunks and within one, of which `frozen...` are the same in all models, `almost` but for its last
/// element, and the others of no two.
std::vector<named_tensor> model_of(std::uint64_t seed) {
  seeded_random random(seed), all(7);
  auto almost = noise(all, 700'001);
  almost.back() = static_cast<float>(seed);
  std::vector<std::int64_t> counts(50'000);
  for (auto& x : counts)
    x = static_cast<std::int64_t>(random.below(3));
  const std::vector<std::uint8_t> flags{1, 0, static_cast<std::uint8_t>(seed % 2)};
  return {{"almost", dtype::f32, {700'001}, raw_of(almost)},
          {"counts", dtype::i64, {50'000}, raw_of(counts)},
          {"flags", dtype::boolean, {3}, raw_of(flags)},
          {"frozen.large", dtype::f32, {900'003}, raw_of(noise(all, 900'003))},
          {"frozen.nan", dtype::f32, {2}, raw_of(std::vector<float>{nan_value, 1})},
          {"frozen.small", dtype::f32, {5}, raw_of(noise(all, 5))},
          {"step", dtype::f64, {}, raw_of(std::vector<double>{static_cast<double>(100 + seed)})},
          {"weight.large", dtype::f32, {1'100'001}, raw_of(noise(random, 1'100'001))},
          {"weight.small", dtype::f32, {9}, raw_of(noise(random, 9))}};
}

struct fixture {
  temp_directory directory;
  model_store store = open_store(directory.path());
  std::vector<contribution> from;

  void add(const std::vector<named_tensor>& model, double weight = 1) {
    from.push_back({store_model(store, model), weight, fmt::format("peer {}", from.size())});
  }

  result<remerge> made(const merge_method& method) const {
    std::vector<checked_input> inputs;
    for (const auto& one : from)
      inputs.push_back({one.file->digest(), one.file->manifest().chunks, one.weight});
    return remerge::make(method, from.front().file->layout(), std::move(inputs));
  }

  bytes_view chunk_of(std::size_t input, std::uint64_t index) const { return part(*from[input].file, index); }
  static bytes_view part(const model_file& file, std::uint64_t index) {
    const auto first = index * chunk_size;
    return file.raw().subspan(first, std::min(chunk_size, file.size() - first));
  }
  /// With no other bytes than those that it asks for.
  result<bytes> chunk(const remerge& again, std::uint64_t index) const {
    const auto needs = again.needs(index);
    const std::set<std::uint64_t> here(needs.begin(), needs.end());
    return again.chunk(index, [&](std::size_t input, std::uint64_t which) {
      return here.contains(which) ? chunk_of(input, which) : bytes_view{};
    });
  }
};

/// In one element of "weight.large".
std::vector<named_tensor> model_with_nan() {
  auto model = model_of(2);
  auto& large = model[7];
  REQUIRE(large.name == "weight.large");
  std::memcpy(large.data.data() + large.data.size() / 8 * 4, &nan_value, sizeof(nan_value));
  return model;
}

} // namespace

TEST_CASE("each chunk is made again to the bit, by whoever has only that chunk of the contributions") {
  fixture f;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    f.add(model_of(seed), static_cast<double>(seed));
  for (const std::string text : {"mean", "coordmedian", "trimmedmean:0.2"}) {
    const auto method = parse_merge_method(text);
    REQUIRE(method);
    const auto merged = merge_models(*method, f.from, f.store);
    REQUIRE(merged);
    const auto again = f.made(*method);
    REQUIRE(again);
    REQUIRE(again->chunk_count() == merged->file->manifest().chunks.size());
    std::size_t asked = 0;
    for (std::uint64_t index = 0; index < again->chunk_count(); ++index) {
      const auto made = f.chunk(*again, index);
      REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
      CHECK(std::ranges::equal(*made, fixture::part(*merged->file, index)));
      asked += again->needs(index).size();
    }
    CHECK(asked < 3 * again->chunk_count()); // two more for chunks of a tensor that may be the same in all
  }
}

/// What a run of chunks is measured to, unit by unit, with no other bytes than those that its chunks need.
std::vector<double> units_of(const fixture& f, const remerge& again, std::uint64_t first, std::uint64_t last,
                             unsigned level) {
  std::vector<double> chunks;
  for (auto index = first; index < last; ++index) {
    const auto needs = again.needs(index);
    const std::set<std::uint64_t> here(needs.begin(), needs.end());
    const auto sums = again.measure(index, [&](std::size_t input, std::uint64_t which) {
      return here.contains(which) ? f.chunk_of(input, which) : bytes_view{};
    });
    REQUIRE_MESSAGE(sums, (sums ? "" : sums.error().message));
    chunks.insert(chunks.end(), sums->begin(), sums->end());
  }
  return sums_above(std::move(chunks), again.measures(), level);
}

TEST_CASE("who has only runs of the models gets the same merge from what these are measured to") {
  fixture f;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    f.add(model_of(seed), static_cast<double>(seed));
  seeded_random random(11);
  for (const std::string text : {"geomedian", "krum:1", "multikrum:1,3", "clippedmean:5"}) {
    CAPTURE(text);
    const auto method = parse_merge_method(text).value();
    const auto merged = merge_models(method, f.from, f.store);
    REQUIRE(merged);
    std::vector<double> seen;
    for (int split = 0; split < 4; ++split) {
      const auto level = static_cast<unsigned>(random.below(4));
      auto again = f.made(method).value();
      const auto chunks = again.chunk_count();
      // Each maker has a run of units.
      std::vector<double> units;
      for (std::uint64_t first = 0; first < chunks;) {
        const auto last = std::min(chunks, first + ((1 + random.below(3)) << level));
        const auto own = units_of(f, again, first, last, level);
        units.insert(units.end(), own.begin(), own.end());
        first = last;
      }
      const auto totals = sums_above(std::move(units), again.measures(), tree_height(chunks));
      if (split == 0) seen = totals;
      CHECK(totals == seen);
      again.decide(totals);
      for (std::uint64_t index = 0; index < chunks; ++index)
        CHECK(std::ranges::equal(f.chunk(again, index).value(), fixture::part(*merged->file, index)));
    }
  }
}

TEST_CASE("what is not finite is not measured, and NaN that is the same in all is") {
  fixture f;
  f.add(model_of(1));
  f.add(model_with_nan());
  const auto again = f.made(merge_method::geomedian).value();
  std::size_t bad = 0;
  for (std::uint64_t index = 0; index < again.chunk_count(); ++index) {
    const auto sums = again.measure(
        index, [&](std::size_t input, std::uint64_t which) { return f.chunk_of(input, which); });
    if (sums) {
      CHECK(std::isfinite(sums->front()));
      continue;
    }
    CHECK(sums.error().is(remerge_errc::not_finite));
    CHECK(sums.error().message.find("weight.large") != std::string::npos);
    ++bad;
  }
  CHECK(bad == 1);
}

TEST_CASE("small models, and one alone") {
  fixture f;
  f.add({{"w", dtype::f32, {3}, raw_of(std::vector<float>{1, 2, std::numeric_limits<float>::infinity()})},
         {"empty", dtype::f32, {0}, {}}});
  const auto alone = f.made(merge_method::mean);
  REQUIRE(alone);
  CHECK(f.chunk(*alone, 0) == bytes(f.chunk_of(0, 0).begin(), f.chunk_of(0, 0).end()));
  f.add({{"w", dtype::f32, {3}, raw_of(std::vector<float>{3, 2, std::numeric_limits<float>::infinity()})},
         {"empty", dtype::f32, {0}, {}}});
  const auto two = f.made(merge_method::mean);
  REQUIRE(two);
  CHECK(f.chunk(*two, 0).error().is(remerge_errc::not_finite));
}

TEST_CASE("NaN that is not the same in all is found in the chunk that has it, and in no other") {
  fixture f;
  f.add(model_of(1));
  f.add(model_with_nan());
  const auto again = f.made(merge_method::mean);
  REQUIRE(again);
  std::size_t bad = 0;
  for (std::uint64_t index = 0; index < again->chunk_count(); ++index)
    if (const auto made = f.chunk(*again, index); !made) {
      CHECK(made.error().is(remerge_errc::not_finite));
      CHECK(made.error().message.find("weight.large") != std::string::npos);
      ++bad;
    }
  CHECK(bad == 1);
}

TEST_CASE("a file that has its tensors elsewhere, bytes that are not here and methods that look at whole "
          "models are refused") {
  fixture f;
  f.add(model_of(1));
  f.add(model_of(2));
  const auto again = f.made(merge_method::mean);
  REQUIRE(again);
  CHECK(
      again->chunk(0, [](std::size_t, std::uint64_t) { return bytes_view{}; }).error().is(errc::unavailable));
  bytes other(f.chunk_of(1, 0).begin(), f.chunk_of(1, 0).end());
  std::swap(other[20], other[21]);
  const auto moved = again->chunk(0, [&](std::size_t input, std::uint64_t index) {
    return input == 1 && index == 0 ? bytes_view(other) : f.chunk_of(input, index);
  });
  CHECK(moved.error().is(remerge_errc::other_place));
  const auto unmeasured = f.made(merge_method::geomedian);
  REQUIRE(unmeasured);
  CHECK(f.chunk(*unmeasured, 0).error().is(errc::invalid));
  CHECK(f.made(parse_merge_method("custom:any").value()).error().is(errc::invalid));
  auto short_one = std::vector<checked_input>{{f.from[0].file->digest(), {hash32{}}, 1}};
  CHECK(remerge::make(merge_method::mean, f.from[0].file->layout(), std::move(short_one))
            .error()
            .is(errc::invalid));
}

} // namespace remerge_test
