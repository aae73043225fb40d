#include "actors/swci/commands/groups.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/taskrunner/client.hpp"

#include <doctest/doctest.h>

#include <deque>

namespace taskrunners_test {

using namespace swarm;
using namespace swarm::swci;
using contracts::taskrunner_state;

namespace {

/// SNs of which it is said beforehand what they answer to each question.
struct told_network final : network {
  std::deque<result<bytes>> next;

  result<std::vector<boost::json::value>> ask(std::vector<session::rpc_call> calls) override {
    REQUIRE(calls.size() == 1);
    REQUIRE(!next.empty());
    auto now = std::move(next.front());
    next.pop_front();
    if (!now) return tl::unexpected(now.error());
    return std::vector<boost::json::value>{boost::json::object{{"result", to_hex(*now)}}};
  }
  result<> submit(const address&, bytes, std::string) override {
    return fail(errc::internal, "not asked for");
  }
  address account() const override { return {}; }
  std::string trouble() const override { return {}; }

  void place(std::uint8_t last) {
    address at;
    at[19] = last;
    next.emplace_back(contracts::abi::encode_answer(at));
  }
  void state(taskrunner_state now) {
    contracts::taskrunner_head_view head;
    head.state = now;
    next.emplace_back(contracts::abi::encode_answer(head));
  }
  void error(errc code) { next.emplace_back(fail(code, "no answer for 15 s")); }
};

outcome wait(told_network& sns, std::chrono::minutes most = std::chrono::minutes(1)) {
  command_world world{.sns = &sns,
                      .folder = user_folder("/nowhere"),
                      .task_wait_max = most,
                      .say = [](const answer&) {},
                      .waits = [] {}};
  return run(commands::wait_for_taskrunner{"runner"}, world);
}

} // namespace

TEST_CASE("a wait for a task goes on while no SN answers") {
  for (const auto code : {errc::timeout, errc::unavailable}) {
    told_network sns;
    sns.place(1);
    sns.error(code);
    sns.state(taskrunner_state::complete);
    const auto said = wait(sns);
    REQUIRE(said);
    CHECK(sns.next.empty());
    REQUIRE(*said);
    CHECK(std::get<answers::wait_ended>(**said).state == "COMPLETE");
  }
}

TEST_CASE("a wait for a task ends by its own time, and by what does not pass") {
  told_network silent;
  silent.place(1);
  silent.error(errc::timeout);
  const auto too_long = wait(silent, std::chrono::minutes(0));
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().is(errc::timeout));

  told_network other;
  other.place(1);
  other.error(errc::denied);
  const auto refused = wait(other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(errc::denied));
}

} // namespace taskrunners_test
