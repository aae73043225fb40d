#include "base/random.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/naive_tasks.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace task_model_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint16_t operators = 3;

/// The contract and its twin, given the same calls by one of three SWCIs.
class twin_world {
public:
  twin_world(std::uint64_t seed, const std::vector<ledger::founder>& founders)
      : random(seed), world(make_contracts(), {}, founders) {
    for (std::size_t i = 0; i < founders.size(); ++i)
      for (const auto& account : founders[i].validators)
        twin.homes[account] = static_cast<organisation_id>(i + 1);
    for (std::uint16_t i = 0; i < operators; ++i)
      REQUIRE(register_node(world, test_account(i), node_type::swci).ok);
  }

  template <class Args>
  void call(const Args& args) {
    const auto caller = test_account(static_cast<std::uint16_t>(random.below(operators)));
    twin.block_num = world.block_num() + 1;
    twin.events.clear();
    const auto done = world.send(caller, task_registry_address(), encode(args));
    INFO("revert: " << (done.ok ? "none" : revert_text(done.output)));
    REQUIRE(done.ok == twin.call(caller, args));
    REQUIRE(done.events.size() == twin.events.size());
    for (std::size_t i = 0; i < done.events.size(); ++i)
      REQUIRE(decode_task_event(done.events[i].topics, done.events[i].data).value() == twin.events[i]);
    if (!done.ok) return;
    ++accepted;
    compare();
  }

  seeded_random random;
  memory_world world;
  naive_tasks twin;
  std::size_t accepted = 0;

private:
  void compare() const {
    const taskrunner_probe probe(world, {});
    std::vector<std::string> names;
    for (const auto& one : twin.tasks()) {
      names.push_back(one.head.name);
      auto head = one.head;
      head.lines = static_cast<std::uint32_t>(one.body.size());
      for (const auto& line : one.body)
        head.body_bytes += static_cast<std::uint32_t>(line.size());
      auto seen = probe.task(head.name);
      REQUIRE(seen.organisation_name
              == (head.organisation == 0 ? "" : fmt::format("Org {}", head.organisation)));
      seen.organisation_name.clear();
      REQUIRE(seen == head);
      REQUIRE(probe.body(head.name) == one.body);
    }
    REQUIRE(probe.task_names() == names);
  }
};

std::string random_text(seeded_random& random, std::size_t size_max) {
  static constexpr std::array<std::string_view, 4> pieces{"a", "b: c", "ü", " "};
  std::string out;
  for (auto left = random.below(size_max / 4 + 1); left > 0; --left)
    out += pieces[random.below(pieces.size())];
  if (random.below(40) == 0) out += '\t';
  return out;
}

void random_call(twin_world& both) {
  auto& random = both.random;
  const auto some_name = [&random] {
    return random.below(20) == 0 ? std::string(root_task_name) : fmt::format("task{}", random.below(6));
  };
  const auto dice = random.below(20);
  if (dice < 7) {
    create_task_args args;
    args.type = static_cast<task_type>(random.below(5));
    args.name = random.below(20) == 0 ? random_text(random, 40) : some_name();
    args.author = random_text(random, 100);
    args.prereq = random.below(2) == 0 ? std::string(root_task_name) : some_name();
    args.outcome = random_text(random, random.below(10) == 0 ? 400 : 40);
    if (args.outcome.find("ü") != std::string::npos && args.outcome.size() > 160) args.outcome.clear();
    both.call(args);
  } else if (dice < 15) {
    append_task_body_args args;
    args.name = some_name();
    args.first = static_cast<std::uint32_t>(random.below(6));
    args.lines.resize(random.below(random.below(10) == 0 ? 70 : 5));
    for (auto& line : args.lines) {
      line = random_text(random, random.below(10) == 0 ? 1100 : 100);
      std::erase(line, '\t');
    }
    both.call(args);
  } else if (dice < 16) {
    both.call(finalize_task_args{some_name()});
  } else {
    both.call(remove_task_args{some_name()});
  }
}

} // namespace

TEST_CASE("tasks and their naive twin agree on long random call sequences") {
  std::size_t accepted = 0;
  std::array<std::size_t, std::variant_size_v<task_event>> seen{};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    twin_world both(seed, seed <= 40 ? std::vector<ledger::founder>{} : test_founders({{0, 1}, {2}}));
    for (int step = 0; step < 200; ++step) {
      CAPTURE(step);
      random_call(both);
      for (const auto& event : both.twin.events)
        ++seen[event.index()];
    }
    accepted += both.accepted;
  }
  CHECK(accepted > 1000);
  for (std::size_t kind = 0; kind < seen.size(); ++kind) {
    CAPTURE(kind);
    CHECK(seen[kind] >= 50);
  }
  MESSAGE(accepted << " calls accepted");
}

} // namespace task_model_test
