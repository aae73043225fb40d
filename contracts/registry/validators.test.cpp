#include "contracts/registry/validators.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace validators_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

using addresses = std::vector<address>;

/// A network whose genesis validator is SN 1. Every SN has a certificate of its own.
struct network {
  memory_world world{make_contracts(), {test_account(1)}};

  network() { join(1); }

  void join(std::uint16_t number) { REQUIRE(register_sn(number, number).ok); }
  memory_world::outcome register_sn(std::uint16_t number, std::uint16_t certificate) {
    register_node_args args;
    args.type = node_type::sn;
    args.identity = u256(certificate);
    args.name = fmt::format("sn-{}", number);
    return send(number, encode_register_node(args));
  }
  memory_world::outcome send(std::uint16_t from, const bytes& input) {
    return world.send(test_account(from), node_registry_address(), input);
  }
  /// Returns the revert's text, or nothing when the vote was accepted.
  wording vote(std::uint16_t from, std::uint16_t on, bool add) {
    const auto done = send(from, encode_propose_validator_vote(test_account(on), add));
    return done.ok ? "" : revert_text(done.output);
  }
  /// Validators vote one after the other until the change is made.
  void everybody_votes(std::uint16_t on, bool add) {
    for (const auto& voter : validators()) {
      if ((std::ranges::count(members(), test_account(on)) == 1) == add) return;
      if (voter == test_account(on)) continue;
      REQUIRE(world.send(voter, node_registry_address(), encode_propose_validator_vote(test_account(on), add))
                  .ok);
    }
    CHECK((std::ranges::count(members(), test_account(on)) == 1) == add);
  }
  bytes read(const bytes& input) const { return world.view({}, node_registry_address(), input).output; }
  addresses validators() const {
    return decode_answer<get_validators_args>(read(encode(get_validators_args{}))).value();
  }
  addresses members() const { return decode_validator_members(read(encode_validator_members())).value(); }
  addresses voters_on(std::uint16_t number) const {
    return decode_voters_on(read(encode_voters_on(test_account(number)))).value();
  }
};

addresses accounts(std::initializer_list<std::uint16_t> numbers) {
  addresses out;
  for (auto number : numbers)
    out.push_back(test_account(number));
  return out;
}

std::string hex(std::uint16_t number) {
  return to_hex(test_account(number).view());
}

} // namespace

TEST_CASE("a network grows from one validator by votes of two thirds") {
  network net;
  CHECK(net.validators() == accounts({1}));
  CHECK(net.members() == accounts({1}));
  net.join(2);
  CHECK(net.vote(1, 2, true) == "");
  CHECK(net.members() == accounts({1, 2}));
  CHECK(net.validators() == accounts({1}));
  net.join(3);
  CHECK(net.vote(2, 3, true) == hex(2) + " is no validator and has no vote");
  CHECK(net.vote(1, 3, true) == "");
  CHECK(net.validators() == accounts({1, 2, 3}));
  net.join(4);
  CHECK(net.vote(1, 4, true) == "");
  CHECK(net.voters_on(4) == accounts({1}));
  CHECK(net.vote(1, 4, true) == hex(1) + " votes so on " + hex(4) + " already");
  CHECK(net.validators() == accounts({1, 2, 3}));
  const auto decisive = net.send(3, encode_propose_validator_vote(test_account(4), true));
  REQUIRE(decisive.ok);
  REQUIRE(decisive.events.size() == 2);
  CHECK(decode_event<node_registry_interface>(decisive.events[0].topics, decisive.events[0].data).value()
        == node_event{validator_voted{test_account(3), test_account(4), true}});
  CHECK(decode_event<node_registry_interface>(decisive.events[1].topics, decisive.events[1].data).value()
        == node_event{validators_changed{test_account(4), true, accounts({1, 2, 3, 4})}});
  CHECK(net.voters_on(4).empty());
  net.join(5);
  CHECK(net.vote(1, 5, true) == "");
  CHECK(net.vote(2, 5, true) == "");
  CHECK(net.validators().size() == 4); // three of four are needed
  CHECK(net.vote(4, 5, true) == "");
  CHECK(net.validators() == accounts({1, 2, 3, 4, 5}));
}

