#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

namespace peer_news_test {

// What a program and its user hear: refusals with their remedies, notices, for whom is being waited.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using contracts::leave_reason;
using contracts::peer_state;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a node that was left out of a merge is told so, once, with the answer to the sync that brought "
          "the model") {
  machine_bench t;
  for (std::uint8_t number : {2, 3, 4})
    t.in(number);
  t.join();
  t.close(2);
  t.look();
  CHECK(t.machine.brought_to() == 1);
  t.view.brought_to = {
      .round_num = 1,
      .excluded = {t.account(3), t.account(1)},
      .reasons = {contracts::exclusion_reason::not_available, contracts::exclusion_reason::not_finite}};
  t.merge(9, 2);
  t.look();
  t.fetched(9);
  t.loss();
  CHECK(t.last<action::answer_sync>().notice
        == "this node's model was left out of the merge of round 1: not finite; the model of sl-3 "
           "(host-3:30305) was "
           "left out of the merge of round 1: not available");
  t.sync(5);
  t.look();
  t.in(1);
  t.done();
  CHECK(t.machine.brought_to() == 2);
  t.merge(10, 2);
  SUBCASE("a merge that has not been read says nothing") {}
  SUBCASE("nor one that it is in") {
    t.view.brought_to = {.round_num = 2,
                         .contributors = {t.account(1)},
                         .excluded = {t.account(3)},
                         .reasons = {contracts::exclusion_reason::not_available}};
  } // of the other one it is told already
  t.look();
  t.fetched(10);
  t.loss();
  CHECK(t.count<action::answer_sync>() == 2);
  CHECK(t.last<action::answer_sync>().notice.empty());
}

TEST_CASE("a peer that brings no model is not told of any merge") {
  machine_bench t;
  t.in(2);
  t.open();
  t.sync(1, 0);
  t.look();
  t.in(1, 0);
  t.done();
  CHECK(t.machine.brought_to() == 0);
}

TEST_CASE("peers that all bring nothing in the end are refused once the first round is closed") {
  machine_bench t;
  t.peer(2).train_end = contracts::on_train_end::inactive;
  t.in(2);
  t.view.head.min_peers = 3;
  t.open({.min_peers = 3, .on_train_end = contracts::on_train_end::inactive});
  t.peer(1).train_end = contracts::on_train_end::inactive;
  t.sync(1);
  t.look();
  t.in(1);
  t.done();
  t.clear();
  CHECK(says(t, "waiting for more to join")); // who may be another
  SUBCASE("all of them") {
    t.in(3);
    t.peer(3).train_end = contracts::on_train_end::inactive;
    t.close(2);
    SUBCASE("also when it has seen the others leave for it") {
      t.peer(2).state = peer_state::left;
      t.close(3, 1);
    }
    SUBCASE("or when it sees the merge only") {
      t.merge(9, 2);
    }
    SUBCASE("before it merges itself") {
      t.close(1);
    }
    t.look();
    REQUIRE(t.count<action::refuse>() == 1);
    CHECK(t.last<action::refuse>().text.find("'inactive' on every node") != std::string::npos);
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(t.count<action::start_merge>() == 0);
    CHECK(t.count<action::ask_loss>() == 0);
    CHECK(!t.last<action::session_ended>().node_ends);
    CHECK(says(t, "no program"));
  }
  SUBCASE("all but one") {
    t.in(3);
    t.close(2);
    t.look();
    CHECK(t.count<action::refuse>() == 0);
  }
}

TEST_CASE("a program that comes while no SN answers: that is what its node waits for") {
  machine_bench t;
  t.step(event::program_opened{});
  CHECK(says(t, "waiting for an SN to tell how the training stands"));
}

TEST_CASE("who waits for more peers hears of those that have left") {
  machine_bench t;
  t.view.head.min_peers = 2;
  t.join({.min_peers = 2});
  t.peer(2).state = peer_state::left;
  t.look();
  CHECK(says(t, "waiting for more to join; sl-2 (host-2:30305) left: its program is gone"));
  t.peer(3).state = peer_state::left;
  t.peer(3).reason = leave_reason::other_parameters;
  t.look();
  CHECK(says(t, "to join; sl-3 (host-3:30305) was refused: its model has other parameters; sl-2 "
                "(host-2:30305) left: "));
  for (std::uint8_t number = 4; number < 200; ++number) {
    t.peer(number).state = peer_state::left;
    t.peer(number).reason = leave_reason::other_min_peers;
  }
  t.look();
  CHECK(says(t, "sl-7 (host-7:30305) was refused: it asks for another minPeers; 193 more left"));
  CHECK(t.machine.waiting_for(t.now).size() < 600);
}

