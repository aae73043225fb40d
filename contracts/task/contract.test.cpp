#include "contracts/task/contract.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace task_contract_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

const auto cleo = test_account(1);

memory_world world_with_operator() {
  memory_world world(make_contracts());
  REQUIRE(register_node(world, cleo, node_type::swci).ok);
  return world;
}

template <class Args>
wording refusal(memory_world& world, const Args& args, const address& from = cleo) {
  const auto done = world.send(from, task_registry_address(), encode(args));
  return done.ok ? "" : revert_text(done.output);
}

create_task_args some_task(std::string name) {
  return {task_type::pull_image, std::move(name), "Zoë", std::string(root_task_name), "image:1"};
}

std::string text_of(std::size_t characters) {
  std::string out;
  for (std::size_t i = 0; i < characters; ++i)
    out += "ü";
  return out;
}

} // namespace

TEST_CASE("a RUN_NODE is no task before version 3 of the rules") {
  memory_world world(make_contracts(), {}, {}, 2);
  REQUIRE(register_node(world, cleo, node_type::swci).ok);
  auto wanted = some_task("start");
  wanted.type = task_type::run_node;
  const auto input = encode(wanted);
  const auto done = world.send(cleo, task_registry_address(), input);
  CHECK_FALSE(done.ok);
  CHECK(revert_text(done.output).find("needs version 3 of the chain's rules") != std::string::npos);
  // It costs what a type cost that nobody knew: older swarmds execute the same blocks.
  auto unknown = input;
  unknown[4 + 31] = 0x77;
  const auto refused = world.send(cleo, task_registry_address(), unknown);
  CHECK_FALSE(refused.ok);
  CHECK(done.gas == refused.gas);
  CHECK(done.loads == 0);
  world.begin_rules(3);
  CHECK(refusal(world, wanted) == "");
}

TEST_CASE("words for the types of tasks") {
  for (const auto* words :
       {"RUN_SWARM", "MAKE_USER_CONTAINER", "MAKE_SWARM_USER_CONTENT", "PULL_IMAGE", "RUN_NODE"})
    CHECK(to_string(parse_task_type(words).value()) == words);
  CHECK(to_string(task_type::root) == "ROOT");
  CHECK(!parse_task_type("ROOT"));
  CHECK(!parse_task_type("run_swarm"));
}

TEST_CASE("texts of a task are bounded in characters, its body in bytes") {
  auto world = world_with_operator();
  const taskrunner_probe probe(world, {});
  auto args = some_task(text_of(160));
  args.author = args.outcome = args.name;
  CHECK(refusal(world, args) == "");
  CHECK(probe.task(args.name).outcome == args.outcome);
  auto derived = some_task("derived");
  derived.prereq = args.name;
  CHECK(refusal(world, derived) == "");

  const auto with = [&](auto change) {
    auto bad = some_task("bad");
    change(bad);
    return refusal(world, bad);
  };
  CHECK(with([](auto& a) { a.name = text_of(161); }).contains("is no name for a task: 1 to 160 characters"));
  for (const auto* name : {"", "two words", "bell\a"})
    CHECK(with([name](auto& a) { a.name = name; }).contains("is no name for a task"));
  CHECK(with([](auto& a) { a.author = text_of(161); })
        == "author has 161 characters, at most 160 are allowed");
  CHECK(with([](auto& a) { a.outcome = text_of(161); })
        == "outcome has 161 characters, at most 160 are allowed");
  CHECK(with([](auto& a) { a.author = "a\nb"; }) == "author has a control character at byte 1");
  CHECK(with([](auto& a) { a.prereq = ""; }) == "there is no task '', which is to be the prerequisite");
  CHECK(with([](auto& a) { a.type = task_type::root; }) == "taskType 0 is only of ROOTTASK");

  const auto append = [&](std::uint32_t first, std::vector<std::string> lines) {
    return refusal(world, append_task_body_args{"derived", first, std::move(lines)});
  };
  const std::string longest(1024, 'x');
  CHECK(append(1, std::vector<std::string>(65, "x")) == "a call writes 1 to 64 lines, got 65");
  CHECK(append(1, {longest + "x"}) == "line 1 has 1025 bytes, at most 1024 are allowed");
  CHECK(append(1, {"ok", "tab\t"}) == "line 2 has a control character at byte 3");
  CHECK(append(1, std::vector<std::string>(17, longest))
        == "the lines have 17408 bytes together, at most 16384 are allowed in a call");
  for (std::uint32_t first = 1; first < 64; first += 16)
    CHECK(append(first, std::vector<std::string>(first == 49 ? 15 : 16, longest)) == "");
  CHECK(append(64, {std::string(1021, 'x')}) == ""); // with the three bytes of line 0 this is the most
  CHECK(probe.task("derived").body_bytes == body_bytes_max);
  CHECK(append(65, {"x"}) == "the body would have 65537 bytes, at most 65536 are allowed");
  CHECK(append(1, {"short"}) == "");
  CHECK(probe.task("derived").body_bytes == body_bytes_max - 1024 + 5);

  for (std::uint32_t first = 65; first < 512; first += 64)
    CHECK(append(first, std::vector<std::string>(std::min(64u, 512 - first), "")) == "");
  CHECK(probe.task("derived").lines == body_lines_max);
  CHECK(append(512, {""}) == "the body would have 513 lines, at most 512 are allowed");
  CHECK(probe.body("derived").size() == body_lines_max);
}