TEST_CASE("a silent validator is voted out, a vote can be taken back") {
  network net;
  for (std::uint16_t i = 2; i <= 4; ++i) {
    net.join(i);
    net.everybody_votes(i, true);
  }
  CHECK(net.vote(1, 4, false) == "");
  CHECK(net.vote(2, 4, false) == "");
  REQUIRE(net.send(2, encode_discard_validator_vote(test_account(4))).ok);
  CHECK(net.vote(3, 4, false) == "");
  CHECK(net.validators().size() == 4);
  CHECK(net.vote(2, 4, false) == "");
  CHECK(net.validators() == accounts({1, 2, 3}));
  const auto none = net.send(2, encode_discard_validator_vote(test_account(4)));
  CHECK(wording(revert_text(none.output)) == hex(2) + " has no vote on " + hex(4));
  CHECK(net.vote(1, 4, false) == hex(4) + " is no member of the validators");
  // It is still registered and may be let in again.
  net.everybody_votes(4, true);
  CHECK(net.validators() == accounts({1, 2, 3, 4}));
}

TEST_CASE("votes of those who are no validators any more do not count") {
  network net;
  for (std::uint16_t i = 2; i <= 5; ++i) {
    net.join(i);
    net.everybody_votes(i, true);
  }
  net.join(6);
  CHECK(net.vote(4, 6, true) == "");
  CHECK(net.vote(5, 6, true) == "");
  REQUIRE(net.send(4, encode_leave_node()).ok);
  REQUIRE(net.send(5, encode_leave_node()).ok);
  CHECK(net.validators() == accounts({1, 2, 3}));
  CHECK(net.vote(1, 6, true) == "");
  CHECK(net.validators() == accounts({1, 2, 3})); // one vote of three counts
  CHECK(net.vote(2, 6, true) == "");
  CHECK(net.validators() == accounts({1, 2, 3, 6}));
}

TEST_CASE("who leaves ceases to be a validator, the last one has to stay") {
  network net;
  net.join(2);
  net.join(3);
  net.everybody_votes(2, true);
  net.everybody_votes(3, true);
  CHECK(net.validators() == accounts({1, 2, 3}));
  REQUIRE(net.send(1, encode_leave_node()).ok);
  CHECK(net.members() == accounts({2, 3}));
  CHECK(net.validators() == accounts({2}));
  REQUIRE(net.send(2, encode_leave_node()).ok);
  CHECK(net.validators() == accounts({3}));
  const auto last = net.send(3, encode_leave_node());
  CHECK(wording(revert_text(last.output)) == hex(3) + " is the last validator and has to stay");
  CHECK(net.validators() == accounts({3}));
}

TEST_CASE("only registered SNs with a certificate of their own are let in") {
  network net;
  REQUIRE(register_node(net.world, test_account(7), node_type::sl).ok);
  CHECK(net.vote(1, 7, true) == hex(7) + " is not registered as an active SN: the NodeRegistry has it as SL");
  CHECK(net.vote(1, 8, true)
        == hex(8) + " is not registered as an active SN: the NodeRegistry does not know it");
  CHECK(net.vote(1, 1, false) == hex(1) + " would vote on itself: leave() is for that");
  REQUIRE(net.register_sn(2, 1).ok);
  CHECK(net.vote(1, 2, true)
        == "the certificate of " + hex(2) + " is that of the validator " + hex(1) + "; each needs its own");
  REQUIRE(net.register_sn(2, 2).ok);
  CHECK(net.vote(1, 2, true) == "");
  const auto stolen = net.register_sn(2, 1);
  CHECK(wording(revert_text(stolen.output))
        == "the certificate of " + hex(2) + " is that of the validator " + hex(1) + "; each needs its own");
  CHECK(net.vote(1, 2, true) == hex(2) + " is a member of the validators already");
  REQUIRE(net.register_sn(2, 22).ok); // a renewed certificate
}

} // namespace validators_test
