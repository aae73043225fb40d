#include "transport/p2p/neighbor_book.hpp"

#include "transport/p2p/txn_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace neighbor_book_test {

using namespace swarm;
using namespace swarm::p2p;
using namespace std::chrono_literals;

namespace {

address account(std::uint8_t last) {
  address out;
  out[19] = last;
  return out;
}
hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}
shared_bytes raw_of(std::size_t size) {
  return std::make_shared<const bytes>(size, 1);
}

} // namespace

TEST_CASE("of two connections both ends keep the same one") {
  const auto low = account(1), high = account(2);
  // Each dialled the other at the same time: the lower account's stays, in whatever order they are seen.
  const connection_facts by_low_at_low{true, 5, 1}, by_high_at_low{false, 5, 3};
  const connection_facts by_low_at_high{false, 6, 1}, by_high_at_high{true, 6, 3};
  CHECK(fresh_one_stays(low, high, by_high_at_low, by_low_at_low));
  CHECK_FALSE(fresh_one_stays(low, high, by_low_at_low, by_high_at_low));
  CHECK(fresh_one_stays(high, low, by_high_at_high, by_low_at_high));
  CHECK_FALSE(fresh_one_stays(high, low, by_low_at_high, by_high_at_high));
  // The same node dialled twice: the later connection stays.
  CHECK(fresh_one_stays(low, high, {true, 5, 1}, {true, 5, 2}));
  CHECK_FALSE(fresh_one_stays(low, high, {true, 5, 2}, {true, 5, 1}));
  CHECK(fresh_one_stays(high, low, {false, 6, 1}, {false, 6, 2}));
  CHECK_FALSE(fresh_one_stays(high, low, {false, 6, 2}, {false, 6, 1}));
  // A restarted neighbor's connection always wins over those from before the restart.
  CHECK(fresh_one_stays(low, high, {true, 5, 9}, {false, 7, 1}));
}

TEST_CASE("configured endpoints are dialled for ever, with growing pauses") {
  neighbor_book book({}, account(9), 1);
  time_point now{};
  book.configure("sn-1:30303", now);
  duration last{};
  for (int i = 0; i < 12; ++i) {
    const auto orders = book.due({}, 0, now);
    REQUIRE(orders.size() == 1);
    CHECK_FALSE(orders[0].expected);
    CHECK(book.due({}, 0, now + 1h).empty()); // under way
    CHECK(book.dial_ended("sn-1:30303", 0s, "nobody there", now) == (i == 0 || i == 1 || i == 3 || i == 7));
    const auto next = book.targets().at("sn-1:30303").next_at - now;
    CHECK(book.due({}, 0, now + next - 1ns).empty());
    CHECK(next <= 30s);
    last = next;
    now += next;
  }
  CHECK(last >= 15s);
  CHECK(book.due({}, 0, now).size() == 1);
  book.answered("sn-1:30303", account(1));
  book.dial_ended("sn-1:30303", 1min, "gone", now);
  CHECK(book.targets().at("sn-1:30303").next_at - now <= 250ms);
}

TEST_CASE("who is connected, refused or this node itself is not dialled") {
  neighbor_book book({}, account(9), 1);
  time_point now{};
  book.configure("sn-1:1", now);
  book.configure("sn-9:1", now);
  CHECK(book.due({}, 0, now).size() == 2);
  book.answered("sn-1:1", account(1));
  book.dial_ended("sn-1:1", 0s, "gone", now);
  book.is_own("sn-9:1");
  book.dial_ended("sn-9:1", 0s, "itself", now);
  now += 1min;
  CHECK(book.due({account(1)}, 0, now).empty());
  book.refuse(account(1), hash_of(1), "bad blocks", now);
  CHECK(book.due({}, 0, now).empty());
  CHECK(book.refused(account(1), now)->reason == "bad blocks");
  CHECK(book.refused(hash_of(1), now));
  CHECK_FALSE(book.refused(hash_of(2), now));
  now += 5min;
  CHECK_FALSE(book.refused(account(1), now));
  CHECK(book.due({}, 64, now).empty()); // no place
  CHECK(book.due({}, 63, now).size() == 1);
}

