#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/members_world.hpp"

#include <doctest/doctest.h>

namespace removal_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;

namespace {

const auto newcomer = test_account(500);

/// A world whose organisation 1 has the newcomer waiting.
members_world waiting(std::uint16_t organisations) {
  members_world out(organisations);
  REQUIRE(out.enter(newcomer, out.claim(1)) == "");
  return out;
}

} // namespace

TEST_CASE("a node's own organisation removes it alone; statement, vouches and all claims before are void") {
  auto m = waiting(3);
  m.admit(newcomer, {1, 2});
  const auto in_force = m.node(newcomer);
  auto renewed = m.claim(1);
  REQUIRE(m.enter(newcomer, renewed) == "");
  CHECK(m.vouch(m.sn(2), newcomer) == "");
  CHECK(says(m.send(newcomer, remove_node_args{newcomer}), "has it as SL"));
  REQUIRE(m.send(m.sn(1), remove_node_args{newcomer}) == "");
  REQUIRE(m.events.size() == 1);
  CHECK(decode_node_event(m.events[0].topics, m.events[0].data).value()
        == node_event{node_removed{newcomer, 1}});
  CHECK(!m.active(newcomer));
  CHECK(!m.node(newcomer).pending);
  CHECK(says(m.send(m.sn(1), remove_node_args{newcomer}), "no node that could be removed"));
  CHECK(says(m.enter(newcomer, renewed), "is not after"));
  auto old = renewed;
  old.sequence = in_force.sequence;
  CHECK(says(m.enter(newcomer, old), "is not after"));
  CHECK(says(m.enter(newcomer, m.claim(1)), "was removed by vote in block"));
  auto another = m.claim(1);
  another.identity.fill(1);
  REQUIRE(m.enter(newcomer, another) == "");
  CHECK(m.pending(newcomer).vouchers.empty());
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("a certificate of a node that was removed makes no other account a member; who shares it stays") {
  auto m = waiting(2);
  const auto sharing = test_account(601), waits = test_account(602), later = test_account(603);
  for (const auto& each : {newcomer, sharing}) {
    REQUIRE(m.enter(each, m.claim(1)) == "");
    m.admit(each, {1, 2});
  }
  REQUIRE(m.enter(waits, m.claim(1)) == "");
  CHECK(m.vouch(m.sn(1), waits) == "");
  REQUIRE(m.send(m.sn(1), remove_node_args{newcomer}) == "");
  CHECK(m.active(sharing));
  CHECK(says(m.vouch(m.sn(2), waits), "was removed by vote"));
  CHECK(says(m.enter(later, m.claim(1)), "was removed by vote"));
  REQUIRE(m.enter(later, m.claim(2)) == "");
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("who names another's certificate, and has that statement removed, bars nobody") {
  auto m = waiting(2);
  const auto liar = test_account(601);
  auto claim = m.claim(1);
  claim.identity = m.claim(2).identity;
  REQUIRE(m.enter(liar, claim) == "");
  REQUIRE(m.send(m.sn(1), remove_node_args{liar}) == "");
  REQUIRE(m.enter(test_account(602), m.claim(2)) == "");
}

TEST_CASE("a waiting node that its organisation removes needs a higher sequence too") {
  auto m = waiting(2);
  auto args = m.claim(1);
  REQUIRE(m.enter(newcomer, args) == "");
  CHECK(m.vouch(m.sn(2), newcomer) == "");
  REQUIRE(m.send(m.sn(1), remove_node_args{newcomer}) == "");
  CHECK(m.pending(newcomer) == pending_view{});
  CHECK(says(m.enter(newcomer, args), "is not after"));
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("other organisations remove a node when most of them vote so; votes fall with a new statement") {
  members_world m(5);
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  m.admit(newcomer, {1, 2, 3});
  REQUIRE(m.send(m.sn(2), remove_node_args{newcomer}) == "");
  CHECK(says(m.send(m.sn(2), remove_node_args{newcomer}), "votes so already: 1 of more than 2"));
  REQUIRE(m.send(m.sn(3), remove_node_args{newcomer}) == "");
  CHECK(m.active(newcomer));
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  m.admit(newcomer, {1, 4, 5});
  REQUIRE(m.send(m.sn(4), remove_node_args{newcomer}) == "");
  REQUIRE(m.send(m.sn(3), remove_node_args{newcomer}) == "");
  CHECK(m.active(newcomer)); // the votes of before do not count
  REQUIRE(m.send(m.sn(2), remove_node_args{newcomer}) == "");
  CHECK(!m.active(newcomer));
  CHECK(m.broken_invariant() == "");
}

TEST_CASE(
    "an SWCI votes on removals; a removed founding validator loses its seat and does not come back alone") {
  members_world m(3);
  REQUIRE(m.send(m.sn(1), propose_validator_vote_args{m.sn(2), true}) == "");
  REQUIRE(m.send(m.sn(1), propose_validator_vote_args{m.sn(3), true}) == "");
  REQUIRE(m.send(m.sn(2), propose_validator_vote_args{m.sn(3), true}).empty() == false);
  CHECK(m.ask(get_validators_args{}).size() == 3);
  REQUIRE(m.enter(newcomer, m.claim(3, node_type::swci)) == "");
  m.admit(newcomer, {1, 3});
  REQUIRE(m.send(newcomer, remove_node_args{m.sn(3)}) == "");
  CHECK(!m.active(m.sn(3)));
  CHECK(m.ask(validator_members_args{}).size() == 2);
  auto another = m.claim(3, node_type::sn);
  another.identity.fill(1);
  REQUIRE(m.enter(m.sn(3), another) == "");
  CHECK(!m.active(m.sn(3)));
  // Its organisation has no SN any more, so the others vouch; the SWCI cannot.
  CHECK(says(m.vouch(newcomer, m.sn(3)), "has it as SWCI"));
  m.admit(m.sn(3), {1, 2});
  CHECK(m.broken_invariant() == "");
}

} // namespace removal_test
