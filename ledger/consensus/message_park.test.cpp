#include "ledger/consensus/message_park.hpp"

#include <doctest/doctest.h>

namespace message_park_test {

using namespace swarm;
using namespace swarm::consensus;

namespace {

shared_bytes sized(std::size_t size, std::uint8_t with = 0) {
  return std::make_shared<const bytes>(bytes(size, with));
}

park_limits small() {
  return {
      .heights_ahead_max = 10, .neighbor_messages_max = 4, .neighbor_bytes_max = 100, .total_bytes_max = 250};
}

} // namespace

TEST_CASE("parked messages come out by height, up to a round, in the order of arrival") {
  message_park park(small());
  park.add(1, 5, 0, sized(1, 1));
  park.add(1, 5, 2, sized(1, 2));
  park.add(1, 6, 0, sized(1, 3));
  park.add(1, 5, 0, sized(1, 4));
  auto out = park.take(5, 1);
  REQUIRE(out.size() == 2);
  CHECK(out[0].raw->front() == 1);
  CHECK(out[1].raw->front() == 4);
  CHECK(out[1].neighbor == 1);
  CHECK(park.take(5, 1).empty());
  CHECK(park.take(5, 2).size() == 1);
  CHECK(park.take(6, 9).size() == 1);
  CHECK(park.message_count() == 0);
  CHECK(park.byte_count() == 0);
}

TEST_CASE("a neighbor that floods loses its own messages, the farthest first") {
  message_park park(small());
  park.add(2, 5, 0, sized(10, 42));
  for (std::uint64_t round = 0; round < 1000; ++round)
    park.add(1, 5, 1000 - round, sized(10));
  CHECK(park.message_count() == 5);
  CHECK(park.take(5, 4).size() == 5); // rounds 1 to 4 of neighbor 1, and neighbor 2's
  park.add(1, 5, 0, sized(60));
  park.add(1, 5, 1, sized(60));
  CHECK(park.byte_count() == 60);
  park.add(1, 5, 0, sized(101));
  CHECK(park.message_count() == 1);
}

TEST_CASE("all neighbors together stay within the bound, and the largest pays") {
  message_park park(small());
  park.add(1, 5, 0, sized(50));
  park.add(2, 5, 0, sized(90));
  park.add(3, 5, 0, sized(90));
  park.add(4, 5, 0, sized(90));
  CHECK(park.byte_count() <= 250);
  const auto out = park.take(5, 0);
  CHECK(std::any_of(out.begin(), out.end(), [](const auto& item) { return item.neighbor == 1; }));
}

TEST_CASE("what is past and who is gone is forgotten") {
  message_park park(small());
  for (std::uint64_t height = 1; height <= 4; ++height)
    park.add(height % 2, height, 0, sized(1));
  park.drop_below(3);
  CHECK(park.message_count() == 2);
  park.drop_neighbor(1);
  CHECK(park.message_count() == 1);
  park.drop_neighbor(1);
  CHECK(park.take(4, 0).size() == 1);
}

} // namespace message_park_test
