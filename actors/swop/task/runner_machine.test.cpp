#include "actors/swop/task/runner_machine.hpp"

#include <doctest/doctest.h>

namespace runner_machine_test {

using namespace swarm;
using namespace swarm::swop;
using namespace std::chrono_literals;
using contracts::assign_mode;
using contracts::task_type;
using contracts::taskrunner_state;

namespace {

struct rig {
  explicit rig(std::uint32_t slots = 2) : machine(slots) {}

  void read() {
    machine.step(event::taskrunner_read{view, std::vector<contracts::pair_view>(view.swop.pairs)}, now);
    collect();
  }
  void done(bool ok = true) {
    machine.step(event::call_done{ok}, now);
    collect();
  }
  void pass(duration span) {
    now += span;
    machine.step(event::tick{}, now);
    collect();
  }
  void gone() {
    machine.step(event::part_gone{told()}, now);
    collect();
  }
  void collect() {
    for (auto wanted = machine.take_actions(); !wanted.empty(); wanted = machine.take_actions())
      for (auto& each : wanted) {
        const bool cleans = std::holds_alternative<action::clean_up>(each);
        actions.push_back(std::move(each));
        if (cleans && !dirty) machine.step(event::cleaned{}, now);
      }
  }
  /// All actions of a kind since the last question for any.
  template <class Kind>
  std::vector<Kind> take() {
    std::vector<Kind> out;
    for (const auto& each : std::exchange(actions, {}))
      if (const auto* one = std::get_if<Kind>(&each)) out.push_back(*one);
    return out;
  }
  void listens() {
    view.swop.listening = true;
    view.swop.slots = 2;
  }
  void assigned(task_type type = task_type::run_swarm, std::uint32_t quorum = 4) {
    auto& head = view.head;
    head.run += 1;
    head.times.assigned = 100 + head.run;
    head.state = taskrunner_state::enrolling;
    head.type = type;
    head.task = "t";
    head.quorum = quorum;
    head.enrolled = head.invited = 0;
    view.swop.status = part_status::none;
    view.swop.attempt = 0;
  }
  void enrolled() {
    view.swop.status = part_status::active;
    view.swop.attempt += 1;
    view.swop.pairs = view.head.type == task_type::run_swarm ? 2 : 0;
  }
  void reset() {
    view.head.state = taskrunner_state::idle;
    view.swop.status = part_status::none;
  }
  part_id told() const { return {view.head.run, view.head.times.assigned, view.swop.attempt}; }

  runner_machine machine;
  contracts::taskrunner_head_for_view view;
  time_point now = time_point{} + 1h;
  std::vector<runner_action> actions;
  bool dirty = false; ///< programs of other parts do not end
};

} // namespace

TEST_CASE("a SWOP listens, enrols, has its part begun once, and ends it when the run is reset") {
  rig on;
  on.read();
  CHECK(on.take<action::listen>() == std::vector{action::listen{2}});
  on.read(); // the call is still under way
  CHECK(on.take<action::listen>().empty());
  on.listens();
  on.done();
  on.assigned();
  on.read();
  CHECK(on.take<action::enrol>() == std::vector{action::enrol{1, "t"}});
  on.enrolled();
  on.done();
  on.read();
  const auto begun = on.take<action::begin_part>();
  REQUIRE(begun.size() == 1);
  CHECK(begun[0] == action::begin_part{{1, 101, 1}, "t", 2});
  on.read();
  CHECK(on.take<action::tell_part>().size() == 1);
  on.reset();
  on.read();
  on.read();
  CHECK(on.take<action::end_part>().size() == 1);
  on.machine.step(event::part_gone{{1, 101, 1}}, on.now);
  on.collect();
  CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{}});
}

TEST_CASE("a SWOP enrols only where it is needed and wanted") {
  rig on;
  on.listens();
  const auto enrols = [&] {
    on.read();
    const bool out = !on.take<action::enrol>().empty();
    if (out) on.done();
    return out;
  };
  on.assigned();
  on.view.head.enrolled = 4;
  CHECK(!enrols()); // there are enough
  on.view.head.enrolled = 3;
  CHECK(enrols());
  on.view.head.mode = assign_mode::target;
  CHECK(!enrols()); // another one is meant
  on.view.swop.status = part_status::invited;
  CHECK(enrols());
  on.view.swop.status = part_status::none;
  on.view.head.mode = assign_mode::with_peers;
  on.view.head.state = taskrunner_state::running;
  CHECK(!enrols());
  rig empty(0);
  empty.listens();
  empty.view.swop.slots = 0;
  empty.assigned();
  empty.read();
  CHECK(empty.take<action::enrol>().empty()); // it has no SLs
  empty.assigned(task_type::make_user_container, 1);
  empty.read();
  CHECK(empty.take<action::enrol>().size() == 1);
}

