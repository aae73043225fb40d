#include "transport/p2p/neighbor_places.hpp"

#include <doctest/doctest.h>

#include <random>

namespace neighbor_places_test {

using namespace swarm;
using namespace swarm::p2p;

namespace {

hash32 organisation(std::uint8_t number) {
  hash32 out;
  out[31] = number;
  return out;
}

/// The places of a node, as it gives them away.
struct table {
  place_limits limits;
  std::vector<place> taken;
  std::uint64_t last_id = 0;
  place_found last;

  bool comes(std::uint8_t from, standing rank) {
    const place fresh{++last_id, organisation(from), rank};
    last = find_place(taken, fresh, limits);
    if (!last.why_not.empty()) return false;
    if (last.displaced)
      REQUIRE(std::erase_if(taken, [&](const place& p) { return p.id == *last.displaced; }) == 1);
    taken.push_back(fresh);
    return true;
  }
  std::size_t has(std::uint8_t from) const {
    return static_cast<std::size_t>(std::count_if(taken.begin(), taken.end(), [&](const place& each) {
      return each.organisation == organisation(from);
    }));
  }
};

} // namespace

TEST_CASE("however many keys an organisation makes, it has its places and no more") {
  table t;
  for (int i = 0; i < 64; ++i)
    CHECK(t.comes(1, standing::newcomer) == (i < 8));
  CHECK(t.last.over_share);
  CHECK(t.last.why_not == "its organisation has its 8 places beside those of validators");
  CHECK(t.comes(2, standing::newcomer));
  // Its registered SNs come before its newcomers, and take nothing from others.
  CHECK(t.comes(1, standing::registered));
  CHECK(t.last.displaced == 8);
  CHECK(t.has(1) == 8);
  // Its validators are beside them.
  CHECK(t.comes(1, standing::validator));
  CHECK_FALSE(t.last.displaced);
  CHECK(t.has(1) == 9);
}

TEST_CASE("newcomers of all organisations leave most places to those that the chain knows") {
  table t;
  for (std::uint8_t of = 1; of <= 2; ++of)
    for (int i = 0; i < 8; ++i)
      CHECK(t.comes(of, standing::newcomer));
  CHECK(t.comes(3, standing::newcomer)); // sixteen are taken, two organisations have more
  CHECK(t.last.displaced);
  CHECK(t.taken.size() == 16);
  for (int i = 0; i < 8; ++i)
    CHECK(t.comes(4, standing::registered));
  CHECK(t.taken.size() == 24);
}

TEST_CASE("a validator has a place as long as anybody else has one") {
  table t{.limits = {.all = 12}};
  for (std::uint8_t of = 1; of <= 4; ++of)
    for (int i = 0; i < 3; ++i)
      CHECK(t.comes(of, standing::registered));
  for (int i = 0; i < 12; ++i) {
    CHECK(t.comes(9, standing::validator));
    CHECK(t.last.displaced);
  }
  CHECK_FALSE(t.comes(9, standing::validator));
  CHECK_FALSE(t.last.over_share);
  CHECK(t.last.why_not == "there are 12 neighbors already");
  CHECK_FALSE(t.comes(8, standing::registered));
}

TEST_CASE("when all places are taken registered SNs of different organisations share them") {
  table t{.limits = {.all = 8, .organisation = 8}};
  for (int i = 0; i < 8; ++i)
    CHECK(t.comes(1, standing::registered));
  for (int i = 0; i < 4; ++i)
    CHECK(t.comes(2, standing::registered));
  CHECK_FALSE(t.comes(2, standing::registered));
  CHECK_FALSE(t.comes(2, standing::newcomer));
  CHECK(t.has(1) == 4);
  CHECK(t.has(2) == 4);
}

TEST_CASE("whatever comes, the bounds hold and an organisation within its due is not kept out") {
  std::mt19937 random(11);
  table t{.limits = {.all = 20, .organisation = 4}};
  for (int i = 0; i < 4'000; ++i) {
    const auto from = static_cast<std::uint8_t>(1 + random() % 3);
    const auto rank = random() % 20 == 0 ? standing::validator : standing(random() % 2);
    const auto validators = [&] {
      return std::count_if(t.taken.begin(), t.taken.end(),
                           [](const place& each) { return each.rank == standing::validator; });
    }();
    const bool taken = t.comes(from, rank);
    if (rank == standing::validator) CHECK(taken == (validators < 20));
    REQUIRE(t.taken.size() <= 20);
    for (std::uint8_t of = 1; of <= 3; ++of)
      REQUIRE(std::count_if(t.taken.begin(), t.taken.end(),
                            [&](const place& each) {
                              return each.organisation == organisation(of)
                                     && each.rank != standing::validator;
                            })
              <= 4);
    if (random() % 3 == 0 && !t.taken.empty())
      t.taken.erase(t.taken.begin() + static_cast<std::ptrdiff_t>(random() % t.taken.size()));
  }
}

} // namespace neighbor_places_test
