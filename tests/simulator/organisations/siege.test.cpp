#include "tests/simulator/organisations/siege.hpp"

#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/memory_host.hpp"

#include <doctest/doctest.h>

namespace siege_test {

using namespace swarm;
using namespace swarm::simulator;

// A siege costs ten times as much under sanitizers: one of them is enough there to see all of its code.
#if defined(__SANITIZE_ADDRESS__)
#define SWARM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SWARM_SANITIZED 1
#endif
#endif

// With two SNs each: `./run sim --siege --honest-sns 2`, of which ./run test runs two.
TEST_CASE("one organisation of four lies with 20 SNs and 1,000 keys, and gains nothing by it") {
  siege_options options;
#ifdef SWARM_SANITIZED
  options.length = 18 * second;
#endif
  const auto out = compare_siege(options);
  CHECK_MESSAGE(out.ok(), out.course.trace, out.course.failure);
  // It was a siege.
  CHECK(out.keys == 1000);
  CHECK(out.nodes > 50);
  CHECK(out.seats_lost > 0);
  CHECK(out.finality.size() > 50);
}

TEST_CASE("the same seed gives the same siege") {
  siege_options options;
  options.length = 5 * second;
  const auto once = run_siege(options), again = run_siege(options);
  CHECK(once.course.events == again.course.events);
  CHECK(once.finality == again.finality);
  CHECK(once.bytes == again.bytes);
}

TEST_CASE("every mistake in a rule on organisations is found") {
#ifdef SWARM_SANITIZED
  const auto rules = faulty_rules().first(1);
#else
  const auto rules = faulty_rules();
#endif
  for (const auto& each : rules)
    SUBCASE(std::string(each.name).c_str()) {
      siege_options options;
      options.length = 18 * second;
      options.planted = each.rule;
      const auto out = run_siege(options);
      CHECK_MESSAGE(out.course.failure.starts_with(each.fails_with), out.course.trace, each.name, ": ",
                    out.course.failure);
    }
}

TEST_CASE("three organisations that lie together invent no node of the fourth, but with a mistake they do") {
  using namespace contracts;
  const auto invent = [](faulty_rule rule) {
    std::vector<ledger::founder> founders;
    for (std::uint16_t id = 1; id <= 4; ++id)
      founders.push_back({fmt::format("org{}", id), {hash32(u256(id))}, {test_account(id)}});
    memory_world world(with_mistake(make_contracts(), rule), {test_account(1)}, founders);
    const auto enter = [&](std::uint16_t account, organisation_id of) {
      const register_node_args args{
          .type = node_type::sn, .organisation = of, .identity = hash32(u256(account)), .sequence = 1};
      REQUIRE(world.send(test_account(account), node_registry_address(), encode(args)).ok);
    };
    for (std::uint16_t id = 1; id <= 4; ++id)
      enter(id, id);
    enter(99, 1);
    const auto waits = world.view({}, node_registry_address(), encode(pending_of_args{test_account(99)}));
    const auto hash = decode_pending_of(waits.output).value().hash;
    for (const std::uint16_t liar : {2, 3, 4})
      world.send(test_account(liar), node_registry_address(), encode_vouch(test_account(99), hash));
    const auto node = world.view({}, node_registry_address(), encode_node(test_account(99)));
    return decode_node(node.output).value().active;
  };
  CHECK(!invent(faulty_rule::none));
  CHECK(invent(faulty_rule::no_own_vouch));
}

} // namespace siege_test
