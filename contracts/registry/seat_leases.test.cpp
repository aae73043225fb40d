#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/members_world.hpp"
#include "contracts/training/client.hpp"
#include "ledger/formats/sign_of_life.hpp"

#include <doctest/doctest.h>

namespace seat_leases_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

ledger::private_key key_of_node(std::uint8_t number) {
  hash32 secret;
  secret.fill(number);
  return ledger::private_key::from_bytes(secret.view()).value();
}

/// Three organisations with an SN each. Nodes have keys, so that they can sign that they are alive.
struct network : members_world {
  network() : members_world(3) {}

  static address node_of(std::uint8_t number) { return key_of_node(number).account(); }
  static bytes sign(std::uint8_t number, std::uint64_t serial) {
    return ledger::encode_sign_of_life(serial, 0, {}, key_of_node(number), 1337, {});
  }

  /// Registers a node of organisation 1 and has it vouched for; what it is refused with.
  wording join(std::uint8_t number, node_type type = node_type::sl) {
    const auto who = node_of(number);
    const auto refused = enter(who, claim(1, type));
    if (!refused.empty()) return refused;
    const auto first = vouch(sn(1), who);
    return first.empty() ? vouch(sn(2), who) : first;
  }
  wording limit(seat_kind kind, std::uint32_t most) { return send(sn(1), limit_seats_args{kind, most}); }
  wording accuse(std::uint8_t number, std::uint64_t serial, organisation_id by = 1) {
    return send(sn(by), accuse_node_args{node_of(number), serial == 0 ? bytes() : sign(number, serial)});
  }
  wording answer(std::uint8_t number, std::uint64_t serial) {
    return send(sn(3), answer_for_node_args{sign(number, serial)});
  }
  seat_lease_view lease(node_type role) const {
    return ask(seat_leases_args{1}).at(static_cast<std::size_t>(role) - 1);
  }
  node_event last_event() const {
    return decode_node_event(events.back().topics, events.back().data).value();
  }
  wording train(std::uint8_t number) {
    register_peer_args as{1, "mean", 1};
    const auto done = world.send(node_of(number), training_address(default_training_name), encode(as));
    return wording(done.ok ? std::string() : revert_text(done.output));
  }
};

} // namespace

TEST_CASE("the seat of a silent node goes to the next of its organisation and role, and both are named") {
  network net;
  REQUIRE(net.limit(seat_kind::sl, 2) == "");
  REQUIRE(net.join(10) == "");
  CHECK(says(net.accuse(10, 5), "has seats of SL nodes left, nobody has to give one up"));
  REQUIRE(net.join(11) == "");
  CHECK(says(net.join(12), "has 2 seats of SL nodes taken"));

  CHECK(net.accuse(10, 5) == "");
  CHECK(net.last_event() == node_event{node_accused{network::node_of(10), net.sn(1), 5}});
  const auto since = net.world.block_time();
  CHECK(net.lease(node_type::sl) == seat_lease_view{node_type::sl, 2, network::node_of(10), since, 5, 0});
  CHECK(says(net.accuse(11, 5), "is accused already"));
  net.world.skip_seconds(seat_answer_seconds);
  CHECK(says(net.join(12), "has 2 seats of SL nodes taken")); // it has this second, too
  net.world.skip_seconds(1);
  REQUIRE(net.join(13) == "");
  CHECK(net.active(network::node_of(13)));
  CHECK(!net.active(network::node_of(10)));
  REQUIRE(net.events.size() == 3);
  CHECK(decode_node_event(net.events[1].topics, net.events[1].data).value()
        == node_event{seat_taken{network::node_of(10), node_type::sl, network::node_of(13)}});
  CHECK(net.lease(node_type::sl) == seat_lease_view{node_type::sl, 2, {}, 0, 0, 0});
  // One seat was given up, not two; and who comes back needs one.
  CHECK(says(net.join(12), "has 2 seats of SL nodes taken"));
  CHECK(says(net.join(10),
             "has 2 seats of SL nodes taken: it limits itself to 2, and its SNs and SWCIs can "
             "change that (LIMIT SEATS); or one of them leaves, or gives no sign of life for a"));
  REQUIRE(net.send(network::node_of(11), leave_node_args{}) == "");
  CHECK(net.join(10) == "");
  CHECK(net.broken_invariant() == "");
}

TEST_CASE("no lie takes the seat of a living node: a sign of life that it has signed since keeps it") {
  network net;
  REQUIRE(net.limit(seat_kind::swop, 1) == "");
  REQUIRE(net.join(10, node_type::swop) == "");
  REQUIRE(net.join(20) == "");
  CHECK(net.accuse(10, 5) == "");
  CHECK(says(net.answer(10, 5), "the sign of life 5 of"));
  CHECK(says(net.answer(20, 9), "nobody says that"));
  CHECK(says(net.send(net.sn(2), answer_for_node_args{bytes(40, 1)}), "no sign of life"));
  CHECK(net.answer(10, 6) == "");
  CHECK(net.last_event() == node_event{node_answered{network::node_of(10)}});
  net.world.skip_seconds(seat_answer_seconds + 1);
  CHECK(says(net.join(11, node_type::swop), "has 1 seats of SWOP nodes taken"));
  // Whoever accuses wrongly costs one answer a minute.
  CHECK(says(net.accuse(10, 6), "answered a moment ago"));
  net.world.skip_seconds(accusation_rest_seconds - seat_answer_seconds - 1);
  CHECK(net.accuse(10, 6) == "");
  // So does the node's own registration, also when its time is over but nobody has come.
  net.world.skip_seconds(seat_answer_seconds + 1);
  CHECK(net.join(10, node_type::swop) == "");
  CHECK(says(net.join(11, node_type::swop), "has 1 seats of SWOP nodes taken"));
  // A liar who knows no sign of life of it is refuted by any.
  net.world.skip_seconds(accusation_rest_seconds);
  CHECK(says(net.send(net.sn(1), accuse_node_args{network::node_of(10), network::sign(20, 7)}),
             "this is no sign of life of"));
  CHECK(net.accuse(10, 0) == "");
  CHECK(net.answer(10, 1) == "");
  CHECK(net.broken_invariant() == "");
}