TEST_CASE(
    "a program that the contract refuses: its node tells the peers why, once, and does not stop before") {
  machine_bench t;
  t.in(2);
  session_params params{.min_peers = 2};
  auto why = leave_reason::other_min_peers;
  SUBCASE("another method") {
    params = {.min_peers = 1, .merge_method = "geomedian"};
    why = leave_reason::other_merge_method;
  }
  const auto refuse = [&] {
    t.clear();
    t.step(event::program_opened{params, "ours"});
    t.look();
    t.done(false, "what the contract says");
    REQUIRE(t.count<action::refuse>() == 1);
    CHECK(t.last<action::refuse>().text == "what the contract says");
  };
  const auto told = lines{"register as a peer of the training", "tell the peers why the program was refused"};
  refuse();
  CHECK(t.calls() == told);
  CHECK(t.last<action::call>().input == contracts::encode_report_refusal({1, why}));
  CHECK(t.last<action::call>().contract == "ours");
  SUBCASE("its node") {
    t.step(event::shutdown{});
    CHECK(!t.machine.may_stop());
    t.done();
    CHECK(t.machine.may_stop());
  }
  SUBCASE("lost on its way") {
    const auto id = t.last<action::call>().id;
    t.step(event::call_done{id, false, 0, "lost"});
    t.pass(1s);
    CHECK(t.last<action::call>().id == id);
  }
  SUBCASE("the next program") {
    t.peer(1).state = peer_state::left;
    t.peer(1).reason = why;
    t.done();
    SUBCASE("refused for the same") {
      refuse();
      CHECK(t.calls() == lines{"register as a peer of the training"});
    }
    SUBCASE("refused after others") {
      t.peer(1).reason = leave_reason::program_gone;
      refuse();
      CHECK(t.calls() == told);
    }
    SUBCASE("of a node that the contract still has as a peer") {
      t.peer(1).state = peer_state::active;
      refuse();
      CHECK(t.calls() == lines{"register as a peer of the training", "leave the training"});
      CHECK(t.last<action::call>().input == contracts::encode_leave_peer({why}));
    }
  }
}

TEST_CASE("a program that is refused for what the contract does not show leaves no trace there") {
  machine_bench t;
  t.in(2);
  t.step(event::program_opened{{.min_peers = 1}, "ours"});
  t.look();
  t.done(false, "the training is full: it has 1024 peers");
  CHECK(t.count<action::refuse>() == 1);
  CHECK(t.calls() == lines{"register as a peer of the training"});
  CHECK(!t.machine.is_engaged());
}

TEST_CASE(
    "a program hears with its next answer that another one was refused, once, and not of earlier ones") {
  machine_bench t;
  t.peer(5).state = peer_state::left;
  t.peer(5).reason = leave_reason::disk_failed;
  t.in(2);
  t.join();
  t.peer(3).state = peer_state::left;
  t.peer(3).reason = leave_reason::other_merge_method;
  t.peer(4).state = peer_state::left; // without being refused
  t.merge(9, 2);
  t.look();
  t.fetched(9);
  t.loss();
  const std::string news = "sl-3 (host-3:30305) was refused: it asks for another mergeMethod";
  CHECK(t.last<action::answer_sync>().notice == news);
  const auto logged = std::count_if(t.actions.begin(), t.actions.end(), [&](const auto& one) {
    const auto* note = std::get_if<action::note>(&one);
    return note != nullptr && note->warning && note->text == news;
  });
  CHECK(logged == 1);
  const auto next_notice = [&](std::uint8_t merged) {
    t.sync(merged);
    t.look();
    t.in(1);
    t.done();
    t.merge(merged, 2);
    t.look();
    t.fetched(merged);
    t.loss();
    return t.last<action::answer_sync>().notice;
  };
  CHECK(next_notice(10).empty());
  t.peer(3).reason = leave_reason::other_parameters;
  CHECK(next_notice(11) == "sl-3 (host-3:30305) was refused: its model has other parameters");
  t.peer(3).state = peer_state::active;
  CHECK(next_notice(12).empty());
  for (std::uint8_t number = 10; number < 200; ++number) { // many liars: a notice stays short
    t.peer(number).state = peer_state::left;
    t.peer(number).reason = leave_reason::other_parameters;
  }
  const auto many = next_notice(13);
  CHECK(many.ends_with("; 185 more were refused"));
  CHECK(many.size() < 500);
}

TEST_CASE("that Krum had fewer models than it wants is told whenever their number changes") {
  machine_bench t;
  t.view.head.merge_method = "krum:2";
  for (std::uint8_t number = 2; number <= 7; ++number)
    t.in(number);
  t.view.head.min_peers = 7;
  t.join({.min_peers = 7, .merge_method = "krum:2"});
  std::uint8_t merged = 20;
  const auto notice_with = [&](std::uint8_t models) {
    t.view.brought_to = {.round_num = t.view.head.round_num};
    for (std::uint8_t number = 1; number <= models; ++number)
      t.view.brought_to.contributors.push_back(t.account(number));
    t.merge(++merged, 2);
    t.look();
    t.fetched(merged);
    t.loss();
    t.sync(1);
    t.look();
    t.in(1);
    t.done();
    return t.last<action::answer_sync>().notice;
  };
  CHECK(notice_with(7).empty());
  CHECK(
      notice_with(6)
      == "the merge of round 2 had 6 models, and 'krum:2' wants 7: it was made as if at most 1 of them were "
         "hostile");
  CHECK(notice_with(6).empty());
  CHECK(notice_with(4).find("had 4 models, and 'krum:2' wants 7: it was made as if at most 0")
        != std::string::npos);
  CHECK(notice_with(7).empty());
  CHECK(!notice_with(6).empty());
}

} // namespace peer_news_test
