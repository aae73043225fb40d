#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/testing/closed_round.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace peer_rounds_test {

// Leading and following in closed rounds, and fetching merged models.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::peer_state;
using contracts::round_phase;

TEST_CASE("the leader merges once and commits what came out") {
  closed_round t(1);
  REQUIRE(t.count<action::start_merge>() == 1);
  const auto& start = t.last<action::start_merge>();
  CHECK(start.method == "mean");
  REQUIRE(start.inputs.size() == 4);
  CHECK(start.inputs[0].peer == t.account(2));
  CHECK(start.inputs[0].name == "sl-2");
  CHECK(start.inputs[0].size == machine_bench::model_size);
  CHECK(says(t, "leading round 1, term 0: merging 4 models"));
  t.pass(100ms, 50);
  CHECK(t.count<action::start_merge>() == 1);
  CHECK(t.calls().empty()); // nobody suspects itself
  auto outcome = t.outcome(9);
  t.merged(outcome);
  REQUIRE(t.calls() == lines{"commit the merge of round 1"});
  CHECK(t.last<action::call>().input
        == contracts::encode_commit_merge({1,
                                           1,
                                           0,
                                           t.digest(9),
                                           machine_bench::model_size,
                                           outcome.contributors,
                                           {outcome.excluded[0].peer, outcome.excluded[1].peer},
                                           {outcome.excluded[0].reason, outcome.excluded[1].reason}}));
  t.merge(9, 1);
  t.done();
  CHECK(t.last<action::ask_loss>().digest == t.digest(9)); // it has it, nothing to fetch
  CHECK(t.count<action::fetch>() == 0);
}

TEST_CASE("old models count less, models without weightage are not fetched") {
  machine_bench t;
  t.peer(2);
  t.merge(8, 2);
  t.merge(8, 2);
  t.merge(8, 2);
  t.merge(8, 2);
  t.open();
  t.sync(1);
  t.look();
  t.fetched(8);
  t.loss();
  t.sync(1);
  t.look();
  REQUIRE(t.view.head.round_num == 5);
  t.in(1, 6);
  t.in(2, 6).base_round = 3;
  t.in(3, 6).base_round = 0;
  t.in(4, 6).base_round = 0;
  t.view.check_ins.back().finished = true;
  t.in(5, 0);
  t.close(1);
  t.done();
  const auto& inputs = t.last<action::start_merge>().inputs;
  REQUIRE(inputs.size() == 4);
  CHECK(inputs[0].weight == 6);
  CHECK(inputs[1].weight == 3);   // missed one merge
  CHECK(inputs[2].weight == 1.2); // missed four
  CHECK(inputs[3].weight == 6);   // finished: its weights are meant to stay
}

TEST_CASE("a leader that cannot merge leaves the term to the next one at once") {
  closed_round t(1);
  t.merged(fail(errc::io, "disk full"));
  REQUIRE(t.calls() == lines{"leave round 1, term 0, to the next leader"});
  CHECK(t.last<action::call>().input == contracts::encode_suspect_leader({1, 1, 0}));
  t.pass(100ms, 5);
  CHECK(t.calls().size() == 1);
  t.close(2, 1);
  t.done();
  CHECK(says(t, "waiting for sl-2 to merge (term 1)"));
  CHECK(t.count<action::start_merge>() == 1);
  SUBCASE("and tries again when it is its turn once more") {
    t.pass(1s);
    t.close(1, 4);
    t.look();
    CHECK(t.count<action::start_merge>() == 2);
  }
  SUBCASE("but not in less than a growing pause") {
    t.close(1, 4);
    t.look();
    CHECK(t.count<action::start_merge>() == 1);
    t.pass(1s);
    CHECK(t.count<action::start_merge>() == 2);
    t.merged(fail(errc::io, "disk full"), 4);
    t.done();
    t.close(1, 8);
    t.look();
    t.pass(1s);
    CHECK(t.count<action::start_merge>() == 2);
    t.pass(1s);
    CHECK(t.count<action::start_merge>() == 3);
  }
}