TEST_CASE("told endpoints are bounded, one an account, and forgotten when they fail") {
  p2p_options options;
  options.endpoint = "me:1";
  options.learned_max = 3;
  neighbor_book book(options, account(9), 1);
  time_point now{};
  book.learn(account(9), "sn-9:1", hash_of(7), now);
  book.learn(account(1), "me:1", hash_of(7), now);
  book.learn(account(1), "sn-1:1", hash_of(7), now);
  book.learn(account(1), "sn-1:2", hash_of(7), now);
  CHECK(book.targets().size() == 1);
  for (std::uint8_t i = 2; i < 20; ++i)
    book.learn(account(i), "sn-x:" + std::to_string(i), hash_of(7), now);
  CHECK(book.targets().size() == 3);
  CHECK(book.due({}, 32, now).empty()); // half of the places are for others
  CHECK(book.due({}, 31, now).size() == 1);
  CHECK(book.due({}, 0, now).at(0).expected == account(2));
  for (std::size_t i = 0; i < options.learned_failures; ++i)
    book.dial_ended("sn-1:1", 0s, "no", now);
  CHECK_FALSE(book.targets().contains("sn-1:1"));
  book.learn(account(1), "sn-1:2", hash_of(7), now);
  CHECK(book.targets().contains("sn-1:2"));
}

TEST_CASE("what one organisation tells keeps nothing from being told by another, nor from being dialled") {
  p2p_options options;
  options.learned_max = 16;
  neighbor_book book(options, account(9), 1);
  time_point now{};
  for (std::uint8_t i = 10; i < 60; ++i)
    book.learn(account(i), "junk:" + std::to_string(i), hash_of(1), now);
  CHECK(book.targets().size() == 16);
  for (std::uint8_t i = 100; i < 120; ++i)
    book.learn(account(i), "sn:" + std::to_string(i), hash_of(2), now);
  CHECK(book.targets().size() == 16);
  CHECK(std::count_if(book.targets().begin(), book.targets().end(),
                      [](const auto& each) { return each.second.told_by == hash_of(2); })
        == 8);
  const auto orders = book.due({}, 0, now);
  CHECK(orders.size() == 8); // half of the dials that there may be
  CHECK(std::count_if(orders.begin(), orders.end(), [](const auto& each) { return each.endpoint[0] == 's'; })
        == 4);
}

TEST_CASE("dials are few at a time, and those that fail often wait for the others") {
  p2p_options options;
  options.dials_max = 4;
  neighbor_book book(options, account(9), 1);
  time_point now{};
  for (int i = 0; i < 100; ++i)
    book.configure("blackhole:" + std::to_string(i), now);
  std::set<std::string> dialled;
  for (int i = 0; i < 25; ++i) {
    const auto orders = book.due({}, 0, now);
    REQUIRE(orders.size() == 4);
    CHECK(book.due({}, 0, now).empty());
    now += 10s;
    for (const auto& each : orders) {
      dialled.insert(each.endpoint);
      book.dial_ended(each.endpoint, 0s, "nobody answers", now);
    }
  }
  CHECK(dialled.size() == 100); // each once, before any twice
  book.configure("sn-1:1", now);
  CHECK(book.due({}, 0, now).at(0).endpoint == "sn-1:1");
  book.answered("sn-1:1", account(1));
  CHECK(book.due({}, 0, now).size() == 1); // who is connected is no dial any more
}

TEST_CASE("endpoints of the chain are dialled as long as it knows them") {
  p2p_options options;
  options.endpoint = "me:1";
  neighbor_book book(options, account(9), 1);
  time_point now{};
  book.configure("sentinel:1", now);
  book.set_registered({"me:1", "sentinel:1", "sn-1:1", "sn-2:1"}, now);
  CHECK(book.targets().size() == 3);
  CHECK(book.due({}, 0, now).size() == 3);
  book.set_registered({"sn-2:1"}, now);
  for (std::size_t i = 0; i < options.learned_failures; ++i)
    for (const auto* each : {"sentinel:1", "sn-1:1", "sn-2:1"})
      book.dial_ended(each, 0s, "nobody", now);
  CHECK(book.targets().contains("sentinel:1")); // its operator named it
  CHECK_FALSE(book.targets().contains("sn-1:1"));
  CHECK(book.targets().contains("sn-2:1"));
}

