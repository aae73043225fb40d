#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

namespace durable_test {

// What a transaction tells of is on the disk before it is sent.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

/// A bench whose disk answers when the test says so, in a session that has been let in.
machine_bench with_slow_disk(session_params params = {}) {
  machine_bench t;
  t.open(std::move(params));
  t.clear();
  t.disk_answers = false;
  return t;
}

/// It leads round 1, and model 9 is what it has merged.
machine_bench with_merge() {
  machine_bench t;
  t.join();
  t.disk_answers = false;
  t.close(1);
  t.look();
  t.step(event::merge_done{1, 0, merge_outcome{t.digest(9), machine_bench::model_size, {t.account(1)}, {}}});
  return t;
}

std::size_t place_of(const machine_bench& t, auto&& is_it) {
  return static_cast<std::size_t>(std::find_if(t.actions.begin(), t.actions.end(), is_it)
                                  - t.actions.begin());
}

} // namespace

TEST_CASE("a model is checked in once the disk has it, and not before") {
  auto t = with_slow_disk();
  t.sync(1);
  t.look();
  CHECK(t.last<action::make_durable>().digest == t.digest(1));
  t.pass(1s, 3);
  CHECK(t.calls().empty());
  CHECK(t.count<action::make_durable>() == 1); // asked for once
  t.durable(2);                                // another one
  CHECK(t.calls().empty());
  t.durable(1);
  CHECK(t.calls() == lines{"check in for round 1"});
}

TEST_CASE("a merge is committed once the disk has it, and not before") {
  auto t = with_merge();
  CHECK(t.last<action::make_durable>().digest == t.digest(9));
  CHECK(t.calls().empty());
  t.durable(9);
  CHECK(t.calls() == lines{"commit the merge of round 1"});
}

TEST_CASE("a model that came into the store anew is synced anew, also under a digest that was there before") {
  auto t = with_slow_disk();
  t.sync(1);
  t.look();
  t.durable(1);
  t.in(1);
  t.done();
  t.view.head.layout_digest = t.digest(77);
  t.merge(1, 1); // the mean of one model is that model
  t.look();
  t.fetched(1);
  t.loss();
  t.clear();
  t.sync(1);
  t.look();
  CHECK(t.count<action::make_durable>() == 1);
  CHECK(t.calls().empty());
}

TEST_CASE("a model that does not count is not waited for") {
  auto t = with_slow_disk();
  t.close_program(1, 0);
  t.look();
  CHECK(t.count<action::make_durable>() == 0);
  CHECK(t.calls() == lines{"check in for round 1"});
}

TEST_CASE("a program whose model the disk does not take is refused, and its peers need not wait") {
  auto t = with_slow_disk();
  t.sync(1);
  t.look();
  t.write_fails(1);
  CHECK(t.last<action::refuse>().text.find("no space left") != std::string::npos);
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(!t.machine.in_session());
}

TEST_CASE("a merge that the disk does not take is merged again") {
  auto t = with_merge();
  t.clear();
  t.write_fails(9);
  t.pass(2s);
  CHECK(t.calls().empty());
  CHECK(t.count<action::start_merge>() == 1);
}

TEST_CASE("a merge that is passed on is synced first, and fetched again if that fails") {
  session_params params;
  params.on_train_end = contracts::on_train_end::active;
  auto t = with_slow_disk(params);
  t.merge(9, 2);
  t.look();
  t.close_program(1);
  t.look();
  t.fetched(9);
  CHECK(t.last<action::make_durable>().digest == t.digest(9));
  CHECK(t.calls().empty());
  t.clear();
  t.write_fails(9);
  t.pass(1s);
  CHECK(t.count<action::fetch>() == 1);
  t.fetched(9);
  t.durable(9);
  CHECK(t.calls() == lines{"check in for round 2"});
}

TEST_CASE("the note of a session stands before its first transaction and goes after its last") {
  const auto notes = [](const std::optional<std::string>& contract) {
    return [contract](const machine_action& one) {
      const auto* note = std::get_if<action::note_session>(&one);
      return note != nullptr && note->contract == contract;
    };
  };
  const auto calls = [](const machine_action& one) { return std::holds_alternative<action::call>(one); };
  machine_bench t;
  t.view.head.phase = contracts::round_phase::collecting;
  t.open();
  CHECK(place_of(t, notes("ours")) == 0);
  CHECK(place_of(t, calls) < t.actions.size());
  t.clear();
  t.gone(false);
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(t.count<action::note_session>() == 0); // until it has left
  t.done();
  CHECK(place_of(t, notes(std::nullopt)) == t.actions.size() - 1);

  t.clear();
  t.step(event::former_session{"former"}); // of a process that died
  CHECK(place_of(t, notes("former")) < place_of(t, calls));
  t.step(event::program_opened{{}, "ours"});
  t.look();
  CHECK(t.count<action::note_session>() == 1); // a process that dies now has still not left
  const auto leave = t.last<action::call>().id;
  t.clear();
  t.step(event::call_done{leave, true, ++t.view.block_num, ""});
  t.look();
  CHECK(t.calls() == lines{"register as a peer of the training"});
  CHECK(place_of(t, notes("ours")) < place_of(t, calls));
}

} // namespace durable_test