TEST_CASE("a part is started over when its attempt is another one, the old one ends first") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  const auto first = on.told();
  CHECK(on.take<action::begin_part>().size() == 1);
  on.enrolled();
  on.read();
  const auto ended = on.take<action::end_part>();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0] == action::end_part{first, {}});
  on.read();
  CHECK(on.take<action::begin_part>().empty());
  on.machine.step(event::part_gone{first}, on.now);
  on.collect();
  on.read();
  CHECK(on.take<action::begin_part>().size() == 1);
}

TEST_CASE("what a former life left behind is cleaned up, the part under way excepted") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{on.told()}});
  rig idle;
  idle.listens();
  idle.read();
  CHECK(idle.take<action::clean_up>() == std::vector{action::clean_up{}});
  rig over; // the part has ended and the run is not reset: its outputs stay, nothing is started
  over.listens();
  over.assigned();
  over.enrolled();
  over.view.swop.status = part_status::complete;
  over.read();
  CHECK(over.take<action::begin_part>().empty());
}

TEST_CASE("a call that failed is repeated after a while, not at once") {
  rig on;
  on.read();
  CHECK(on.take<action::listen>().size() == 1);
  on.done(false);
  on.read();
  CHECK(on.take<action::listen>().empty());
  CHECK(on.machine.wake_at() == on.now + runner_machine::retry_wait);
  on.pass(runner_machine::retry_wait);
  CHECK(on.take<action::listen>().size() == 1);
}

TEST_CASE("a SWOP that stops ends its part, listens no longer, and is gone") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  on.take<action::listen>();
  on.machine.step(event::leave{}, on.now);
  on.collect();
  CHECK(on.take<action::end_part>()
        == std::vector{action::end_part{on.told(), {task_failure::swop_stopped, 0}}});
  on.gone();
  CHECK(on.take<action::unlisten>().size() == 1);
  on.done();
  CHECK(on.take<action::left>().size() == 1);
  rig fresh; // which never heard of its taskrunner
  fresh.machine.step(event::leave{}, fresh.now);
  fresh.collect();
  CHECK(fresh.take<action::left>().size() == 1);
}

TEST_CASE("a part that a SWCI declared gone is ended, and its programs do not outlive a restart") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  SUBCASE("while it runs") {
    on.read();
    on.take<action::listen>();
    on.view.swop.status = part_status::failed;
    on.view.swop.failure = task_failure::left;
    on.read();
    CHECK(on.take<action::end_part>() == std::vector{action::end_part{on.told(), {}}});
  }
  SUBCASE("by a SWOP that was killed") {
    on.view.swop.status = part_status::failed;
    on.view.swop.failure = task_failure::left;
    on.read();
    CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{}});
  }
}

TEST_CASE("what is kept of a part that has ended goes with the run") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.view.swop.status = part_status::complete;
  on.read();
  CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{on.told()}});
  on.read();
  CHECK(on.take<action::clean_up>().empty());
  on.reset();
  on.read();
  CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{}});
}

TEST_CASE("no part is begun while programs of another one still end") {
  rig on;
  on.dirty = true;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  CHECK(on.take<action::begin_part>().empty());
  on.machine.step(event::cleaned{}, on.now);
  on.collect();
  CHECK(on.take<action::begin_part>().size() == 1);
}

TEST_CASE("a part that cannot be begun is begun again later and later") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  CHECK(on.take<action::begin_part>().size() == 1);
  std::size_t begun = 0;
  for (int i = 0; i < 60; ++i) {
    on.gone();
    on.read();
    on.pass(1s);
    begun += on.take<action::begin_part>().size();
  }
  CHECK(begun >= 3);
  CHECK(begun <= 6);
}

