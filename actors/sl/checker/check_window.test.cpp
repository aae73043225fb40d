#include "actors/sl/checker/check_window.hpp"

#include <doctest/doctest.h>

#include <numeric>

namespace check_window_test {

using namespace swarm;
using namespace swarm::actors;
using merge::chunk_size;

namespace {

/// Of two models with one tensor over `chunks` chunks that differ everywhere, or from `same` on nowhere but at their end.
merge::remerge of_two(std::uint64_t chunks, bool same_but_for_the_ends = false) {
  const auto layout =
      *merge::model_layout::make({{"w", merge::dtype::u8, {chunks * chunk_size - chunk_size / 2}}});
  std::vector<merge::checked_input> inputs(2);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].digest[0] = static_cast<std::uint8_t>(i);
    for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
      hash32 digest;
      digest[0] = static_cast<std::uint8_t>(chunk);
      const bool is_end = chunk == 0 || chunk + 1 == chunks;
      if (!same_but_for_the_ends || is_end) digest[1] = static_cast<std::uint8_t>(i + 1);
      inputs[i].chunks.push_back(digest);
    }
  }
  auto made = merge::remerge::make(merge::merge_method::mean, layout, std::move(inputs));
  REQUIRE(made);
  return std::move(*made);
}

std::vector<std::uint64_t> up_to(std::uint64_t count) {
  std::vector<std::uint64_t> out(count);
  std::iota(out.begin(), out.end(), std::uint64_t{0});
  return out;
}

} // namespace

TEST_CASE("a window takes as many chunks as there is memory for, and one at least") {
  const auto again = of_two(10);
  auto todo = up_to(10);
  const check_window first(again, todo, 2, 8 * chunk_size);
  CHECK(first.chunks() == up_to(4));
  CHECK(todo.front() == 4);
  const check_window tight(again, todo, 100, chunk_size);
  CHECK(tight.chunks() == std::vector<std::uint64_t>{4});
  const check_window rest(again, todo, 0, 100 * chunk_size);
  CHECK(rest.chunks().size() == 5);
  CHECK(todo.empty());
}

TEST_CASE("what is missing is asked for in runs, and what has come is not asked for again") {
  const auto again = of_two(10);
  std::vector<std::uint64_t> todo{1, 2, 3, 7, 9};
  check_window window(again, todo, 1, 100 * chunk_size);
  auto runs = window.missing_of(1);
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].first == 1);
  CHECK(runs[0].count == 3);
  CHECK(runs[2].first == 9);
  window.take(runs[0], bytes(3 * chunk_size, 5));
  window.take(runs[2], bytes(chunk_size / 2, 6));
  CHECK(window.missing_of(1).size() == 1);
  CHECK(window.missing_of(0).size() == 3);
  CHECK(window.bytes_of(1, 2).size() == chunk_size);
  CHECK(window.bytes_of(1, 9).size() == chunk_size / 2);
  CHECK(window.bytes_of(1, 7).empty());
  CHECK(window.bytes_of(0, 2).empty());
}

TEST_CASE("the ends of a tensor that may be the same in all models come along") {
  const auto again = of_two(6, true);
  std::vector<std::uint64_t> todo{3};
  const check_window window(again, todo, 1, 100 * chunk_size);
  CHECK(window.chunks() == std::vector<std::uint64_t>{3});
  std::uint64_t asked = 0;
  for (const auto& run : window.missing_of(0))
    asked += run.count;
  CHECK(asked == 3);
}

} // namespace check_window_test
