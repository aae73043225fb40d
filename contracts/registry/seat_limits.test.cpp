#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/members_world.hpp"

#include <doctest/doctest.h>

namespace seat_limits_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// Three organisations with an SN each, whose registrations take the vouches of the first two.
struct network : members_world {
  network() : members_world(3) {}

  /// Registers a node of organisation 1 and has it vouched for; what it is refused with.
  wording join(std::uint16_t number, node_type type = node_type::sl) {
    const auto who = test_account(number);
    const auto refused = enter(who, claim(1, type));
    if (!refused.empty()) return refused;
    const auto first = vouch(sn(1), who);
    return first.empty() ? vouch(sn(2), who) : first;
  }
  wording limit(organisation_id by, seat_kind kind, std::uint32_t most) {
    return send(sn(by), limit_seats_args{kind, most});
  }
  wording want(organisation_id voter, seat_kind kind, std::uint32_t most) {
    return send(sn(voter), vote_seats_args{1, kind, most});
  }
  seat_limit_view limit_of(seat_kind kind) const {
    return ask(seat_limits_args{1}).at(static_cast<std::size_t>(kind) - 1);
  }
};

} // namespace

TEST_CASE("an organisation limits its seats by role for itself, and what is there stays") {
  network net;
  CHECK(net.join(100) == "");
  CHECK(net.join(101) == "");
  CHECK(net.join(110, node_type::swop) == "");
  CHECK(net.limit(1, seat_kind::sl, 1) == ""); // below what is there
  REQUIRE(net.events.size() == 1);
  CHECK(decode_node_event(net.events[0].topics, net.events[0].data).value()
        == node_event{seats_limited{1, seat_kind::sl, 1, net.sn(1), false}});
  CHECK(net.limit_of(seat_kind::sl) == seat_limit_view{seat_kind::sl, 0, 1});
  CHECK(net.active(test_account(100)));
  const auto refused = net.join(102);
  CHECK(says(refused,
             "the organisation 'org1' has 2 seats of SL nodes taken: it limits itself to 1, and its SNs and "
             "SWCIs can change that (LIMIT SEATS); or one of them leaves"));
  // Other roles, and others' seats, are another matter.
  CHECK(net.join(111, node_type::swop) == "");
  CHECK(net.enter(test_account(200), net.claim(2)) == "");
  // A member renews its registration however many there are.
  CHECK(net.join(100) == "");
  CHECK(net.send(test_account(100), leave_node_args{}) == "");
  CHECK(says(net.join(102), "has 1 seats of SL nodes taken"));
  CHECK(net.send(test_account(101), leave_node_args{}) == "");
  CHECK(net.join(102) == "");
  CHECK(net.limit(1, seat_kind::sl, 0) == "");
  CHECK(net.join(103) == "");
  CHECK(net.broken_invariant() == "");
}

TEST_CASE("the network limits an organisation's seats by a vote, and the lower limit holds") {
  network net;
  CHECK(net.want(2, seat_kind::swop, 2) == "");
  CHECK(net.want(3, seat_kind::swop, 1) == ""); // another number
  CHECK(net.limit_of(seat_kind::swop).by_network == 0);
  CHECK(net.ask(seat_votes_args{1, seat_kind::swop}) == std::vector<seat_vote_view>{{2, 2}, {3, 1}});
  CHECK(net.want(2, seat_kind::swop, 1) == "");
  CHECK(net.limit_of(seat_kind::swop).by_network == 1);
  CHECK(net.ask(seat_votes_args{1, seat_kind::swop}).empty());
  CHECK(net.join(110, node_type::swop) == "");
  CHECK(says(net.join(111, node_type::swop),
             "has 1 seats of SWOP nodes taken: the network limits it to 1, and more than half of the "
             "organisations can "
             "vote for another number (LIMIT SEATS ... OF); or one of them leaves"));
  // It cannot lift by itself what the network has decided, only tighten it.
  CHECK(net.limit(1, seat_kind::swop, 9) == "");
  CHECK(says(net.join(111, node_type::swop), "the network limits it to 1"));
  CHECK(net.want(1, seat_kind::swop, 1) == "the organisation 1 has this limit already");
  CHECK(net.want(1, seat_kind::swop, 0) == "");
  CHECK(net.want(3, seat_kind::swop, 0) == "");
  CHECK(net.join(111, node_type::swop) == "");
  CHECK(net.want(1, seat_kind{}, 1) != "");
  CHECK(net.send(net.sn(1), vote_seats_args{9, seat_kind::sl, 1}) == "there is no organisation 9");
  CHECK(says(net.send(test_account(110), limit_seats_args{seat_kind::sl, 1}),
             "is not registered as an active SN or SWCI"));
  // A vote that nobody joins ends like any other motion.
  CHECK(net.want(2, seat_kind::sl, 5) == "");
  net.world.skip_blocks(motion_blocks + 1);
  CHECK(net.want(3, seat_kind::sl, 5) == "");
  CHECK(net.limit_of(seat_kind::sl).by_network == 0);
}

