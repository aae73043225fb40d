#include "contracts/organisations/chain_space.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/testing/memory_host.hpp"
#include "contracts/testing/open_host.hpp"
#include "contracts/testing/organisations_probe.hpp"

#include <doctest/doctest.h>

namespace organisations_chain_space_test {

using namespace swarm;
using namespace swarm::contracts;
using ledger::space_account;
using ledger::space_errc;
using swarm::testing::says;

namespace {

constexpr std::uint64_t limit = 10'000'000;
constexpr std::uint64_t midnight = 20'000 * std::uint64_t{86'400};
constexpr organisation_id first = 1, second = 2, third = 3, fourth = 4;

/// Four organisations with the same limit; who is a member of which is said by the test.
struct stage {
  open_host host{midnight + 60};
  std::shared_ptr<const ledger::space_rule> rule = make_chain_space_rule();

  explicit stage(std::uint64_t a_day = limit, std::size_t organisations = 4) {
    const organisation_records records(host);
    const char* names[] = {"alpha", "beta", "gamma", "delta"};
    for (std::uint16_t i = 0; i < organisations; ++i) {
      const auto id = records.add(names[i], {test_anchor(i)}, 0);
      organisation_limits limits;
      limits.chain_bytes_per_day = a_day;
      records.of(id).set_limits(limits);
      make_member(proposer_of(id), node_type::sn, id);
      host.store(ledger::validators_account(), u256(ledger::first_validator_slot + i),
                 key_of(proposer_of(id)));
    }
    host.store(ledger::validators_account(), u256(ledger::validator_count_slot), u256(organisations));
  }
  static address proposer_of(organisation_id id) {
    return test_account(static_cast<std::uint16_t>(9000 + id));
  }
  void make_member(const address& account, node_type type, organisation_id of, std::uint64_t expiry = 0) {
    node_records(host).of(account).set_status({type, true, of, 0, expiry, 1, 0});
  }
  /// What becomes of a transaction of so many bytes in a block of `proposer`.
  result<> put(const address& from, const address& to, bytes_view input, std::uint64_t size,
               const address& proposer) {
    SWARM_TRY(const auto account, rule->account_of(host, {from, to, input, proposer}));
    SWARM_CHECK(rule->check_room(host, account, size / 2));
    return rule->charge(host, account, size);
  }
  result<> put(const address& from, std::uint64_t size) {
    return put(from, test_account(7), {}, size, proposer_of(first));
  }
  result<> claim(const address& from, organisation_id of, std::uint64_t size, const address& proposer) {
    const auto input = encode_register_node({.type = node_type::sl, .organisation = of});
    return put(from, node_registry_address(), input, size, proposer);
  }
  std::uint64_t used(organisation_id id) { return chain_days(host).of(id).bytes; }
  /// Puts transactions of `size` until one is refused; how many bytes went in.
  template <class Put>
  static std::uint64_t fill(std::uint64_t size, Put one) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 100'000 && one(i); ++i)
      out += size;
    return out;
  }
};

bool is_full(const result<>& done) {
  return !done && done.error().is(space_errc::day_full);
}

} // namespace