TEST_CASE("a merge that fails is tried again, less and less often, when nobody else could lead") {
  closed_round t(1);
  t.peer(2).state = peer_state::left;
  t.peer(3).state = peer_state::left;
  t.view.silent = {t.account(4)};
  t.look();
  int tries = 1;
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    t.merged(fail(errc::io, "disk full"));
    CHECK(swarm::testing::says(t.last<action::note>().text, "disk full"));
    t.pass(pause - 1ms);
    CHECK(t.count<action::start_merge>() == static_cast<std::size_t>(tries));
    t.pass(1ms);
    CHECK(t.count<action::start_merge>() == static_cast<std::size_t>(++tries));
  }
}

TEST_CASE("a leader that was replaced drops its merge") {
  closed_round t(1);
  t.close(2, 1);
  t.look();
  CHECK(t.count<action::cancel_merge>() == 1);
  t.merged(t.outcome(9));
  CHECK(t.calls().empty());
  SUBCASE("and merges anew when it leads again") {
    t.close(1, 4);
    t.look();
    CHECK(t.count<action::start_merge>() == 2);
    CHECK(t.last<action::start_merge>().term == 4);
    t.merged(t.outcome(9), 4);
    CHECK(t.calls() == lines{"commit the merge of round 1"});
  }
  SUBCASE("also when another one's merge came in between") {
    t.merge(7, 2);
    t.look();
    CHECK(t.last<action::fetch>().digest == t.digest(7));
  }
}

TEST_CASE("a merge under way is dropped when the round moves on without it") {
  closed_round t(1);
  t.merge(7, 2);
  t.look();
  CHECK(t.count<action::cancel_merge>() == 1);
}

TEST_CASE("nothing that could be merged") {
  closed_round t(1);
  constexpr auto away = contracts::exclusion_reason::not_available;
  const merge_outcome none{{},
                           0,
                           {},
                           {{t.account(1), contracts::exclusion_reason::not_finite, "w has 3 NaN"},
                            {t.account(2), away, "away"},
                            {t.account(3), away, "away"},
                            {t.account(4), away, "away"}}};
  SUBCASE("the program that brought one of the models hears what is wrong with it") {
    t.merged(none);
    CHECK(t.last<action::refuse>().text.find("w has 3 NaN") != std::string::npos);
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(!t.machine.in_session());
  }
}

TEST_CASE("nothing that could be merged, and none of it its own") {
  machine_bench t;
  t.in(2);
  t.open();
  t.close_program(1, 0);
  t.look();
  t.in(1, 0);
  t.close(1);
  t.done();
  t.clear();
  const merge_outcome none{{}, 0, {}, {{t.account(2), contracts::exclusion_reason::not_available, "away"}}};
  SUBCASE("is tried again while it may come") {
    t.step(event::merge_done{1, 0, none});
    CHECK(t.calls().empty());
    t.pass(1s);
    CHECK(t.count<action::start_merge>() == 1);
  }
  SUBCASE("is left once its owner has left, until the round is collected anew") {
    t.peer(2).state = peer_state::left;
    t.look();
    t.step(event::merge_done{1, 0, none});
    CHECK(t.calls() == lines{"leave the training"});
    t.peer(1).state = peer_state::left;
    t.close(3, 1);
    t.done();
    t.pass(60s);
    CHECK(t.calls().size() == 1);
    CHECK(says(t, "waiting for it to be collected anew"));
    t.view.head.phase = round_phase::collecting;
    t.view.head.leader = {};
    t.look();
    CHECK(t.calls().back() == "register as a peer of the training");
  }
}

TEST_CASE("what the process before this one has checked in") {
  machine_bench t;
  t.open();
  t.in(1);
  t.in(2);
  SUBCASE("is led") {
    t.close(1);
    t.look();
    t.sync(5);
    CHECK(t.last<action::start_merge>().inputs.size() == 2);
  }
  SUBCASE("gives it a voice") {
    t.close(2);
    t.look();
    t.sync(5);
    t.pass(10s);
    CHECK(t.calls().back() == "suspect the leader of round 1, term 0");
  }
  SUBCASE("is merged: the program gets it first") {
    t.close(2);
    t.look();
    t.sync(5);
    t.merge(9, 2);
    t.look();
    t.fetched(9);
    CHECK(t.last<action::ask_loss>().digest == t.digest(9));
  }
}