TEST_CASE("a part that tells the contract before its end hears what the contract has") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  on.machine.step(event::leave{}, on.now);
  on.collect();
  on.take<action::listen>();
  on.read();
  CHECK(on.take<action::tell_part>().size() == 1);
  on.reset(); // nobody waits for its reports any more
  on.read();
  CHECK(on.take<action::end_part>() == std::vector{action::end_part{{1, 101, 1}, {}}});
}

TEST_CASE("a restarted part that is to end is told so again") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  on.read();
  const auto part = on.told();
  on.reset();
  on.read();
  CHECK(on.take<action::end_part>().size() == 1);
  on.machine.step(event::part_here{part}, on.now);
  on.collect();
  CHECK(on.take<action::end_part>() == std::vector{action::end_part{part, {}}});
}

TEST_CASE("an SN that lags behind ends no part") {
  rig on;
  on.listens();
  on.assigned();
  on.enrolled();
  const auto news = [&](std::uint64_t block_num) {
    on.machine.step(event::taskrunner_read{on.view, {}, block_num}, on.now);
    on.collect();
  };
  news(20);
  CHECK(on.take<action::begin_part>().size() == 1);
  const auto as_it_is = on.view;
  on.reset();
  news(19);
  CHECK(on.take<action::end_part>().empty());
  on.pass(runner_machine::retry_wait);
  CHECK(on.take<action::read>().size() == 1);
  on.pass(runner_machine::retry_wait);
  CHECK(on.take<action::read>().size() == 1);
  SUBCASE("and catches up") {
    on.view = as_it_is;
    news(20);
    CHECK(on.machine.wake_at() == time_point::max());
  }
  SUBCASE("unless it is all that there is: the chain is another one") {
    on.pass(runner_machine::stale_max);
    news(3);
    CHECK(on.take<action::end_part>().size() == 1);
  }
}

TEST_CASE("what a call has changed is read before another one is made") {
  rig on;
  on.read();
  CHECK(on.take<action::listen>().size() == 1);
  on.machine.step(event::call_done{true, 7}, on.now);
  on.machine.step(event::taskrunner_read{on.view, {}, 6}, on.now); // under way since before
  on.collect();
  CHECK(on.take<action::listen>().empty());
  on.pass(runner_machine::retry_wait);
  CHECK(on.take<action::read>().size() == 1);
}

TEST_CASE("a call that is refused for good is repeated less and less, until something changes") {
  rig on;
  on.listens();
  on.assigned();
  std::size_t calls = 0;
  for (int i = 0; i < 600; ++i) {
    on.read();
    if (const auto made = on.take<action::enrol>().size(); made > 0) {
      calls += made;
      on.done(false);
    }
    on.pass(1s);
  }
  CHECK(calls >= 8);
  CHECK(calls <= 15);
  on.take<action::enrol>();
  on.assigned();
  on.read();
  CHECK(on.take<action::enrol>() == std::vector{action::enrol{2, "t"}});
}

TEST_CASE("a SWOP that stops in the middle of something leaves nothing behind") {
  SUBCASE("a call: it may listen by then") {
    rig on;
    on.read();
    on.machine.step(event::leave{}, on.now);
    on.collect();
    CHECK(on.take<action::left>().empty());
    on.done();
    CHECK(on.take<action::unlisten>().size() == 1);
    on.done(false);
    CHECK(on.take<action::left>().size() == 1);
  }
  SUBCASE("a pause after a call that failed") {
    rig on;
    on.read();
    on.done(false);
    on.machine.step(event::leave{}, on.now);
    on.collect();
    CHECK(on.take<action::unlisten>().size() == 1);
  }
  SUBCASE("programs of a former life, of which nothing was heard yet") {
    rig on;
    on.dirty = true;
    on.machine.step(event::leave{}, on.now);
    on.collect();
    CHECK(on.take<action::clean_up>() == std::vector{action::clean_up{}});
    on.machine.step(event::cleaned{}, on.now);
    on.collect();
    CHECK(on.take<action::left>().size() == 1);
  }
  SUBCASE("a part of a former life, with no SN in reach") {
    rig on;
    on.machine.step(event::part_here{{1, 101, 1}}, on.now);
    on.machine.step(event::leave{}, on.now);
    on.collect();
    CHECK(on.actions.size() == 1);
    CHECK(on.take<action::end_part>().size() == 1);
    on.machine.step(event::part_gone{{1, 101, 1}}, on.now);
    on.collect();
    CHECK(on.take<action::left>().size() == 1);
  }
}

} // namespace runner_machine_test
