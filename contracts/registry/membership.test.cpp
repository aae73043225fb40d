#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/runtime/page.hpp"
#include "contracts/testing/members_world.hpp"

#include <doctest/doctest.h>

namespace membership_test {

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

TEST_CASE(
    "a founding validator counts at once, everybody else when more than half vouched, its own among them") {
  auto m = waiting(4);
  CHECK(m.node_count() == 4);
  auto shown = m.node(newcomer);
  CHECK(shown.pending);
  CHECK(!shown.active);
  CHECK(shown.organisation == 1);
  CHECK(m.vouch(m.sn(2), newcomer) == "");
  CHECK(m.vouch(m.sn(3), newcomer) == "");
  CHECK(m.vouch(m.sn(4), newcomer) == ""); // three of four, but not its own
  CHECK(!m.active(newcomer));
  CHECK(m.pending(newcomer).vouchers == std::vector<organisation_id>{2, 3, 4});
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  CHECK(m.active(newcomer));
  CHECK(m.pending(newcomer) == pending_view{});
  REQUIRE(m.events.size() == 2);
  CHECK(
      std::holds_alternative<node_vouched>(decode_node_event(m.events[0].topics, m.events[0].data).value()));
  const auto admitted = decode_node_event(m.events[1].topics, m.events[1].data).value();
  REQUIRE(std::holds_alternative<node_admitted>(admitted));
  CHECK(std::get<node_admitted>(admitted).account == newcomer);
  CHECK(m.standing(1).nodes == 2);
  CHECK(m.broken_invariant() == "");

  auto half = waiting(4);
  half.send(half.sn(1), vouch_args{newcomer, half.pending(newcomer).hash});
  CHECK(half.vouch(half.sn(2), newcomer) == "");
  CHECK(!half.active(newcomer)); // two of four are not more than half
}

TEST_CASE("the registration's event has everything that vouchers need, the proof included") {
  members_world m(2);
  auto args = m.claim(1);
  args.proof = bytes(proof_bytes_max, 7);
  args.expiry = m.world.block_time() + 5;
  REQUIRE(m.enter(newcomer, args) == "");
  CHECK(m.gas < call_gas);
  REQUIRE(m.events.size() == 1);
  CHECK(decode_node_event(m.events[0].topics, m.events[0].data).value()
        == node_event{node_registered{
            newcomer, args.type, 1, args.identity, args.expiry, args.sequence, {}, "node", "", args.proof}});
  CHECK(m.pending(newcomer).block_num == m.world.block_num());
  CHECK(m.pending(newcomer).hash == statement_hash(statement_of(newcomer, args)));
  args.proof.push_back(7);
  args.sequence += 1;
  CHECK(says(m.enter(newcomer, args), "at most 16384"));
}

TEST_CASE("who may vouch: an active SN of an organisation that is there, once for it, for what waits") {
  auto m = waiting(3);
  const auto hash = m.pending(newcomer).hash;
  const auto sl = test_account(501);
  REQUIRE(m.enter(sl, m.claim(2)) == "");
  m.admit(sl, {1, 2});
  const auto second_sn = test_account(502);
  REQUIRE(m.enter(second_sn, m.claim(2, node_type::sn)) == "");
  CHECK(says(m.vouch(second_sn, newcomer), "waits for vouches"));
  m.admit(second_sn, {1, 2});
  CHECK(says(m.send(sl, vouch_args{newcomer, hash}), "has it as SL"));
  CHECK(says(m.send(newcomer, vouch_args{newcomer, hash}), "waits for vouches"));
  CHECK(says(m.send(test_account(999), vouch_args{newcomer, hash}), "does not know it"));
  CHECK(says(m.send(m.sn(2), vouch_args{newcomer, hash32(u256(1))}), "another statement"));
  CHECK(says(m.send(m.sn(2), vouch_args{test_account(999), hash}), "no statement"));
  CHECK(m.vouch(m.sn(2), newcomer) == "");
  CHECK(says(m.vouch(second_sn, newcomer), "has vouched for this already"));
  CHECK(says(m.vouch(m.sn(2), newcomer), "has vouched for this already"));
  REQUIRE(m.send(m.sn(3), leave_node_args{}) == "");
  CHECK(says(m.vouch(m.sn(3), newcomer), "left the network"));
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  CHECK(m.active(newcomer));
}

TEST_CASE("20 SNs of one organisation have one vouch, and cannot outvote the others") {
  members_world m(4);
  for (std::uint16_t i = 0; i < 19; ++i) {
    REQUIRE(m.enter(test_account(600 + i), m.claim(4, node_type::sn)) == "");
    m.admit(test_account(600 + i), {4, 1, 2});
  }
  const auto invented = test_account(700);
  REQUIRE(m.enter(invented, m.claim(4)) == "");
  CHECK(m.vouch(m.sn(4), invented) == "");
  for (std::uint16_t i = 0; i < 19; ++i)
    CHECK(says(m.vouch(test_account(600 + i), invented), "already"));
  CHECK(!m.active(invented));
  // Nor can three organisations together invent a node of the one that does not vouch.
  const auto of_victim = test_account(701);
  REQUIRE(m.enter(of_victim, m.claim(1)) == "");
  for (organisation_id liar = 2; liar <= 4; ++liar)
    CHECK(m.vouch(m.sn(liar), of_victim) == "");
  CHECK(!m.active(of_victim));
  CHECK(says(m.send(m.sn(2), settle_args{of_victim}), "not enough"));
}

TEST_CASE("an organisation without an SN has its nodes vouched for by the others") {
  auto m = members_world(3);
  REQUIRE(m.send(m.sn(3), leave_node_args{}) == "");
  CHECK(!m.standing(3).live);
  REQUIRE(m.enter(newcomer, m.claim(3)) == "");
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  CHECK(!m.active(newcomer)); // one of two
  CHECK(m.vouch(m.sn(2), newcomer) == "");
  CHECK(m.active(newcomer));
}

TEST_CASE("an accused organisation that does not answer is not waited for; with an answer it counts again") {
  auto m = waiting(3);
  for (organisation_id by : {2, 3})
    CHECK(m.vouch(m.sn(by), newcomer) == "");
  CHECK(!m.active(newcomer));
  CHECK(says(m.send(m.sn(1), accuse_args{1}), "accuse itself"));
  CHECK(says(m.send(m.sn(2), accuse_args{9}), "no organisation 9"));
  CHECK(says(m.send(m.sn(1), answer_args{}), "nobody accuses"));
  REQUIRE(m.send(m.sn(2), accuse_args{1}) == "");
  CHECK(says(m.send(m.sn(3), accuse_args{1}), "is accused since"));
  m.world.skip_seconds(answer_seconds);
  CHECK(m.standing(1).live);
  CHECK(says(m.send(m.sn(2), settle_args{newcomer}), "not enough"));
  REQUIRE(m.send(m.sn(1), answer_args{}) == "");
  CHECK(m.standing(1).accused_at == 0);
  m.world.skip_seconds(answer_seconds + 1);
  CHECK(m.standing(1).live);
  CHECK(says(m.send(m.sn(2), accuse_args{1}), "answered a moment ago"));
  m.world.skip_seconds(accusation_rest_seconds);
  REQUIRE(m.send(m.sn(2), accuse_args{1}) == "");
  m.world.skip_seconds(answer_seconds + 1);
  CHECK(!m.standing(1).live);
  REQUIRE(m.send(test_account(999), settle_args{newcomer}) == "");
  CHECK(m.active(newcomer));
  const auto another = test_account(501);
  REQUIRE(m.enter(another, m.claim(1)) == "");
  REQUIRE(m.send(m.sn(1), answer_args{}) == "");
  CHECK(m.standing(1).live);
  for (organisation_id by : {2, 3})
    CHECK(m.vouch(m.sn(by), another) == "");
  CHECK(!m.active(another)); // its own organisation counts again
}

TEST_CASE(
    "accusations of one organisation are its SNs' right alone, and cost the accused nothing but an answer") {
  members_world m(3);
  REQUIRE(m.enter(newcomer, m.claim(2)) == "");
  CHECK(says(m.send(newcomer, accuse_args{1}), "waits for vouches"));
  m.admit(newcomer, {1, 2});
  CHECK(says(m.send(newcomer, accuse_args{1}), "has it as SL"));
  REQUIRE(m.send(m.sn(2), accuse_args{1}) == "");
  m.world.skip_seconds(answer_seconds + 1);
  CHECK(m.active(m.sn(1)));
  REQUIRE(m.send(m.sn(3), leave_node_args{}) == "");
  CHECK(says(m.send(m.sn(2), accuse_args{3}), "no SN that could answer"));
}

TEST_CASE("a sequence is used once: an older statement cannot come back, in whatever state") {
  auto m = waiting(2);
  auto first = m.claim(1);
  REQUIRE(m.enter(newcomer, first) == "");
  auto older = first;
  older.sequence -= 1;
  CHECK(says(m.enter(newcomer, older), "is not after"));
  auto changed = first;
  changed.identity.fill(1);
  CHECK(says(m.enter(newcomer, changed), "is not after")); // same sequence, other certificate
  m.admit(newcomer, {1, 2});
  CHECK(says(m.enter(newcomer, older), "is not after"));
  CHECK(says(m.enter(newcomer, changed), "is not after"));
  REQUIRE(m.send(newcomer, leave_node_args{}) == "");
  CHECK(says(m.enter(newcomer, first), "is not after"));
  CHECK(m.enter(newcomer, m.claim(1)) == "");
  CHECK(!m.active(newcomer));
}

TEST_CASE(
    "the statement that waits, or is in force, may come again with another endpoint and keeps its vouches") {
  auto m = waiting(3);
  auto args = m.claim(1);
  REQUIRE(m.enter(newcomer, args) == "");
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  args.endpoint = "there:1";
  args.name = "renamed";
  CHECK(m.enter(newcomer, args) == "");
  CHECK(m.pending(newcomer).vouchers.size() == 1);
  m.admit(newcomer, {2});
  args.endpoint = "elsewhere:1";
  CHECK(m.enter(newcomer, args) == "");
  CHECK(m.active(newcomer));
  CHECK(!m.node(newcomer).pending);
  CHECK(m.node(newcomer).endpoint == "elsewhere:1");
}

TEST_CASE(
    "a certificate is renewed without a gap: the old statement holds until the new one is vouched for") {
  auto m = waiting(3);
  m.admit(newcomer, {1, 2});
  auto renewed = m.claim(1);
  renewed.identity.fill(2);
  renewed.expiry = m.world.block_time() + 100;
  REQUIRE(m.enter(newcomer, renewed) == "");
  CHECK(m.active(newcomer));
  CHECK(m.node(newcomer).pending);
  CHECK(m.node(newcomer).identity != renewed.identity);
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  CHECK(m.node(newcomer).identity != renewed.identity);
  CHECK(m.vouch(m.sn(3), newcomer) == "");
  CHECK(m.active(newcomer));
  CHECK(m.node(newcomer).identity == renewed.identity);
  CHECK(m.node(newcomer).expiry == renewed.expiry);
  CHECK(m.node_count() == 4);
  CHECK(m.standing(1).nodes == 2);
  // One that nobody vouches for never comes into force, and does not hold back the next.
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  auto next = m.claim(1);
  next.identity.fill(3);
  REQUIRE(m.enter(newcomer, next) == "");
  m.admit(newcomer, {1, 2});
  CHECK(m.node(newcomer).identity == next.identity);
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("a member moves to another organisation when that one and the majority vouch; its type stays") {
  auto m = waiting(3);
  m.admit(newcomer, {1, 2});
  REQUIRE(m.enter(newcomer, m.claim(2)) == "");
  CHECK(m.node(newcomer).organisation == 1);
  m.admit(newcomer, {2, 3});
  CHECK(m.node(newcomer).organisation == 2);
  CHECK(m.standing(1).nodes == 1);
  CHECK(m.standing(2).nodes == 2);
  CHECK(says(m.enter(newcomer, m.claim(2, node_type::swci)), "cannot become SWCI"));
  CHECK(says(m.enter(newcomer, m.claim(9)), "no organisation 9"));
  CHECK(says(m.enter(newcomer, m.claim(0)), "no organisation 0"));
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("membership ends with the expiry, by the block's time, and counts are settled by anybody") {
  auto m = waiting(2);
  auto args = m.claim(1, node_type::sl);
  args.expiry = m.world.block_time() + 100;
  REQUIRE(m.enter(newcomer, args) == "");
  m.admit(newcomer, {1, 2});
  m.world.skip_seconds(100);
  CHECK(m.active(newcomer));
  CHECK(says(m.send(m.sn(2), settle_args{newcomer}), "nothing to settle"));
  m.world.skip_seconds(1);
  CHECK(!m.active(newcomer));
  CHECK(m.node_count() == 3);
  REQUIRE(m.send(test_account(999), settle_args{newcomer}) == "");
  CHECK(m.node_count() == 2);
  CHECK(m.standing(1).nodes == 1);
  CHECK(says(m.enter(newcomer, args), "expired"));
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  m.admit(newcomer, {1, 2});
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("a statement that expires while it waits, or an SN in the middle of vouching, counts for nothing") {
  auto m = waiting(3);
  auto args = m.claim(1);
  args.expiry = m.world.block_time() + 5;
  REQUIRE(m.enter(newcomer, args) == "");
  CHECK(m.vouch(m.sn(1), newcomer) == "");
  m.world.skip_seconds(6);
  CHECK(says(m.vouch(m.sn(2), newcomer), "expired"));

  const auto sn = test_account(501);
  auto brief = m.claim(2, node_type::sn);
  brief.expiry = m.world.block_time() + 50;
  REQUIRE(m.enter(sn, brief) == "");
  m.admit(sn, {1, 2});
  m.world.skip_seconds(51);
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  CHECK(says(m.vouch(sn, newcomer), "expired at second"));
  CHECK(says(m.send(sn, accuse_args{1}), "expired at second"));
  CHECK(says(m.send(sn, remove_node_args{m.sn(2)}), "expired at second"));
  // A founding validator whose certificate expired comes back alone: else nobody could renew the last SN.
  auto founder = m.claim(1, node_type::sn);
  founder.identity = hash32(u256(77));
  founder.expiry = m.world.block_time() + 5;
  REQUIRE(m.enter(m.sn(1), founder) == "");
  m.world.skip_seconds(6);
  CHECK(!m.active(m.sn(1)));
  founder.sequence = m.claim(1).sequence;
  founder.expiry = 0;
  REQUIRE(m.enter(m.sn(1), founder) == "");
  CHECK(m.active(m.sn(1)));
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("the 257th node of an organisation is refused, the others' are not; a departure makes room") {
  members_world m(3);
  for (std::uint16_t i = 1; i < 256; ++i) {
    REQUIRE(m.enter(test_account(1000 + i), m.claim(1)) == "");
    m.admit(test_account(1000 + i), {1, 2});
  }
  CHECK(m.standing(1).nodes == 256);
  CHECK(says(m.enter(newcomer, m.claim(1)), "has 256 nodes"));
  REQUIRE(m.enter(test_account(1001), m.claim(1)) == ""); // a member renews its certificate all the same
  m.admit(test_account(1001), {1, 2});
  REQUIRE(m.enter(newcomer, m.claim(2)) == "");
  m.admit(newcomer, {1, 2});
  REQUIRE(m.send(newcomer, leave_node_args{}) == "");
  REQUIRE(m.send(test_account(1002), leave_node_args{}) == "");
  const auto a = test_account(501), b = test_account(502);
  REQUIRE(m.enter(a, m.claim(1)) == "");
  REQUIRE(m.enter(b, m.claim(1)) == "");
  m.admit(a, {1, 2});
  CHECK(m.vouch(m.sn(1), b) == "");
  CHECK(says(m.vouch(m.sn(2), b), "has 256 nodes")); // the place went to another that waited
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("who floods an organisation's waiting list displaces his own; vouched ones stay, the rest goes in "
          "an hour") {
  members_world m(3);
  const auto vouched = test_account(501), of_other = test_account(502);
  REQUIRE(m.enter(vouched, m.claim(1)) == "");
  CHECK(m.vouch(m.sn(1), vouched) == "");
  const auto slots_before = m.world.slot_count();
  for (std::uint16_t i = 0; i < 4096; ++i) {
    REQUIRE(m.enter(test_account(1000 + i), m.claim(1)) == "");
    REQUIRE(m.gas < 1'000'000);
  }
  CHECK(m.standing(1).pending == pending_max);
  CHECK(m.world.slot_count() < slots_before + std::size_t{pending_max} * 10);
  CHECK(m.node(test_account(3000)) == node_view{}); // displaced: nothing is left of it
  REQUIRE(m.enter(newcomer, m.claim(1)) == "");
  CHECK(m.node(newcomer).pending);
  m.admit(newcomer, {1, 2});
  m.admit(vouched, {2});
  REQUIRE(m.enter(of_other, m.claim(2)) == "");
  m.admit(of_other, {2, 3});
  CHECK(m.standing(2).pending == 0);
  CHECK(m.broken_invariant() == "");
  m.world.skip_seconds(pending_seconds + 1);
  for (const auto& one : m.ask(pending_nodes_args{1, 0, page_entries_max})) {
    CHECK(says(m.vouch(m.sn(1), one.statement.account), "register again"));
    CHECK(m.send(m.sn(2), settle_args{one.statement.account}) == "");
  }
  CHECK(m.standing(1).pending == 0);
  CHECK(m.node_count() == 6);
}

TEST_CASE("4,096 nodes of 16 organisations: each call costs what it does with few, and all leave nothing in "
          "the list") {
  members_world m(16);
  std::vector<organisation_id> most;
  for (organisation_id id = 1; id <= 9; ++id)
    most.push_back(id);
  std::uint64_t first_gas = 0;
  for (std::uint16_t i = 0; i < 255 * 16; ++i) {
    const auto own = static_cast<organisation_id>(1 + i % 16);
    REQUIRE(m.enter(test_account(1000 + i), m.claim(own)) == "");
    auto by = most;
    if (own > 9) by.back() = own;
    m.admit(test_account(1000 + i), by);
    if (i == 16) first_gas = m.gas;
  }
  CHECK(m.gas <= first_gas + 1000);
  CHECK(m.node_count() == 4096);
  CHECK(m.broken_invariant() == "");
  for (std::uint16_t i = 0; i < 255 * 16; ++i)
    REQUIRE(m.send(test_account(1000 + i), leave_node_args{}) == "");
  CHECK(m.node_count() == 16);
  CHECK(m.broken_invariant() == "");
}

TEST_CASE("nodes of a removed organisation are no members any more, wherever that is asked") {
  auto m = waiting(3);
  m.admit(newcomer, {1, 2});
  const auto remove = encode(remove_organisation_args{1});
  REQUIRE(m.world.send(m.sn(2), organisation_registry_address(), remove).ok);
  REQUIRE(m.world.send(m.sn(3), organisation_registry_address(), remove).ok);
  CHECK(!m.active(newcomer));
  CHECK(says(m.send(m.sn(1), accuse_args{2}), "was removed"));
  CHECK(m.node_count() == 4);
  for (const auto& gone : {newcomer, m.sn(1)})
    CHECK(m.send(m.sn(2), settle_args{gone}) == "");
  CHECK(m.node_count() == 2);
  CHECK(says(m.enter(newcomer, m.claim(1)), "no organisation 1"));
}

TEST_CASE("on a chain without organisations nobody vouches, accuses or removes") {
  memory_world world(make_contracts());
  const auto send = [&](const auto& args) {
    const auto done = world.send(test_account(1), node_registry_address(), encode(args));
    return done.ok ? std::string() : revert_text(done.output);
  };
  CHECK(send(register_node_args{.type = node_type::sn}) == "");
  CHECK(says(send(register_node_args{.type = node_type::sn, .organisation = 1}), "without organisations"));
  CHECK(says(send(vouch_args{}), "without organisations"));
  CHECK(says(send(accuse_args{}), "without organisations"));
  CHECK(says(send(answer_args{}), "without organisations"));
  CHECK(says(send(remove_node_args{}), "without organisations"));
}

} // namespace membership_test