TEST_CASE("a thousand keys of one organisation share one day, and take nothing from another's") {
  stage s;
  for (std::uint16_t i = 0; i < 1000; ++i)
    s.make_member(test_account(i), node_type::sl, first);
  s.make_member(test_account(2000), node_type::sl, second);
  const auto taken = stage::fill(10'000, [&](std::size_t i) {
    return s.put(test_account(static_cast<std::uint16_t>(i % 1000)), 10'000).has_value();
  });
  CHECK(taken == limit / 10 * 9);
  CHECK(s.used(first) == taken);
  const auto refused = s.put(test_account(1), 10'000);
  REQUIRE(is_full(refused));
  for (const auto* part : {"'alpha'", "10000000", "2024-10-05 00:00 UTC"})
    CHECK_MESSAGE(says(refused.error().message, part), refused.error().message);
  CHECK(s.put(test_account(2000), 10'000));
  CHECK(s.used(second) == 10'000);
}

TEST_CASE("the next day has room again, and a clock that goes back gives none") {
  stage s;
  s.make_member(test_account(1), node_type::sl, first);
  REQUIRE(s.put(test_account(1), limit / 10 * 9));
  REQUIRE(is_full(s.put(test_account(1), 1)));
  s.host.time = midnight + 86'400;
  CHECK(s.put(test_account(1), limit / 10 * 9));
  CHECK(is_full(s.put(test_account(1), 1)));
  s.host.time = midnight + 86'399; // a proposer that turns the day back and forth
  CHECK(is_full(s.put(test_account(1), 1)));
  s.host.time = midnight + 86'400;
  CHECK(is_full(s.put(test_account(1), 1)));
}

TEST_CASE("who is no member may register and send nothing else") {
  stage s;
  const auto stranger = test_account(5);
  for (const auto& to : {test_account(7), node_registry_address(), organisation_registry_address()}) {
    const auto refused = s.put(stranger, to, encode_leave_node(), 100, stage::proposer_of(first));
    REQUIRE(!refused);
    CHECK(refused.error().is(space_errc::no_member));
  }
  CHECK(s.claim(stranger, second, 100, stage::proposer_of(first)));
  for (const auto none : {organisation_id{0}, organisation_id{5}, organisation_id{65535}})
    CHECK(s.claim(stranger, none, 100, stage::proposer_of(first)).error().is(space_errc::no_member));
}

TEST_CASE("an expired member, and one of a removed organisation, is no member; a renewal is a registration") {
  stage s;
  s.make_member(test_account(1), node_type::sl, second, midnight);
  s.make_member(test_account(2), node_type::sl, third);
  CHECK(s.put(test_account(1), 100).error().is(space_errc::no_member));
  CHECK(s.claim(test_account(1), second, 100, stage::proposer_of(first)));
  CHECK(chain_days(s.host).of(second).newcomers == 100);
  organisation_records(s.host).remove(third);
  CHECK(s.put(test_account(2), 100).error().is(space_errc::no_member));
}

TEST_CASE("who claims another organisation takes a tenth of its day at most, whoever proposes the blocks") {
  stage s;
  std::uint64_t taken = 0;
  for (const organisation_id by : {first, second, third, fourth})
    taken += stage::fill(1'000, [&](std::size_t i) {
      return s.claim(test_account(static_cast<std::uint16_t>(i)), second, 1'000, stage::proposer_of(by))
          .has_value();
    });
  CHECK(taken == limit / 10);
  CHECK(chain_days(s.host).of(second).newcomers == taken);
  s.make_member(test_account(2000), node_type::sl, second);
  const auto own =
      stage::fill(10'000, [&](std::size_t) { return s.put(test_account(2000), 10'000).has_value(); });
  CHECK(own == limit / 10 * 8);
  CHECK(s.used(second) == limit / 10 * 9);
}

TEST_CASE("a proposer that invents registrations leaves room for those in other proposers' blocks") {
  stage s;
  const auto through = [&](organisation_id by) {
    return stage::fill(1'000, [&](std::size_t i) {
      return s.claim(test_account(static_cast<std::uint16_t>(i)), second, 1'000, stage::proposer_of(by))
          .has_value();
    });
  };
  CHECK(through(first) == limit / 10 / 4);
  const auto refused = s.claim(test_account(1), second, 1'000, stage::proposer_of(first));
  REQUIRE(is_full(refused));
  CHECK(says(refused.error().message, "the tenth of it"));
  CHECK(s.claim(test_account(1), second, 1'000, {})); // as a pool asks: another SN may propose it
  CHECK(through(third) == limit / 10 / 4);
  CHECK(s.claim(test_account(1), third, 1'000, stage::proposer_of(first)));
}

TEST_CASE("what keeps an organisation in the network fits when nothing else does") {
  stage s;
  const auto sn = stage::proposer_of(second);
  s.make_member(test_account(1), node_type::swci, second);
  s.make_member(test_account(2), node_type::sl, second);
  REQUIRE(s.put(test_account(2), limit / 10 * 9));
  REQUIRE(is_full(s.put(test_account(2), 1)));
  CHECK(is_full(s.put(sn, 1)));
  CHECK(is_full(s.put(test_account(2), node_registry_address(), encode_leave_node(), 200, sn)));
  CHECK(is_full(s.claim(test_account(3), second, 1'000, sn))); // no flood of claims comes to what is kept
  CHECK(s.put(sn, node_registry_address(), encode(answer_args{}), 200, sn));
  CHECK(s.put(sn, node_registry_address(), encode_vouch(test_account(3), {}), 200, sn));
  CHECK(s.put(test_account(1), node_registry_address(), encode_remove_node(test_account(3)), 200, sn));
  CHECK(s.put(test_account(1), organisation_registry_address(), encode(take_back_vote_args{}), 200, sn));
  const auto rest = stage::fill(
      1'000, [&](std::size_t) { return s.put(sn, node_registry_address(), {}, 1'000, sn).has_value(); });
  CHECK(s.used(second) <= day_limits(limit).all); // nor is that without an end
  CHECK(rest > 900'000);
}

TEST_CASE("with the smallest limit an organisation can still vote for another one") {
  stage s(1);
  const auto sn = stage::proposer_of(first);
  s.make_member(test_account(2), node_type::sl, first);
  CHECK(is_full(s.put(test_account(2), 200)));
  CHECK(s.put(sn, organisation_registry_address(), encode(set_limits_args{}), 500, sn));
}

TEST_CASE("the founding validator's own registration counts as one of its organisation") {
  stage s;
  const auto founder = test_account(4);
  node_records(s.host).set_founder(founder, third);
  CHECK(s.claim(founder, third, 5'000, founder));
  CHECK(chain_days(s.host).of(third).newcomers == 0);
  CHECK(s.used(third) == 5'000);
  CHECK(s.claim(founder, second, 5'000, founder));
  CHECK(chain_days(s.host).of(second).newcomers == 5'000);
  CHECK(chain_days(s.host).claims(second, third).bytes == 5'000);
}

TEST_CASE("without organisations nobody is asked and nothing is counted") {
  stage s(limit, 0);
  CHECK(s.put(test_account(1), 100 * limit));
  CHECK(s.rule->account_of(s.host, {test_account(1), test_account(2), {}, {}}).value().organisation == 0);
}

TEST_CASE(
    "whatever is sent, no organisation's day is over its limit, and its own claims stay within a tenth") {
  stage s(2 * kept_bytes_min * 10);
  const std::uint64_t a_day = 2 * kept_bytes_min * 10;
  for (std::uint16_t i = 0; i < 40; ++i)
    s.make_member(test_account(i), node_type{static_cast<std::uint8_t>(1 + i / 4 % 4)},
                  static_cast<organisation_id>(1 + i % 4));
  seeded_random random(20'261'128);
  std::map<std::pair<organisation_id, std::uint64_t>, std::uint64_t> expected;
  for (int i = 0; i < 20'000; ++i) {
    if (random.below(500) == 0) s.host.time += random.below(86'400);
    const auto who = test_account(static_cast<std::uint16_t>(random.below(60)));
    const auto size = random.below(200'000);
    const auto by = stage::proposer_of(static_cast<organisation_id>(1 + random.below(4)));
    const auto day = s.host.time / 86'400;
    const bool claims = random.below(3) == 0;
    const auto of = static_cast<organisation_id>(1 + random.below(4));
    const auto before = s.used(of);
    const auto done =
        claims ? s.claim(who, of, size, by)
               : s.put(who, random.below(2) == 0 ? node_registry_address() : test_account(9), {}, size, by);
    if (!done) {
      REQUIRE(s.used(of) == before);
    }
    for (organisation_id id = 1; id <= 4; ++id) {
      const auto now = chain_days(s.host).of(id);
      REQUIRE(now.bytes <= a_day);
      REQUIRE(now.newcomers <= a_day / 10);
      expected[{id, day}] = now.bytes;
    }
  }
  std::uint64_t most = 0;
  for (const auto& [unused, bytes] : expected)
    most = std::max(most, bytes);
  CHECK(most > a_day / 10 * 8); // the limit was met
}

} // namespace organisations_chain_space_test
