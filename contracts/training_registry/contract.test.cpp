#include "contracts/training_registry/contract.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training_registry/client.hpp"

#include <doctest/doctest.h>

namespace training_registry_contract_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

wording create(memory_world& world, const address& from, std::string_view name) {
  const auto done = world.send(from, training_registry_address(), encode_create_training(name));
  return done.ok ? to_hex(decode_answer<create_training_args>(done.output).value().view())
                 : revert_text(done.output);
}
std::vector<std::string> names(const memory_world& world, std::uint64_t first, std::uint64_t count) {
  const auto out =
      world.view({}, training_registry_address(), encode(training_names_args{first, count})).output;
  return decode_answer<training_names_args>(out).value();
}

} // namespace

TEST_CASE("operators create trainings, each of its own state") {
  memory_world world(make_contracts());
  const auto sn = test_account(1), sl = test_account(2);
  REQUIRE(register_node(world, sn, node_type::sn).ok);
  REQUIRE(register_node(world, sl, node_type::sl).ok);
  CHECK(names(world, 0, 10) == std::vector<std::string>{std::string(default_training_name)});
  CHECK(create(world, sl, "mine")
        == to_hex(sl.view()) + " is not registered as an active SN or SWCI: the NodeRegistry has it as SL");
  CHECK(create(world, sn, default_training_name) == "there is a training 'defaultbb.cqdb.sml.hpe' already");
  for (const auto* bad : {"", "a b", "a/b", "ü", "x\n"})
    CHECK(says(create(world, sn, bad), "is no name for a training"));
  CHECK(says(create(world, sn, std::string(65, 'x')), "is no name for a training"));

  const std::string longest(64, 'L');
  const auto done = world.send(sn, training_registry_address(), encode_create_training(longest));
  REQUIRE(done.ok);
  const auto where = decode_answer<create_training_args>(done.output).value();
  CHECK(where == training_address(longest));
  CHECK(decode_event<training_registry_interface>(done.events.at(0).topics, done.events.at(0).data).value()
        == training_registry_event{training_created{longest, where, sn}});
  CHECK(names(world, 1, 10) == std::vector<std::string>{longest});
  const auto address_of = [&world](std::string_view name) {
    const auto out =
        world.view({}, training_registry_address(), encode(training_address_of_args{std::string(name)}))
            .output;
    return decode_answer<training_address_of_args>(out).value();
  };
  CHECK(address_of(longest) == where);
  CHECK(address_of("other").is_zero());
  CHECK(address_of(default_training_name) == training_address(default_training_name));
  CHECK(count_of(decode_answer<training_count_args>(
                     world.view({}, training_registry_address(), encode(training_count_args{})).output))
            .value()
        == 2);

  const training_probe mine(world, where), standard(world, training_address(default_training_name));
  CHECK(mine.name() == longest);
  CHECK(standard.name() == default_training_name);
  REQUIRE(
      world.send(sl, where, encode_register_peer({.min_peers = 3, .merge_method = "mean", .weightage = 1}))
          .ok);
  CHECK(mine.head().min_peers == 3);
  CHECK(mine.head().round_num == 1);
  CHECK(mine.head().generation == 1);
  CHECK(standard.head().min_peers == 0);
}

} // namespace training_registry_contract_test
