// Who comes last among the proposers, and for how long.
#include "contracts/registry/turns.hpp"

#include "contracts/testing/memory_host.hpp"
#include "contracts/testing/open_host.hpp"

#include <doctest/doctest.h>

namespace registry_turns_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint64_t minutes = 60;

/// Validators with addresses in the order of their numbers, and for whom they sit.
struct stage {
  open_host host{1'800'000'000};
  std::shared_ptr<const ledger::turn_rule> rule = make_turn_rule();
  std::vector<address> validators;

  explicit stage(const std::vector<organisation_id>& whose) {
    for (std::size_t i = 0; i < whose.size(); ++i) {
      validators.push_back(account(i));
      node_records(host).of(account(i)).set_status({node_type::sn, true, whose[i], 0, 0, 1, 0});
    }
  }
  static address account(std::size_t number) { return test_account(static_cast<std::uint16_t>(number)); }
  void miss(const std::vector<std::size_t>& who) {
    std::vector<address> them;
    for (const auto each : who)
      them.push_back(account(each));
    rule->miss(host, them, validators);
  }
  /// The numbers of those who rest now.
  std::vector<std::size_t> resting() {
    const auto found = rule->resting(host, validators, host.time);
    CHECK(std::is_sorted(found.begin(), found.end()));
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < validators.size(); ++i)
      if (std::binary_search(found.begin(), found.end(), account(i))) out.push_back(i);
    CHECK(out.size() == found.size());
    return out;
  }
};
using numbers = std::vector<std::size_t>;

} // namespace

TEST_CASE("who missed a turn rests for ten minutes") {
  stage s({1, 2, 3, 4});
  CHECK(s.resting().empty());
  s.miss({2});
  CHECK(s.resting() == numbers{2});
  s.host.time += 10 * minutes - 1;
  CHECK(s.resting() == numbers{2});
  s.host.time += 1;
  CHECK(s.resting().empty());
}

TEST_CASE(
    "each further miss within a day doubles the rest, up to 21 hours; a day without one makes it forgotten") {
  stage s({1, 2, 3, 4});
  for (std::uint64_t i = 0, rest = 10 * minutes; i < 12; ++i, rest = std::min(2 * rest, 1280 * minutes)) {
    CAPTURE(i);
    s.miss({2});
    s.host.time += rest - 1;
    CHECK(s.resting() == numbers{2});
    s.host.time += 1;
    CHECK(s.resting().empty());
  }
  s.host.time += 24 * 60 * minutes;
  s.miss({2});
  s.host.time += 10 * minutes;
  CHECK(s.resting().empty());
}

TEST_CASE("of those who missed turns the last ones rest, as many as a quorum can do without") {
  for (const std::size_t n : {1, 2, 3, 4, 5, 6, 7, 10}) {
    CAPTURE(n);
    stage s(std::vector<organisation_id>(n, 0));
    for (std::size_t i = 0; i < n; ++i) {
      s.miss({i});
      s.host.time += 1;
    }
    numbers wanted;
    for (auto i = n - n / 3; i < n; ++i)
      wanted.push_back(i);
    CHECK(s.resting() == wanted);
  }
}

TEST_CASE("who missed one turn takes no rest from who missed several") {
  stage s({1, 2, 3, 4});
  s.miss({2});
  s.host.time += 10 * minutes;
  s.miss({2});
  s.host.time += 1;
  s.miss({0});
  CHECK(s.resting() == numbers{2});
}

TEST_CASE("an organisation rests with all its seats, and a fresh key of it with them") {
  stage s({1, 1, 2, 2, 3, 3, 4}); // a quorum of the seven can do without two
  s.miss({1});
  CHECK(s.resting() == numbers{0, 1});
  s.miss({4}); // nobody's turn is later than that of both organisations, but two only can rest
  s.host.time += 1;
  s.miss({4});
  CHECK(s.resting() == numbers{4, 5});
  const auto fresh = stage::account(50);
  node_records(s.host).of(fresh).set_status({node_type::sn, true, 3, 0, 0, 1, 0});
  s.validators[5] = fresh;
  std::sort(s.validators.begin(), s.validators.end());
  const auto resting = s.rule->resting(s.host, s.validators, s.host.time);
  CHECK(resting == std::vector<address>{stage::account(4), fresh});
}

TEST_CASE("where a quorum cannot do without an organisation, each of its validators is on its own") {
  stage s({1, 1, 2, 2});
  s.miss({1});
  CHECK(s.resting() == numbers{1});
}

TEST_CASE("several turns missed in one height count once") {
  stage s({1, 2, 3, 4});
  s.miss({2, 2, 2});
  s.host.time += 10 * minutes;
  CHECK(s.resting().empty());
}

} // namespace registry_turns_test
