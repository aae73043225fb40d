#include "contracts/registry/rules_votes.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace rules_votes_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

struct network {
  memory_world world{make_contracts(),
                     {test_account(1), test_account(2), test_account(3), test_account(4)},
                     {},
                     ledger::rules_first};

  memory_world::outcome send(std::uint16_t from, std::uint64_t version, std::uint64_t from_block) {
    return world.send(test_account(from), node_registry_address(), encode_vote_rules(version, from_block));
  }
  wording vote(std::uint16_t from, std::uint64_t version, std::uint64_t from_block) {
    const auto done = send(from, version, from_block);
    return done.ok ? "" : revert_text(done.output);
  }
  rules_view rules() const {
    const auto raw = world.view({}, node_registry_address(), encode(rules_args{})).output;
    return decode_answer<rules_args>(raw).value();
  }
};

} // namespace

TEST_CASE("as many validators as seal a block let new rules begin at the block that they agree on") {
  network net;
  CHECK(net.rules() == rules_view{1, 0, 0});
  CHECK(net.vote(1, 2, 40) == "");
  CHECK(net.vote(2, 2, 41) == ""); // another block
  CHECK(net.vote(3, 2, 40) == "");
  CHECK(net.vote(3, 2, 40) == ""); // again is not twice
  CHECK(net.rules() == rules_view{1, 0, 0});
  const auto decisive = net.send(2, 2, 40);
  REQUIRE(decisive.ok);
  REQUIRE(decisive.events.size() == 2);
  CHECK(decode_event<node_registry_interface>(decisive.events[0].topics, decisive.events[0].data).value()
        == node_event{rules_voted{test_account(2), 2, 40}});
  CHECK(decode_event<node_registry_interface>(decisive.events[1].topics, decisive.events[1].data).value()
        == node_event{rules_scheduled{2, 40}});
  CHECK(net.rules() == rules_view{1, 2, 40});
  CHECK(net.vote(1, 2, 60) == "version 2 of the rules begins with block 40, that is decided");
  CHECK(net.vote(1, 3, 60) == "version 2 of the rules begins with block 40, that is decided");
  net.world.skip_blocks(39 - net.world.block_num());
  CHECK(net.rules() == rules_view{2, 0, 0}); // for the next block, which is the 40th
  for (const std::uint16_t who : {1, 2, 3})
    CHECK(net.vote(who, 3, 100) == "");
  CHECK(net.rules() == rules_view{2, 3, 100});
}

TEST_CASE("votes on rules are refused in words") {
  network net;
  CHECK(net.vote(9, 2, 40) == to_hex(test_account(9).view()) + " is no validator and has no vote");
  CHECK(net.vote(1, 1, 40) == "version 1 of the rules is in force, the next one is 2, not 1");
  CHECK(net.vote(1, 3, 40) == "version 1 of the rules is in force, the next one is 2, not 3");
  const auto soon = net.world.block_num() + 1 + rules_notice_blocks - 1;
  CHECK(net.vote(1, 2, soon)
        == fmt::format(
            "new rules begin 16 to 10000016 blocks after the vote, so in block {} or later, not in {}",
            soon + 1, soon));
  CHECK(net.vote(1, 2, ~std::uint64_t{0}) != "");
  CHECK(net.vote(1, 2, 0) != "");
  CHECK(net.rules() == rules_view{1, 0, 0});
}

TEST_CASE("the votes of those who lost their seats do not count") {
  network net;
  CHECK(net.vote(4, 2, 40) == "");
  for (const std::uint16_t who : {1, 2, 3})
    REQUIRE(net.world
                .send(test_account(who), node_registry_address(),
                      encode_propose_validator_vote(test_account(4), false))
                .ok);
  CHECK(net.vote(1, 2, 40) == "");
  CHECK(net.rules() == rules_view{1, 0, 0}); // of three validators two are needed
  CHECK(net.vote(2, 2, 40) == "");
  CHECK(net.rules() == rules_view{1, 2, 40});
}

} // namespace rules_votes_test
