#include "actors/sn/rpc/turns.hpp"

#include "actors/sn/rpc/work_shares.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace rpc_turns_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace std::chrono_literals;

namespace {

hash32 name(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}
party from(std::uint8_t organisation, std::uint8_t client) {
  return {name(organisation), name(client)};
}

/// Who an item is from.
using queue = turns<party>;

/// Does the work of the next item.
party work(queue& q, std::uint64_t units) {
  const auto next = q.pop();
  q.charge(next, units);
  return next;
}

} // namespace

TEST_CASE(
    "an organisation gets its share however many certificates it has and however heavy its requests are") {
  queue q;
  for (std::uint8_t client = 1; client <= 200; ++client)
    q.push(from(1, client), from(1, client));
  for (int i = 0; i < 1'000; ++i)
    q.push(from(2, 1), from(2, 1));
  std::uint64_t heavy = 0, light = 0;
  for (int i = 0; i < 550; ++i) {
    const auto next = q.pop();
    const std::uint64_t units = next.organisation == name(1) ? 1'000 : 10;
    q.charge(next, units);
    (next.organisation == name(1) ? heavy : light) += units;
  }
  CHECK(heavy <= light + 1'000);
  CHECK(light <= heavy + 1'000);
}

TEST_CASE("who asks for little comes next, whatever others have waiting") {
  queue q;
  for (int i = 0; i < 100; ++i)
    q.push(from(1, 1), from(1, 1));
  for (int i = 0; i < 5; ++i)
    CHECK(work(q, 1'000).organisation == name(1));
  q.push(from(2, 1), from(2, 1));
  int before = 0;
  while (work(q, 1'000).organisation == name(1))
    ++before;
  CHECK(before <= 1); // the one whose work is charged at that moment
}

TEST_CASE("what is left of an item comes before the others of its client, and after those of who had less") {
  turns<int> q;
  q.push(from(1, 1), 1);
  q.push(from(1, 1), 2);
  CHECK(q.pop() == 1);
  q.charge(from(1, 1), 10);
  q.put_back(from(1, 1), 11);
  q.push(from(2, 1), 3);
  CHECK(q.pop() == 3);
  CHECK(q.pop() == 11);
  CHECK(q.pop() == 2);
  CHECK(q.empty());
}

TEST_CASE("clients of one organisation share what it has") {
  queue q;
  for (int i = 0; i < 100; ++i) {
    q.push(from(1, 1), from(1, 1));
    q.push(from(1, 2), from(1, 2));
  }
  std::uint64_t first = 0, second = 0;
  for (int i = 0; i < 90; ++i) {
    const auto next = q.pop();
    const std::uint64_t units = next.client == name(1) ? 50 : 5;
    q.charge(next, units);
    (next.client == name(1) ? first : second) += units;
  }
  CHECK(first <= second + 50);
  CHECK(second <= first + 50);
}

TEST_CASE("nobody saves up turns, and nobody shakes off what he owes") {
  queue q;
  for (int i = 0; i < 100; ++i)
    q.push(from(1, 1), from(1, 1));
  for (int i = 0; i < 50; ++i)
    work(q, 100);
  // One that was idle all the time has no claim to all that was done for others.
  for (int i = 0; i < 50; ++i)
    q.push(from(2, 1), from(2, 1));
  int second = 0;
  for (int i = 0; i < 20; ++i)
    second += work(q, 100).organisation == name(2) ? 1 : 0;
  CHECK(second >= 9);
  CHECK(second <= 11);
  // One that asks for one heavy thing at a time, and always has nothing waiting in between.
  std::uint64_t one_by_one = 0, steady = 0;
  q.push(from(3, 1), from(3, 1));
  for (int i = 0; i < 60; ++i) {
    const auto next = q.pop();
    const std::uint64_t units = next.organisation == name(3) ? 500 : 100;
    q.charge(next, units);
    if (next.organisation == name(3)) {
      one_by_one += units;
      q.push(from(3, 1), from(3, 1));
    } else if (next.organisation == name(1)) {
      steady += units;
    }
  }
  CHECK(one_by_one <= steady + 500);
}

TEST_CASE("only those who have something waiting, or owe something, are remembered") {
  queue q;
  for (std::uint8_t client = 1; client <= 250; ++client) {
    q.push(from(1, client), from(1, client));
    work(q, 10);
    CHECK(q.clients() <= 2);
  }
  q.push(from(1, 1), from(1, 1));
  q.push(from(2, 1), from(2, 1));
  CHECK(q.others_wait(name(1)));
  work(q, 1);
  work(q, 1);
  CHECK(q.empty());
  CHECK_FALSE(q.others_wait(name(1)));
}

TEST_CASE("who asks for more than its share is named once in a while, and only when others wait") {
  work_shares shares;
  caller greedy, other;
  greedy.organisation = name(1);
  greedy.organisation_name = std::make_shared<const std::string>("Hospital B");
  other.organisation = name(2);
  time_point now = time_point{} + 1h;
  CHECK_FALSE(shares.note(greedy, 1'000'000, false, now));
  CHECK_FALSE(shares.note(other, 10, true, now));
  const auto line = shares.note(greedy, 1, true, now);
  REQUIRE(line);
  CHECK(line->find("Hospital B") != std::string::npos);
  CHECK_FALSE(shares.note(greedy, 1'000'000, true, now + 9s));
  CHECK_FALSE(shares.note(greedy, 1, true, now + 11s)); // a new period
  CHECK(shares.note(greedy, 100'000, true, now + 11s));
  CHECK(shares.to_json().at(0).at("periods_over_share") == 2);
}

} // namespace rpc_turns_test