TEST_CASE("a thousand keys, registrations again and again, and lapsed memberships get no seat more") {
  network net;
  REQUIRE(net.limit(1, seat_kind::sl, 3) == "");
  std::uint32_t in = 0;
  for (std::uint16_t i = 0; i < 1000; ++i)
    if (net.join(static_cast<std::uint16_t>(1000 + i)) == "") ++in;
  CHECK(in == 3);
  // All wait for the one seat that gets free; the first that is vouched for has it.
  REQUIRE(net.send(test_account(1000), leave_node_args{}) == "");
  for (std::uint16_t i = 0; i < 10; ++i)
    REQUIRE(net.enter(test_account(static_cast<std::uint16_t>(3000 + i)), net.claim(1)) == "");
  for (std::uint16_t i = 0; i < 10; ++i) {
    const auto who = test_account(static_cast<std::uint16_t>(3000 + i));
    CHECK(net.vouch(net.sn(1), who) == "");
    const wording second = net.vouch(net.sn(2), who);
    CHECK((i == 0 ? second == "" : says(second, "has 3 seats of SL nodes taken")));
  }
  // Out and in again is no second seat, and its own place is free meanwhile.
  for (int i = 0; i < 20; ++i) {
    REQUIRE(net.send(test_account(3000), leave_node_args{}) == "");
    REQUIRE(net.join(3000) == "");
  }
  CHECK(says(net.join(1500), "has 3 seats of SL nodes taken"));
  // A member of another organisation brings no seat along.
  REQUIRE(net.enter(test_account(200), net.claim(2)) == "");
  REQUIRE(net.vouch(net.sn(1), test_account(200)) == "");
  REQUIRE(net.vouch(net.sn(2), test_account(200)) == "");
  CHECK(says(net.join(200), "has 3 seats of SL nodes taken"));
  // Whose certificate has expired holds its seat until that is settled, which anybody may do.
  REQUIRE(net.send(test_account(1001), leave_node_args{}) == "");
  auto brief = net.claim(1);
  brief.expiry = net.world.block_time() + 100;
  REQUIRE(net.enter(test_account(4000), brief) == "");
  REQUIRE(net.vouch(net.sn(1), test_account(4000)) == "");
  REQUIRE(net.vouch(net.sn(2), test_account(4000)) == "");
  net.world.skip_seconds(101);
  CHECK(says(net.join(1500), "has 3 seats of SL nodes taken"));
  REQUIRE(net.send(test_account(200), settle_args{test_account(4000)}) == "");
  CHECK(net.join(1500) == "");
  CHECK(net.broken_invariant() == "");
}

TEST_CASE("under older rules nobody limits seats, and nothing is counted that was not") {
  const auto slots_after = [](std::uint64_t rules) {
    network net;
    net.world.begin_rules(rules);
    const auto refused = net.limit(1, seat_kind::sl, 1);
    CHECK((rules < 3) == says(refused, "NodeRegistry has no function with selector"));
    CHECK((rules < 3) == says(net.want(2, seat_kind::sl, 1), "NodeRegistry has no function with selector"));
    CHECK(net.join(100) == "");
    CHECK((rules < 3) == (net.join(101) == ""));
    CHECK(net.limit_of(seat_kind::sl).by_itself == (rules < 3 ? 0 : 1)); // whoever only looks is answered
    return net.world.slot_count();
  };
  CHECK(slots_after(1) == slots_after(2) - 1); // the word that says which rules are in force
  slots_after(3);
  // What was there before the rules changed is counted.
  network net;
  net.world.begin_rules(2);
  CHECK(net.join(100) == "");
  CHECK(net.join(110, node_type::swop) == "");
  net.world.begin_rules(3);
  CHECK(net.limit(1, seat_kind::sl, 1) == "");
  CHECK(net.limit(1, seat_kind::swop, 2) == "");
  CHECK(says(net.join(101), "has 1 seats of SL nodes taken"));
  CHECK(net.join(111, node_type::swop) == "");
  CHECK(says(net.join(112, node_type::swop), "has 2 seats of SWOP nodes taken"));
}

} // namespace seat_limits_test
