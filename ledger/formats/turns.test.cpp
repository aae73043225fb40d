#include "ledger/formats/turns.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace formats_turns_test {

using namespace swarm;
using namespace swarm::ledger;

namespace {

address validator(std::size_t number) {
  address out;
  out[0] = static_cast<std::uint8_t>(number);
  return out;
}

} // namespace

TEST_CASE("the proposer is the parent's proposer's successor, and one further each round") {
  const std::vector<address> set{validator(1), validator(3), validator(5), validator(7)};
  CHECK(proposer_of(set, {}, validator(3), 0) == validator(5));
  CHECK(proposer_of(set, {}, validator(3), 1) == validator(7));
  CHECK(proposer_of(set, {}, validator(3), 2) == validator(1));
  CHECK(proposer_of(set, {}, validator(7), 0) == validator(1));
  CHECK(proposer_of(set, {}, validator(3), 4'000'000'000'000) == validator(5));
}

TEST_CASE("a proposer that has left the set is followed by the successor of its place") {
  const std::vector<address> set{validator(1), validator(3), validator(5), validator(7)};
  CHECK(proposer_of(set, {}, validator(4), 0) == validator(5));
  CHECK(proposer_of(set, {}, validator(4), 1) == validator(7));
  CHECK(proposer_of(set, {}, validator(9), 0) == validator(1));
  CHECK(proposer_of(set, {}, address{}, 0) == validator(1)); // the genesis block has none
}

TEST_CASE("the proposer rule is that of a ring walked step by step") {
  for (std::size_t n = 1; n <= 7; ++n) {
    std::vector<address> set;
    for (std::size_t i = 0; i < n; ++i)
      set.push_back(validator(2 * i + 1));
    for (std::uint64_t parent = 0; parent <= 2 * n + 1; ++parent) {
      auto at = set.begin();
      while (at != set.end() && !(validator(parent) < *at))
        ++at;
      for (std::uint64_t round = 0; round < 20; ++round) {
        if (at == set.end()) at = set.begin();
        REQUIRE(proposer_of(set, {}, validator(parent), round) == *at);
        ++at;
      }
    }
  }
}

TEST_CASE("who rests comes last, in the order of the ring") {
  const std::vector<address> set{validator(1), validator(3), validator(5), validator(7)};
  const std::vector<address> resting{validator(3), validator(5)};
  for (const auto& [round, who] : std::vector<std::pair<std::uint64_t, int>>{
           {0, 7}, {1, 1}, {2, 5}, {3, 3}, {4, 7}, {7, 3}, {4'000'000'000'001, 1}})
    CHECK(proposer_of(set, resting, validator(3), round) == validator(static_cast<std::size_t>(who)));
  CHECK(proposer_of(set, set, validator(3), 0) == validator(5)); // all rest: the plain ring
}

} // namespace formats_turns_test
