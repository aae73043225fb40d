#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/organisations_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace organisations_contract_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;

namespace {

/// A world of one organisation, with the SN `test_account(0)`, which decides alone.
memory_world world_of_one() {
  memory_world world(make_contracts(), {}, {{"first", {test_anchor(0)}, {test_account(0)}}});
  REQUIRE(register_node(world, test_account(0), node_type::sn).ok);
  return world;
}

template <class Args>
memory_world::outcome send(memory_world& world, const Args& args, std::uint16_t from = 0) {
  return world.send(test_account(from), organisation_registry_address(), encode(args));
}

hash32 numbered_anchor(std::uint32_t number) {
  hash32 out = test_anchor(1);
  put_be64(out.data(), number);
  return out;
}

std::vector<hash32> many_anchors(std::uint32_t first) {
  std::vector<hash32> out;
  for (std::uint32_t i = 0; i < anchors_max; ++i)
    out.push_back(numbered_anchor(first + i));
  return out;
}

} // namespace

TEST_CASE("a new organisation has the limits that the interface names") {
  auto world = world_of_one();
  REQUIRE(send(world, admit_organisation_args{"second", {test_anchor(1)}}).ok);
  const auto second = organisations_probe(world).organisation(2);
  CHECK(second.limits
        == organisation_limits{256, 64, 256, std::uint64_t{64} << 20, 8, std::uint64_t{64} << 30});
  CHECK(second.since_block == world.block_num());
  CHECK(organisations_probe(world).organisation(1).limits == second.limits);
  CHECK(organisations_probe(world).organisation(3) == organisation_view{});
  CHECK(organisations_probe(world).organisation(0) == organisation_view{});
}

TEST_CASE("an account votes for its organisation only while it is an active SN") {
  memory_world world(make_contracts(), {}, {{"first", {test_anchor(0)}, {test_account(0)}}});
  const organisations_probe probe(world);
  CHECK(probe.of(test_account(0)) == 0);
  CHECK(!send(world, admit_organisation_args{"second", {test_anchor(1)}}).ok);
  REQUIRE(register_node(world, test_account(0), node_type::sn).ok);
  CHECK(probe.of(test_account(0)) == 1);
  CHECK(probe.organisation(1).members == 1);
  REQUIRE(world.send(test_account(0), node_registry_address(), encode_leave_node()).ok);
  CHECK(probe.of(test_account(0)) == 0);
  CHECK(probe.organisation(1).members == 0);
}

TEST_CASE("on a chain of no organisations nobody votes") {
  memory_world world(make_contracts());
  REQUIRE(register_node(world, test_account(0), node_type::sn).ok);
  const auto done = send(world, admit_organisation_args{"first", {test_anchor(0)}});
  CHECK(!done.ok);
  CHECK(says(revert_text(done.output), "belongs to no organisation"));
  CHECK(organisations_probe(world).organisations().empty());
}

TEST_CASE(
    "256 organisations of 16 anchors fit, each is as good as the first, and removal leaves nothing behind") {
  std::vector<ledger::founder> founders;
  for (std::uint16_t i = 0; i < 3; ++i)
    founders.push_back(
        {fmt::format("founder{}", i), {test_anchor(static_cast<std::uint8_t>(i))}, {test_account(i)}});
  memory_world world(make_contracts(), {}, founders);
  for (std::uint16_t i = 0; i < 3; ++i)
    REQUIRE(register_node(world, test_account(i), node_type::sn).ok);
  const auto both = [&](const auto& args) {
    REQUIRE(send(world, args, 0).ok);
    const auto done = send(world, args, 1);
    CAPTURE(revert_text(done.output));
    REQUIRE(done.ok);
    CHECK(done.gas < call_gas);
  };
  both(admit_organisation_args{"warm", many_anchors(1'000'000)});
  const auto before = world.slot_count();
  for (std::uint32_t i = 4; i < organisations_max; ++i)
    both(admit_organisation_args{
        fmt::format("{} with a name of more than one slot {}", i, std::string(20, 'x')),
        many_anchors(i * 100)});
  const organisations_probe probe(world);
  CHECK(probe.organisations().size() == organisations_max);
  CHECK(probe.broken_invariant() == "");
  const auto full = send(world, admit_organisation_args{"more", {test_anchor(99)}});
  CHECK(!full.ok);
  CHECK(says(revert_text(full.output), "256 organisations"));
  for (std::uint32_t i = 5; i <= organisations_max; ++i)
    both(remove_organisation_args{static_cast<organisation_id>(i)});
  CHECK(world.slot_count() == before);
  both(admit_organisation_args{"more", {test_anchor(99)}});
  CHECK(probe.named("MORE") == 257);
}

TEST_CASE("a motion that ends, however it ends, leaves nothing behind") {
  memory_world world(
      make_contracts(), {},
      {{"first", {test_anchor(0)}, {test_account(0)}}, {"second", {test_anchor(1)}, {test_account(1)}}});
  REQUIRE(register_node(world, test_account(0), node_type::sn).ok);
  REQUIRE(register_node(world, test_account(1), node_type::sn).ok);
  const auto before = world.slot_count();
  const organisations_probe probe(world);
  const admit_organisation_args third{"third", many_anchors(7)};
  REQUIRE(send(world, third).ok);
  REQUIRE(send(world, take_back_vote_args{motion_key(third)}).ok);
  CHECK(world.slot_count() == before);
  CHECK(!send(world, take_back_vote_args{motion_key(third)}).ok);
  REQUIRE(send(world, third).ok);
  world.skip_blocks(motion_blocks + 1);
  CHECK(!probe.motions().at(0).open);
  REQUIRE(send(world, remove_organisation_args{2}).ok); // another vote of its only voter
  CHECK(probe.motions().size() == 1);
  REQUIRE(send(world, take_back_vote_args{motion_key(remove_organisation_args{2})}).ok);
  CHECK(world.slot_count() == before);
}

TEST_CASE("the key of a motion is the same inside the chain and outside, whatever the order of anchors") {
  auto world = memory_world(
      make_contracts(), {},
      {{"first", {test_anchor(0)}, {test_account(0)}}, {"second", {test_anchor(1)}, {test_account(1)}}});
  REQUIRE(register_node(world, test_account(0), node_type::sn).ok);
  REQUIRE(register_node(world, test_account(1), node_type::sn).ok);
  const auto newest = [&](const auto& args) {
    REQUIRE(send(world, args).ok);
    CHECK(organisations_probe(world).motions().back().key == motion_key(args));
  };
  newest(admit_organisation_args{"x", {test_anchor(9), test_anchor(8)}});
  newest(set_anchors_args{2, {test_anchor(7), test_anchor(6)}});
  newest(set_limits_args{2, {1, 2, 3, 4, 5, 6}});
  newest(remove_organisation_args{2});
}

} // namespace organisations_contract_test
