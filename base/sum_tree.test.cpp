#include "base/sum_tree.hpp"

#include "base/random.hpp"

#include <doctest/doctest.h>

namespace sum_tree_test {

using namespace swarm;

namespace {

/// Of very different sizes, so that another order of additions gives other bits.
std::vector<double> some_sums(std::size_t count, std::uint64_t seed) {
  seeded_random random(seed);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<double>(1 + random.below(1u << 30))
                  * (random.below(3) == 0 ? 0x1p-60 : 0x1p-20));
  return out;
}

/// Cut at the largest power of two below the number of chunks, as RFC 6962 cuts its trees.
double sum_by_definition(std::span<const double> sums) {
  if (sums.size() == 1) return sums.front();
  std::size_t cut = 1;
  while (2 * cut < sums.size())
    cut *= 2;
  return sum_by_definition(sums.first(cut)) + sum_by_definition(sums.subspan(cut));
}

} // namespace

TEST_CASE("a total is that of the tree, chunk by chunk and from the totals of its parts") {
  constexpr std::size_t width = 3;
  std::size_t differs_from_plain_order = 0;
  for (std::size_t count = 1; count <= 70; ++count) {
    CAPTURE(count);
    const auto sums = some_sums(count * width, count);
    std::vector<double> expected;
    for (std::size_t i = 0; i < width; ++i) {
      std::vector<double> own;
      double plain = 0;
      for (std::size_t chunk = 0; chunk < count; ++chunk) {
        own.push_back(sums[chunk * width + i]);
        plain += own.back();
      }
      expected.push_back(sum_by_definition(own));
      if (plain != expected.back()) ++differs_from_plain_order;
    }
    sum_tree tree(width);
    for (std::size_t chunk = 0; chunk < count; ++chunk)
      tree.add(std::span(sums).subspan(chunk * width, width));
    CHECK(tree.total() == expected);
    for (unsigned level = 0; level <= tree_height(count) + 1; ++level) {
      const auto units = sums_above(sums, width, level);
      CHECK(units.size() == tree_width(count, level) * width);
      CHECK(sums_above(units, width, tree_height(count)) == expected);
      // Whoever has only some of the units gets the same of these.
      std::vector<double> apart;
      for (std::size_t first = 0; first < count; first += std::size_t{1} << level) {
        const auto last = std::min(count, first + (std::size_t{1} << level));
        const auto own = sums_above({sums.begin() + static_cast<std::ptrdiff_t>(first * width),
                                     sums.begin() + static_cast<std::ptrdiff_t>(last * width)},
                                    width, level);
        apart.insert(apart.end(), own.begin(), own.end());
      }
      CHECK(apart == units);
    }
  }
  CHECK(differs_from_plain_order > 50);
  CHECK(sum_tree(2).total() == std::vector<double>{0, 0});
}

} // namespace sum_tree_test