TEST_CASE("points outlive a session, refusals and points are bounded") {
  neighbor_book book({}, account(9), 1);
  const time_point now{};
  book.keep_points(account(1), 40, now);
  CHECK(book.points(account(1), now + 10s) == 30);
  CHECK(book.points(account(1), now + 100s) == 0);
  CHECK(book.points(account(2), now) == 0);
  for (int i = 0; i < 2000; ++i) {
    address who;
    who[0] = static_cast<std::uint8_t>(i >> 8);
    who[1] = static_cast<std::uint8_t>(i);
    book.refuse(who, {}, "x", now);
  }
  CHECK(book.refusals().size() == 256);
}

TEST_CASE("a transaction is handed on once, and asked of one neighbor at a time") {
  txn_relay relay(1000, 100, 30s);
  const time_point now{};
  CHECK(relay.announced(1, std::vector{hash_of(1), hash_of(2)}).size() == 2);
  CHECK(relay.announced(2, std::vector{hash_of(1), hash_of(2), hash_of(3)}) == std::vector{hash_of(3)});
  CHECK(relay.announced(3, std::vector{hash_of(1)}).empty());
  CHECK(relay.arrived(hash_of(2), now));
  CHECK_FALSE(relay.arrived(hash_of(2), now));
  CHECK(relay.announced(4, std::vector{hash_of(2)}).empty());
  // Neighbor 1 does not give it, then 2 leaves, then 3 does not give it either.
  CHECK(relay.missed(2, std::vector{hash_of(1)}).empty()); // was not asked
  auto questions = relay.missed(1, std::vector{hash_of(1), hash_of(2)});
  REQUIRE(questions.size() == 1);
  CHECK(questions.at(2) == std::vector{hash_of(1)});
  questions = relay.neighbor_gone(2);
  CHECK(questions.at(3) == std::vector{hash_of(1)});
  CHECK(questions.size() == 1);
  CHECK(relay.missed(3, std::vector{hash_of(1)}).empty());
  CHECK(relay.wanted() == 0);
  CHECK(relay.announced(3, std::vector{hash_of(1)}).size() == 1);
}

TEST_CASE("accepted transactions are kept within their bytes") {
  txn_relay relay(1000, 100, 30s);
  const time_point now{};
  CHECK(relay.accepted(hash_of(1), raw_of(400), now));
  CHECK_FALSE(relay.accepted(hash_of(1), raw_of(400), now));
  CHECK(relay.accepted(hash_of(2), raw_of(400), now));
  CHECK(relay.arrived(hash_of(3), now));
  CHECK_FALSE(relay.accepted(hash_of(3), raw_of(400), now)); // it came from a neighbor
  CHECK(relay.find(hash_of(1)) == nullptr);
  CHECK(relay.find(hash_of(3))->size() == 400);
  CHECK(relay.cached_bytes() == 800);
  CHECK(relay.accepted(hash_of(4), raw_of(2000), now));
  CHECK(relay.find(hash_of(4)) == nullptr);
}

TEST_CASE("recent hashes are bounded and forgotten") {
  recent_hashes recent(100, 30s);
  time_point now{};
  for (int i = 0; i < 1000; ++i) {
    hash32 hash;
    put_be64(hash.data(), static_cast<std::uint64_t>(i));
    CHECK(recent.insert(hash, now));
    CHECK(recent.contains(hash));
    CHECK(recent.size() <= 100);
  }
  CHECK(recent.insert(hash_of(200), now));
  now += 30s;
  recent.insert(hash_of(201), now);
  CHECK(recent.contains(hash_of(200)));
  now += 30s;
  recent.insert(hash_of(202), now);
  CHECK_FALSE(recent.contains(hash_of(200)));
  CHECK(recent.contains(hash_of(201)));
}

} // namespace neighbor_book_test