TEST_CASE("a node's own organisation says that it is silent, and others while that has no live SN") {
  network net;
  REQUIRE(net.limit(seat_kind::sn, 1) == "");
  REQUIRE(net.limit(seat_kind::sl, 1) == "");
  REQUIRE(net.join(10) == "");
  CHECK(says(net.accuse(10, 5, 2), "whose own SNs and SWCIs say whether it is silent"));
  CHECK(says(net.send(network::node_of(10), accuse_node_args{network::node_of(10), {}}),
             "is not registered as an active SN or SWCI"));
  CHECK(says(net.accuse(99, 0), "has no seat"));
  // Its only SN is gone: others say so, and the new one gets the place.
  CHECK(net.send(net.sn(2), accuse_args{1}) == "");
  net.world.skip_seconds(answer_seconds + 1);
  CHECK(net.send(net.sn(2), accuse_node_args{net.sn(1), {}}) == "");
  net.world.skip_seconds(seat_answer_seconds + 1);
  const auto fresh = network::node_of(30);
  REQUIRE(net.enter(fresh, net.claim(1, node_type::sn)) == "");
  REQUIRE(net.vouch(net.sn(2), fresh) == "");
  REQUIRE(net.vouch(net.sn(3), fresh) == "");
  CHECK(net.active(fresh));
  CHECK(!net.active(net.sn(1)));
  CHECK(net.standing(1).sns == 1);
  CHECK(net.broken_invariant() == "");
}

TEST_CASE("an SL in a training keeps its seat, however silent it is") {
  network net;
  REQUIRE(net.limit(seat_kind::sl, 1) == "");
  REQUIRE(net.join(10) == "");
  // It goes into a training while it is accused, and nobody has answered for it.
  CHECK(net.accuse(10, 5) == "");
  REQUIRE(net.train(10) == "");
  net.world.skip_seconds(seat_answer_seconds + 1);
  CHECK(says(net.join(11), "has 1 seats of SL nodes taken"));
  CHECK(net.answer(10, 6) == "");
  net.world.skip_seconds(accusation_rest_seconds);
  CHECK(says(net.accuse(10, 6), "is in the training 'defaultbb.cqdb.sml.hpe', whose peers say whether"));
  // Once it has left, it is a node like any other.
  REQUIRE(net.world.send(network::node_of(10), training_address(default_training_name), encode_leave_peer({}))
              .ok);
  CHECK(net.accuse(10, 6) == "");
  net.world.skip_seconds(seat_answer_seconds + 1);
  CHECK(net.join(11) == "");
}

TEST_CASE("whoever has left, was removed, or has gone to another organisation holds no accusation up") {
  network net;
  REQUIRE(net.limit(seat_kind::sl, 1) == "");
  for (int way = 0; way < 2; ++way) {
    REQUIRE(net.join(10) == "");
    REQUIRE(net.accuse(10, 5) == "");
    if (way == 0) {
      REQUIRE(net.send(network::node_of(10), leave_node_args{}) == "");
    } else {
      REQUIRE(net.enter(network::node_of(10), net.claim(2)) == ""); // which is a sign of life, too
      REQUIRE(net.vouch(net.sn(2), network::node_of(10)) == "");
      REQUIRE(net.vouch(net.sn(3), network::node_of(10)) == "");
    }
    CHECK(net.lease(node_type::sl).accused.is_zero());
    CHECK(net.lease(node_type::sl).taken == 0);
  }
  // A limit below what is there takes nothing from anybody, silent or not.
  network low;
  REQUIRE(low.limit(seat_kind::sl, 3) == "");
  for (const std::uint8_t number : {10, 11, 12})
    REQUIRE(low.join(number) == "");
  REQUIRE(low.limit(seat_kind::sl, 2) == "");
  REQUIRE(low.accuse(10, 5) == "");
  low.world.skip_seconds(seat_answer_seconds + 1);
  CHECK(says(low.join(13), "has 3 seats of SL nodes taken"));
  CHECK(low.active(network::node_of(10)));
}

TEST_CASE("under older rules nobody is silent, and the same slots are touched") {
  network net;
  net.world.begin_rules(2);
  REQUIRE(net.join(10) == "");
  CHECK(says(net.accuse(10, 5), "NodeRegistry has no function with selector"));
  CHECK(says(net.answer(10, 6), "NodeRegistry has no function with selector"));
  const auto loads_of_leaving = [](std::uint64_t rules) {
    network other;
    other.world.begin_rules(rules);
    REQUIRE(other.join(10) == "");
    return other.world.send(network::node_of(10), node_registry_address(), encode(leave_node_args{})).loads;
  };
  CHECK(loads_of_leaving(1) == loads_of_leaving(2));
  CHECK(loads_of_leaving(2) < loads_of_leaving(3));
}

} // namespace seat_leases_test