TEST_CASE("the body that takes most slots is removed within the gas of a call") {
  auto world = world_with_operator();
  REQUIRE(refusal(world, some_task("derived")) == "");
  const auto before = world.slot_count();
  const std::string line(129, 'x'); // takes six slots
  for (std::uint32_t first = 1; first < 505; first += 63)
    REQUIRE(refusal(world, append_task_body_args{"derived", first, std::vector<std::string>(63, line)})
            == "");
  CHECK(world.slot_count() - before == 6 * 504);
  const auto done = world.send(cleo, task_registry_address(), encode(remove_task_args{"derived"}));
  REQUIRE(done.ok);
  constexpr std::uint64_t clear_gas = 2000, load_gas = 200; // on a chain (ledger/state)
  CHECK(done.stores * clear_gas + done.loads * load_gas < call_gas * 8 / 10);
  const taskrunner_probe probe(world, {});
  CHECK(probe.task("derived") == task_view{});
  CHECK(probe.body("derived").empty());
}

TEST_CASE("a removed task leaves nothing behind") {
  auto world = world_with_operator();
  REQUIRE(refusal(world, some_task("first")) == "");
  REQUIRE(refusal(world, remove_task_args{"first"}) == "");
  const auto before = world.slot_count();
  auto args = some_task(std::string(100, 'n'));
  args.author = args.outcome = std::string(150, 'a');
  REQUIRE(refusal(world, args) == "");
  REQUIRE(refusal(world, append_task_body_args{args.name, 1, {std::string(500, 'x'), "", "y"}}) == "");
  REQUIRE(refusal(world, remove_task_args{args.name}) == "");
  CHECK(world.slot_count() == before);
}

TEST_CASE("ten thousand tasks are listed by pages, and none costs more than the first") {
  auto world = world_with_operator();
  std::uint64_t first_gas = 0, last_gas = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    const auto done =
        world.send(cleo, task_registry_address(), encode(some_task(fmt::format("task{:05}", i))));
    REQUIRE(done.ok);
    (i == 0 ? first_gas : last_gas) = done.gas;
  }
  // The creator's counter, which is new to the first, costs the world of these tests nothing more.
  CHECK(last_gas == first_gas);
  const taskrunner_probe probe(world, {});
  const auto names = probe.task_names();
  REQUIRE(names.size() == 10'001);
  CHECK(names.front() == root_task_name);
  CHECK(names.back() == "task09999");
  const auto page = [&world](std::uint64_t first) {
    return world.view({}, task_registry_address(), encode(task_names_args{first, 5000}));
  };
  CHECK(decode_answer<task_names_args>(page(8000).output).value().size() == task_names_max);
  CHECK(page(8000).loads == page(0).loads);
  CHECK(decode_answer<task_names_args>(page(10'001).output).value().empty());
  const auto read = [&world](std::string_view name) {
    return world.view({}, task_registry_address(), encode(task_args{std::string(name)})).loads;
  };
  CHECK(read("task09999") == read("task00000"));
}

TEST_CASE("what an author's organisation has not finished nobody else changes") {
  memory_world world(make_contracts(), {}, test_founders({{1, 2}, {3}}));
  for (std::uint16_t i = 1; i <= 3; ++i)
    REQUIRE(register_node(world, test_account(i), node_type::swci).ok);
  const auto colleague = test_account(2), stranger = test_account(3);
  REQUIRE(refusal(world, some_task("ours")) == "");
  const taskrunner_probe probe(world, {});
  CHECK(probe.task("ours").organisation == 1);
  CHECK(probe.task("ours").organisation_name == "Org 1");
  const auto theirs = "the task 'ours' is of the organisation 'Org 1', which alone may change it";
  CHECK(refusal(world, append_task_body_args{"ours", 1, {"evil"}}, stranger) == theirs);
  CHECK(refusal(world, finalize_task_args{"ours"}, stranger) == theirs);
  CHECK(refusal(world, remove_task_args{"ours"}, stranger) == theirs);
  CHECK(refusal(world, append_task_body_args{"ours", 1, {"good"}}, colleague) == "");
  CHECK(refusal(world, finalize_task_args{"ours"}, colleague) == "");
  CHECK(probe.task("ours").organisation == 1);
  CHECK(probe.task(root_task_name).organisation == 0);
}

TEST_CASE("one account cannot use up the tasks of a chain") {
  auto world = world_with_operator();
  for (std::size_t i = 0; i < creator_tasks_max; ++i)
    REQUIRE(world.send(cleo, task_registry_address(), encode(some_task(fmt::format("t{}", i)))).ok);
  CHECK(refusal(world, some_task("more"))
        == to_hex(cleo.view()) + " has created 16384 tasks, the most that it may have");
  const auto carl = test_account(2);
  REQUIRE(register_node(world, carl, node_type::swci).ok);
  CHECK(refusal(world, some_task("more"), carl) == "");
  CHECK(refusal(world, remove_task_args{"t5"}, carl) == "");
  CHECK(refusal(world, some_task("again")) == "");
}

TEST_CASE("one organisation cannot use up the tasks of a chain, with however many accounts") {
  memory_world world(make_contracts(), {}, test_founders({{1, 2}, {3}}));
  for (std::uint16_t i = 1; i <= 3; ++i)
    REQUIRE(register_node(world, test_account(i), node_type::swci).ok);
  const auto colleague = test_account(2), stranger = test_account(3);
  for (std::size_t i = 0; i < creator_tasks_max; ++i)
    REQUIRE(refusal(world, some_task(fmt::format("t{}", i)), test_account(1 + i % 2)) == "");
  const auto full = "the organisation 'Org 1' has created 16384 tasks, the most that it may have";
  CHECK(refusal(world, some_task("more")) == full);
  CHECK(refusal(world, some_task("more"), colleague) == full);
  CHECK(refusal(world, some_task("more"), stranger) == "");
  CHECK(refusal(world, remove_task_args{"t5"}, colleague) == "");
  CHECK(refusal(world, some_task("again")) == "");
}

} // namespace task_contract_test