TEST_CASE("a merged model is fetched, loaded, reported, and the sync answered") {
  closed_round t(2);
  t.peer(3).loss_round = 1;
  t.peer(4).state = peer_state::left;
  t.merge(9, 2);
  t.look();
  REQUIRE(t.count<action::fetch>() == 1);
  const auto& fetch = t.last<action::fetch>();
  CHECK(fetch.size == machine_bench::model_size);
  REQUIRE(fetch.holders.size() == 3);
  CHECK(fetch.holders[0].peer == t.account(2)); // merged it
  CHECK(fetch.holders[1].peer == t.account(3)); // has loaded it
  t.pass(100ms, 30);
  CHECK(t.count<action::fetch>() == 1);
  t.fetched(9);
  CHECK(t.last<action::ask_loss>().round_num == 1);
  CHECK(t.count<action::answer_sync>() == 0);
  t.clear();
  t.loss(0.25);
  REQUIRE(t.calls() == lines{"report the loss of round 1"});
  CHECK(t.last<action::call>().input == contracts::encode_report_loss({1, 1, 250'000, 750'000, 1, 4}));
  CHECK(t.count<action::answer_sync>() == 1);
  CHECK(!t.last<action::answer_sync>().training_over);
  SUBCASE("a lost report is sent again") {
    const auto id = t.last<action::call>().id;
    t.step(event::call_done{id, false, 0, "lost"});
    t.pass(1s);
    CHECK(t.calls() == lines(2, "report the loss of round 1"));
    t.done();
    t.pass(10s);
    CHECK(t.calls().size() == 2);
  }
  SUBCASE("the next check-in names the merge it trained from") {
    t.sync(5);
    t.look();
    CHECK(t.last<action::call>().input
          == machine_bench::encode_check_in(
              {1, 2, t.digest(5), machine_bench::model_size, t.digest(77), 1, 1, false}));
    CHECK(t.last<action::keep_models>().digests == std::set<hash32>{t.digest(5), t.digest(9)});
  }
}

