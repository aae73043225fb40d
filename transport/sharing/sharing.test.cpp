#include "transport/sharing/fair_places.hpp"
#include "transport/sharing/waiting_room.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

namespace sharing_test {

using namespace swarm;
using namespace swarm::transport;

namespace {

hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}

place_owner owner(std::uint8_t organisation, std::uint8_t certificate) {
  return {hash_of(organisation), hash_of(certificate)};
}

} // namespace

TEST_CASE("who opens many connections loses his own, the oldest first") {
  waiting_room<std::string> room(4);
  CHECK_FALSE(room.enter(1, "honest"));
  for (std::uint64_t id = 2; id <= 4; ++id)
    CHECK_FALSE(room.enter(id, "attacker"));
  CHECK(room.enter(5, "attacker") == 2);
  CHECK(room.enter(6, "attacker") == 3);
  CHECK(room.enter(7, "honest") == 4);
  CHECK(room.size() == 4);
  CHECK(room.leave(1));
  CHECK_FALSE(room.leave(1));
  CHECK(room.size() == 3);
  CHECK_FALSE(room.enter(8, "third"));
  CHECK(room.enter(9, "third") == 5); // attacker and third have two each now: the older one goes
}

TEST_CASE("when all come from one place everybody has a turn of the whole room") {
  waiting_room<std::string> room(100);
  for (std::uint64_t id = 1; id <= 10'000; ++id) {
    const auto gone = room.enter(id, "proxy");
    CHECK(gone.value_or(0) == (id > 100 ? id - 100 : 0));
  }
}

TEST_CASE("a room without places displaces the newcomer itself") {
  waiting_room<int> room(0);
  CHECK(room.enter(1, 1) == 1);
  CHECK(room.size() == 0);
}

TEST_CASE("organisations share places, and certificates those of their organisation") {
  fair_places places(6);
  for (std::uint64_t id = 1; id <= 6; ++id)
    CHECK(places.take(id, owner(1, static_cast<std::uint8_t>(id))).taken); // all while nobody else wants any
  const auto first = places.take(7, owner(2, 50));
  CHECK(first.taken);
  CHECK(first.displaced.has_value());
  CHECK(first.displaced_owner.organisation == hash_of(1));
  CHECK(places.take(8, owner(2, 50)).taken);
  CHECK(places.take(9, owner(2, 50)).taken);
  CHECK(places.size_of(hash_of(1)) == 3);
  CHECK_FALSE(places.take(10, owner(2, 50)).taken);  // three each
  CHECK_FALSE(places.take(11, owner(1, 99)).taken);  // another certificate wins its organisation nothing
  const auto within = places.take(12, owner(2, 51)); // but within it they share
  CHECK(within.displaced == 9);
  CHECK(within.displaced_owner == owner(2, 50));
  places.give_back(12);
  places.give_back(12);
  CHECK(places.size() == 5);
  CHECK(places.take(13, owner(1, 99)).taken);
}

TEST_CASE("an old connection stays, the newest one goes") {
  fair_places places(3);
  for (std::uint64_t id = 1; id <= 3; ++id)
    CHECK(places.take(id, owner(1, 1)).taken);
  CHECK(places.take(4, owner(2, 2)).displaced == 3);
  CHECK_FALSE(places.take(5, owner(2, 2)).taken); // one more would only turn the tables
}

TEST_CASE("whatever comes and goes, nobody below a fair share is displaced or refused") {
  std::mt19937 random(7);
  fair_places places(12);
  std::map<std::uint64_t, place_owner> model;
  const auto held_by = [&](const hash32& organisation) {
    std::size_t out = 0;
    for (const auto& [id, each] : model)
      out += each.organisation == organisation ? 1 : 0;
    return out;
  };
  for (std::uint64_t id = 1; id <= 5'000; ++id) {
    const auto who = owner(static_cast<std::uint8_t>(random() % 3 == 0 ? 1 + random() % 3 : 1),
                           static_cast<std::uint8_t>(random() % 40));
    const auto before = held_by(who.organisation);
    const auto answer = places.take(id, who);
    if (before < 3) REQUIRE(answer.taken); // a quarter, with three organisations about
    if (answer.displaced) {
      REQUIRE(model.at(*answer.displaced) == answer.displaced_owner);
      model.erase(*answer.displaced);
    }
    if (answer.taken) model.emplace(id, who);
    if (random() % 4 == 0 && !model.empty()) {
      const auto gone = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()))->first;
      places.give_back(gone);
      model.erase(gone);
    }
    REQUIRE(places.size() == model.size());
    REQUIRE(model.size() <= 12);
  }
}

} // namespace sharing_test
