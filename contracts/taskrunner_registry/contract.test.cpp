#include "contracts/taskrunner_registry/contract.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/taskrunner_registry/client.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace taskrunner_registry_contract_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

wording create(memory_world& world, const address& from, std::string_view name) {
  const auto done =
      world.send(from, taskrunner_registry_address(), encode(create_taskrunner_args{std::string(name)}));
  return done.ok ? to_hex(decode_answer<create_taskrunner_args>(done.output).value().view())
                 : revert_text(done.output);
}
template <class Call>
auto ask(const memory_world& world, const Call& call) {
  return decode_answer<Call>(world.view({}, taskrunner_registry_address(), encode(call)).output).value();
}

} // namespace

TEST_CASE("operators create taskrunners, each of its own state") {
  memory_world world(make_contracts());
  const auto swci = test_account(1), swop = test_account(2);
  REQUIRE(register_node(world, swci, node_type::swci).ok);
  REQUIRE(register_node(world, swop, node_type::swop).ok);
  CHECK(ask(world, taskrunner_names_args{0, 10})
        == std::vector<std::string>{std::string(default_taskrunner_name)});
  CHECK(create(world, swop, "mine")
        == to_hex(swop.view()) + " is not registered as an active SWCI: the NodeRegistry has it as SWOP");
  CHECK(create(world, swci, default_taskrunner_name)
        == "there is a taskrunner 'defaulttaskbb.taskdb.sml.hpe' already");
  for (const auto* bad : {"", "a b", "a/b", "ü", "x\n"})
    CHECK(says(create(world, swci, bad), "is no name for a taskrunner"));
  CHECK(says(create(world, swci, std::string(65, 'x')), "is no name for a taskrunner"));

  const std::string longest(64, 'L');
  const auto done = world.send(swci, taskrunner_registry_address(), encode(create_taskrunner_args{longest}));
  REQUIRE(done.ok);
  const auto where = decode_answer<create_taskrunner_args>(done.output).value();
  CHECK(where == taskrunner_address(longest));
  CHECK(decode_event<taskrunner_registry_interface>(done.events.at(0).topics, done.events.at(0).data).value()
        == taskrunner_registry_event{taskrunner_created{longest, where, swci}});
  CHECK(ask(world, taskrunner_names_args{1, 10}) == std::vector<std::string>{longest});
  CHECK(ask(world, taskrunner_address_of_args{longest}) == where);
  CHECK(ask(world, taskrunner_address_of_args{"other"}).is_zero());
  CHECK(ask(world, taskrunner_count_args{}).to_u64() == 2);

  const taskrunner_probe mine(world, where), standard(world, default_taskrunner());
  CHECK(mine.name() == longest);
  CHECK(standard.name() == default_taskrunner_name);
  CHECK(mine.head().times.created == world.block_num());
  CHECK(standard.head().times.created == 0);
  REQUIRE(world.send(swop, where, encode(listen_args{3})).ok);
  CHECK(mine.head().slots == 3);
  CHECK(standard.head().slots == 0);
}

TEST_CASE("one account cannot use up the taskrunners of a chain") {
  memory_world world(make_contracts());
  const auto swci = test_account(1), other = test_account(2);
  REQUIRE(register_node(world, swci, node_type::swci).ok);
  REQUIRE(register_node(world, other, node_type::swci).ok);
  for (std::size_t i = 0; i < creator_taskrunners_max; ++i)
    REQUIRE(create(world, swci, fmt::format("runner{}", i)).starts_with("0x"));
  CHECK(create(world, swci, "more")
        == to_hex(swci.view()) + " has created 1024 taskrunners, the most that it may have");
  CHECK(create(world, other, "more") == to_hex(taskrunner_address("more").view()));
}

} // namespace taskrunner_registry_contract_test