TEST_CASE("a loss that is no number is reported as such") {
  closed_round t(2);
  t.merge(9, 2);
  t.look();
  t.fetched(9);
  t.clear();
  t.loss(std::nan(""));
  CHECK(t.last<action::call>().input
        == contracts::encode_report_loss({1, 1, contracts::to_micro(std::nan("")), 750'000, 1, 4}));
  CHECK(t.count<action::answer_sync>() == 1);
}

TEST_CASE("a late joiner gets the last merge before it contributes") {
  machine_bench t;
  t.peer(2);
  t.merge(9, 2);
  t.open();
  t.clear();
  t.sync(1);
  t.look();
  CHECK(t.calls().empty());
  CHECK(t.last<action::fetch>().digest == t.digest(9));
  t.fetched(9);
  t.loss();
  CHECK(t.count<action::answer_sync>() == 1);
}

TEST_CASE("a fetch that fails is tried again, less and less often") {
  closed_round t(2);
  t.merge(9, 2);
  t.look();
  duration failing{};
  for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 5000ms, 5000ms}) {
    t.clear();
    t.fetch_fails(9);
    CHECK(t.count<action::note>() == 1);
    t.pass(pause - 1ms);
    CHECK(t.count<action::fetch>() == 0);
    t.pass(1ms);
    CHECK(t.count<action::fetch>() == 1);
    failing += pause;
  }
  REQUIRE(failing < machine_options{}.merge_lost);
  t.fetched(9);
  CHECK(t.count<action::ask_loss>() == 1);
}

TEST_CASE(
    "the leader does not even fetch a model of another size than the layout gives, and names who claims it") {
  machine_bench t;
  t.join();
  for (std::uint8_t number : {2, 3, 4})
    t.in(number);
  constexpr auto claimed = std::uint64_t{20} << 30;
  t.view.check_ins[2].size = claimed;
  t.close(1);
  t.look();
  const auto& start = t.last<action::start_merge>();
  CHECK(start.inputs.size() == 3);
  REQUIRE(start.refused.size() == 1);
  CHECK(start.refused[0].peer == t.account(3));
  CHECK(start.refused[0].reason == contracts::exclusion_reason::other_parameters);
  CHECK(start.refused[0].text.find("sl-3 (host-3:30305) claims a model of 21474836480 bytes") == 0);
}

TEST_CASE("how large models are is known by one's own, else by what most peers say, else the smaller") {
  machine_bench t;
  for (std::uint8_t number : {2, 3, 4, 5})
    t.in(number);
  t.in(6, 0).size = 0;
  auto& ins = t.view.check_ins;
  constexpr auto larger = 2 * machine_bench::model_size;
  const auto size_of = [&](std::uint8_t self) { return model_size_of(t.view, t.account(self)); };
  ins[0].size = larger;
  CHECK(size_of(1) == machine_bench::model_size);
  CHECK(size_of(2) == larger);
  ins[1].size = larger;
  CHECK(size_of(6) == machine_bench::model_size);
  ins[2].size = larger;
  CHECK(size_of(1) == larger);
  CHECK(size_of(5) == machine_bench::model_size);
  ins.clear();
  CHECK(size_of(1) == 0);
}

TEST_CASE("a merge that is said to be larger than the layout gives is not fetched, and its leader named") {
  closed_round t(2);
  t.merge(9, 2);
  t.view.head.merged_size = std::uint64_t{20} << 30;
  t.clear();
  t.look();
  CHECK(t.count<action::fetch>() == 0);
  CHECK(says(t, "sl-2 claims that it has 21474836480 bytes"));
  for (int i = 0; i < 100 && t.calls().empty(); ++i)
    t.pass(5s);
  CHECK(t.calls() == lines{"check in for round 2"}); // as when nobody gives it
  CHECK(t.count<action::fetch>() == 0);
}

TEST_CASE("a newer merge makes the one that cannot be had unimportant") {
  closed_round t(2);
  t.merge(9, 2);
  t.look();
  t.merge(10, 3);
  t.look();
  t.fetch_fails(9);
  CHECK(t.last<action::fetch>().digest == t.digest(10));
}

TEST_CASE("a merge that nobody gives is given up: its model goes into the next round") {
  closed_round t(2);
  t.merge(9, 2);
  t.view.silent.insert(t.account(2));
  t.look();
  for (int i = 0; i < 100 && t.count<action::fetch>() > 0; ++i) {
    t.clear();
    t.fetch_fails(9);
    t.pass(5s);
  }
  REQUIRE(t.calls() == lines{"check in for round 2"});
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 2, t.digest(1), machine_bench::model_size, t.digest(77), 1, 0, false}));
  t.in(1);
  t.in(3);
  t.done();
  t.clear();
  t.pass(10s);
  CHECK(t.count<action::fetch>() == 0);
  t.close(3);
  t.look();
  t.merge(11, 3);
  t.look();
  CHECK(t.last<action::fetch>().digest == t.digest(11));
  t.fetched(11);
  t.loss();
  CHECK(t.count<action::answer_sync>() == 1);
}

TEST_CASE("the sync interval adapts to the swarm's mean loss") {
  CHECK(adaptive_interval(8, 8, std::nullopt, 1.0) == 8);
  CHECK(adaptive_interval(8, 8, 1.0, 0.5) == 10);
  CHECK(adaptive_interval(8, 8, 0.5, 0.5) == 6);
  CHECK(adaptive_interval(32, 8, 1.0, 0.5) == 32); // four times the asked one at most
  CHECK(adaptive_interval(2, 8, 0.5, 1.0) == 2);   // a quarter at least
  CHECK(adaptive_interval(1, 1, 0.5, 1.0) == 1);
}

TEST_CASE("an interval changes by losses that somebody has reported since") {
  session_params params;
  params.sync_interval = 8;
  params.adaptive_sync = true;
  closed_round t(2, params);
  std::uint8_t model = 10;
  const auto next_after = [&](std::optional<double> reported) {
    if (reported) {
      t.peer(3).loss_round = t.view.head.round_num;
      t.peer(3).loss_micro = contracts::to_micro(*reported);
    }
    t.merge(++model, 2);
    t.look();
    t.fetched(model);
    t.loss();
    const auto out = t.last<action::answer_sync>().next_interval;
    t.clear();
    t.sync(++model);
    t.look();
    for (const std::uint8_t number : {1, 2, 3, 4})
      t.in(number);
    t.done();
    t.close(2);
    t.look();
    return out;
  };
  CHECK(next_after({}) == 8);
  CHECK(next_after(1.0) == 8);
  CHECK(next_after(0.5) == 10);
  CHECK(next_after({}) == 10); // it is the same report
  CHECK(next_after(0.5) == 8);
}

} // namespace peer_rounds_test
