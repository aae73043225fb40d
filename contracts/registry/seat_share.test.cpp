#include "contracts/registry/seat_share.hpp"

#include "ledger/formats/seal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

namespace seat_share_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

/// The candidates of organisations 1, 2, ...: so many each, those of the first before all others.
std::vector<seat_candidate> candidates(const std::vector<std::size_t>& counts) {
  std::vector<seat_candidate> out;
  for (std::size_t at = 0; at < counts.size(); ++at)
    for (std::size_t i = 0; i < counts[at]; ++i) {
      seat_candidate next;
      next.organisation = static_cast<std::uint16_t>(at + 1);
      next.account[0] = static_cast<std::uint8_t>(at + 1);
      next.account[19] = static_cast<std::uint8_t>(i + 1);
      out.push_back(next);
    }
  return out;
}

/// Seats by organisation, from the accounts.
std::vector<std::size_t> seats(const std::vector<std::size_t>& counts) {
  std::vector<std::size_t> out(counts.size());
  for (const auto& each : seats_of(candidates(counts)))
    ++out.at(each[0] - 1u);
  return out;
}

using list = std::vector<std::size_t>;

} // namespace

TEST_CASE("one organisation has as many seats as SNs, but one of two") {
  CHECK(seats_of({}).empty());
  CHECK(seats({1}) == list{1});
  CHECK(seats({2}) == list{1});
  CHECK(seats({3}) == list{3});
  CHECK(seats({20}) == list{20});
}

TEST_CASE("two organisations with two SNs or more have as many seats that none decides alone") {
  CHECK(seats({1, 1}) == list{1, 0});
  CHECK(seats({3, 1}) == list{3, 1});
  CHECK(seats({1, 3}) == list{1, 0}); // the newcomer does not take over
  CHECK(seats({2, 2}) == list{2, 2});
  CHECK(seats({20, 2}) == list{3, 2}); // a quorum is four of five
  CHECK(seats({20, 3}) == list{5, 3});
}

TEST_CASE("of three organisations none stops the chain by being silent") {
  CHECK(seats({1, 1, 1}) == list{1, 1, 1});
  CHECK(seats({2, 1, 1}) == list{1, 1, 1});
  CHECK(seats({20, 1, 1}) == list{1, 1, 1});
  CHECK(seats({2, 2, 2}) == list{2, 2, 2});
}

TEST_CASE("of four organisations none has more than a third of the others, however many SNs it makes") {
  CHECK(seats({20, 1, 1, 1}) == list{1, 1, 1, 1});
  CHECK(seats({1, 1, 1, 20}) == list{1, 1, 1, 1});
  CHECK(seats({2, 1, 1, 1}) == list{1, 1, 1, 1});
  CHECK(seats({2, 2, 2, 1}) == list{2, 2, 2, 1});
  CHECK(seats({20, 3, 3, 3}) == list{4, 3, 3, 3}); // four of thirteen
  CHECK(seats({1, 1, 1, 1, 1, 1, 2}) == list{1, 1, 1, 1, 1, 1, 2});
}

TEST_CASE(
    "whatever joins: bounds hold, nobody is without a seat, and SNs that one adds take none of another") {
  std::mt19937 random(20261128);
  for (int round = 0; round < 20'000; ++round) {
    list counts(std::uniform_int_distribution<std::size_t>(1, 9)(random));
    for (auto& each : counts)
      each = std::uniform_int_distribution<std::size_t>(1, 9)(random);
    CAPTURE(counts);
    const auto now = seats(counts);
    std::size_t all = 0;
    for (const auto each : now)
      all += each;
    const auto largest = *std::max_element(now.begin(), now.end());
    if (counts.size() >= 4) CHECK(largest <= (all - 1) / 3);
    if (counts.size() == 3) CHECK(all - largest >= ledger::seal_quorum(all));
    if (counts.size() >= 3) CHECK(*std::min_element(now.begin(), now.end()) > 0);
    const auto greedy = std::uniform_int_distribution<std::size_t>(0, counts.size() - 1)(random);
    auto more = counts;
    more[greedy] += std::uniform_int_distribution<std::size_t>(1, 20)(random);
    const auto then = seats(more);
    if (counts.size() >= 3)
      for (std::size_t i = 0; i < counts.size(); ++i)
        if (i != greedy) CHECK(then[i] >= now[i]);
  }
}

TEST_CASE("who can stop or fork the chain is told") {
  CHECK(powers_of(candidates({2, 2, 2, 2})).empty());
  CHECK(powers_of(candidates({1, 1, 1})).empty());
  CHECK(powers_of(candidates({2, 2})) == std::vector<seat_power>{{1, 2, true, false}, {2, 2, true, false}});
  CHECK(powers_of(candidates({3, 1})) == std::vector<seat_power>{{1, 3, true, true}});
  std::vector<seat_candidate> nobody(3);
  CHECK(powers_of(nobody).empty());
}

} // namespace seat_share_test
