#include "actors/sl/channel/testing/session_bench.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace program_session_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
using swarm::testing::says;
namespace fs = std::filesystem;

namespace {

using bench = session_bench;

} // namespace

TEST_CASE("the name that the original's guide misprints is the default contract, with one remark") {
  bench t;
  ml::session_request request;
  request.sync_interval = request.min_peers = request.node_weightage = 1;
  request.training_contract = "defaulttbb.cqdb.sml.hpe";
  const auto event = t.session->take(ml::msg_type::open_session_request, ml::encode(request));
  REQUIRE(event);
  const auto opened = std::get<program_opened>(*event);
  CHECK(opened.contract == contracts::default_training_name);
  CHECK(opened.remark.find("'defaulttbb.cqdb.sml.hpe' is taken for 'defaultbb.cqdb.sml.hpe'")
        != std::string::npos);
  CHECK(std::get<program_opened>(*bench().open()).remark.empty());
}

TEST_CASE("an open carries the program's parameters, and is answered once") {
  bench t;
  CHECK(t.session->is_idle());
  const auto event = t.open();
  REQUIRE(event);
  const auto& opened = std::get<program_opened>(*event);
  CHECK(opened.contract == contracts::default_training_name);
  CHECK(opened.params.min_peers == 2);
  CHECK(opened.params.sync_interval == 8);
  CHECK(opened.params.weightage == 3);
  CHECK(t.session->is_owed());
  const auto reply = t.session->answer_open();
  CHECK(ml::decode_session_response(joined(std::get<ml::outgoing>(reply)))->session_id == "s-1");
  CHECK(!t.session->is_owed());
  CHECK(bench::nothing(t.session->answer_open()));
  CHECK(t.open().error().is(errc::conflict));
}

TEST_CASE("what a session cannot be opened with is refused by name") {
  const ml::session_request good{.sync_interval = 8, .min_peers = 2, .node_weightage = 3};
  const auto refused = [&](auto change, std::string_view name) {
    bench t;
    auto request = good;
    change(request);
    const auto event = t.open(request);
    REQUIRE(!event);
    CHECK(says(event.error(), name));
    CHECK(t.session->is_idle());
  };
  refused([](auto& r) { r.sync_interval = 0; }, "syncFrequency");
  refused([](auto& r) { r.min_peers = 0; }, "minPeers");
  refused([](auto& r) { r.node_weightage = 101; }, "nodeWeightage");
  refused([](auto& r) { r.training_contract = "no name"; }, "trainingContract");
  refused([](auto& r) { r.merge_method = "sum"; }, "sum");
  refused([](auto& r) { r.merge_method = "trimmedmean:0.6"; }, "trimmedmean");
  refused([](auto& r) { r.merge_method = "krum:1"; }, "5 models in every round");
  refused([](auto& r) { r.merge_method = "custom:best"; }, "--merge-library at every SL");
  refused([](auto& r) { r.checkin_model_on_train_end = "later"; }, "checkinModelOnTrainEnd");
}

TEST_CASE("a sync: the model is stored, the merge evaluated, the answer echoes the number") {
  bench t;
  t.opened();
  const auto merge = t.merged(7);
  const auto event = t.sync(41);
  REQUIRE(event);
  const auto& sync = std::get<program_synced>(*event);
  CHECK(t.store->contains(sync.model.digest));
  CHECK(t.sync(42).error().is(errc::conflict)); // one request at a time
  const auto asked = t.session->ask_loss({merge, 1, 1});
  REQUIRE(asked);
  const auto request = ml::decode_loss_request(joined(std::get<ml::outgoing>(*asked)));
  REQUIRE(request);
  CHECK(request->sync_seq_num == 41);
  CHECK(request->loss_seq_num == 1);
  CHECK(!t.session->is_owed()); // it is the program's turn
  const auto answered = t.loss(41, 1);
  REQUIRE(answered);
  CHECK(std::get<program_loss>(*answered).digest == merge);
  CHECK(std::get<program_loss>(*answered).report.loss == 0.5);
  const auto response = response_of(t.session->answer_sync({16, true}));
  CHECK(response.sync_seq_num == 41);
  CHECK(response.next_sync_interval == 16);
  CHECK(response.training_over);
  CHECK(t.sync(42));
}

TEST_CASE("notices are for a program that takes them, while it waits") {
  bench t;
  SUBCASE("the original's does not") {
    REQUIRE(t.open());
    CHECK(bench::nothing(t.session->tell("waiting for sl-2")));
  }
  SUBCASE("swarmd's does") {
    REQUIRE(t.open({.sync_interval = 8, .min_peers = 2, .node_weightage = 3, .takes_notices = true}));
    const auto reply = t.session->tell("waiting for an SN");
    REQUIRE(bench::sent<ml::status>(reply));
    const auto told = ml::decode_status(joined(std::get<ml::outgoing>(reply)));
    REQUIRE(told);
    CHECK(*told == ml::status{ml::status_code::ok, "waiting for an SN", true});
    t.session->answer_open();
    CHECK(bench::nothing(t.session->tell("it trains")));
    REQUIRE(t.sync(1));
    CHECK(bench::sent<ml::status>(t.session->tell("waiting for sl-2")));
    const auto response = response_of(t.session->answer_sync({16, false, "left out"}));
    CHECK(response.status == ml::status{ml::status_code::ok, "left out"});
  }
}

TEST_CASE("which round a program goes on from is told to one that asks to resume, and to no other") {
  const auto opened = [](const program_session::reply& reply) {
    REQUIRE(bench::sent<ml::session_response>(reply));
    return ml::decode_session_response(joined(std::get<ml::outgoing>(reply))).value();
  };
  bench t;
  ml::session_request asks{.sync_interval = 8, .min_peers = 2, .node_weightage = 3};
  SUBCASE("it does not ask") {
    REQUIRE(t.open(asks));
    CHECK(opened(t.session->answer_open({7})) == ml::session_response{.session_id = t.session_id});
    REQUIRE(t.sync(1));
    CHECK(response_of(t.session->answer_sync({16, false, {}, 7})).merged_round == 0);
  }
  SUBCASE("it asks") {
    asks.resume = true;
    const auto event = t.open(asks);
    REQUIRE(event);
    CHECK(std::get<program_opened>(*event).params.resume);
    CHECK(t.session->resume().session->params.resume); // a follower that starts anew knows
    const auto response = opened(t.session->answer_open({7}));
    CHECK(response.resumes);
    CHECK(response.resume_round == 7);
    REQUIRE(t.sync(1));
    CHECK(response_of(t.session->answer_sync({16, false, {}, std::uint64_t{1} << 40})).merged_round
          == 0x7fffffff);
  }
}

TEST_CASE("which merge it has is told to a program that follows rounds, and to no other") {
  const rounds::mean_report means{0.5, 0.75, 3};
  bench t;
  ml::session_request asks{.sync_interval = 8, .min_peers = 2, .node_weightage = 3};
  const auto merge = t.merged(7);
  const auto synced = [&](std::int32_t number) {
    REQUIRE(t.sync(number));
    REQUIRE(t.session->ask_loss({merge, 1, 6}));
    REQUIRE(t.loss(number, 1));
    return response_of(t.session->answer_sync({16, false, {}, 6, means}));
  };
  SUBCASE("it does not ask") {
    REQUIRE(t.open(asks));
    t.session->answer_open({5, "sl-1"});
    const ml::sync_response plain{.session_id = t.session_id, .sync_seq_num = 1, .next_sync_interval = 16};
    CHECK(synced(1) == plain);
  }
  SUBCASE("it asks") {
    asks.follows_rounds = true;
    REQUIRE(t.open(asks));
    const auto reply = t.session->answer_open({5, "sl-1", "01020304"});
    const auto opened = ml::decode_session_response(joined(std::get<ml::outgoing>(reply))).value();
    CHECK(opened.node == "sl-1");
    CHECK(opened.resume_round == 0);
    const auto first = synced(1);
    CHECK(first.merged_round == 6);
    CHECK(first.merged_digest == to_hex(merge.view(), false));
    CHECK(first.training == "01020304-1");
    CHECK(first.mean_peers == 3);
    CHECK(first.mean_loss == 0.5F);
    CHECK(first.mean_metric == 0.75F);
    REQUIRE(t.close(1));
    REQUIRE(t.session->ask_loss({merge, 2, 7}));
    REQUIRE(t.loss(1, 2));
    const auto last = response_of(t.session->answer_close());
    CHECK(last.merged_round == 7);
    CHECK(last.training == "01020304-2"); // it was reset meanwhile
    CHECK(last.mean_peers == 0);          // nobody has reported a loss that is a number
  }
}

TEST_CASE("answers that nobody waits for lead to nothing") {
  bench t;
  CHECK(bench::nothing(t.session->answer_open()));
  CHECK(bench::nothing(t.session->answer_sync({})));
  CHECK(bench::nothing(t.session->answer_close()));
  CHECK(bench::nothing(*t.session->ask_loss({})));
  t.opened();
  CHECK(bench::nothing(t.session->answer_sync({})));
  REQUIRE(t.close(1));
  CHECK(bench::nothing(t.session->answer_sync({})));
  CHECK(bench::sent<ml::sync_response>(t.session->answer_close()));
  CHECK(bench::nothing(t.session->answer_close()));
}

TEST_CASE("a merge that is not in the store cannot be handed over; the program goes on waiting") {
  bench t;
  t.opened();
  REQUIRE(t.sync(1));
  CHECK(!t.session->ask_loss({hash32{}, 1, 1}));
  CHECK(t.session->is_owed());
}

TEST_CASE("what a program may not send in this place, or of another session, is refused") {
  bench t;
  CHECK(!t.sync(1));
  CHECK(!t.loss(1, 1));
  t.opened();
  CHECK(!t.loss(1, 1));
  t.session_id = "another";
  CHECK(t.sync(1).error().is(errc::invalid));
  t.session_id = "s-1";
  CHECK(!t.send(ml::msg_type::sync_request, 1, 1, 101));
  const auto merge = t.merged(7);
  REQUIRE(t.sync(1));
  REQUIRE(t.session->ask_loss({merge, 1, 1}));
  CHECK(!t.loss(2, 1));
  CHECK(!t.loss(1, 2));
  CHECK(t.loss(1, 1));
}

TEST_CASE("how a session ends: orderly only if the program has said so") {
  bench t;
  CHECK(std::holds_alternative<std::monostate>(t.session->closed("gone")));
  t.opened();
  SUBCASE("in its midst") {
    const auto gone = std::get<program_gone>(t.session->closed("gone"));
    CHECK(!gone.orderly);
    CHECK(gone.why == contracts::leave_reason::program_gone);
    CHECK(!t.session->resume().session);
  }
  SUBCASE("after it was refused") {
    CHECK(!t.session->take(ml::msg_type::status, {}));
    CHECK(std::get<program_gone>(t.session->closed("refused")).why == contracts::leave_reason::bad_request);
  }
  SUBCASE("after its close was answered") {
    REQUIRE(t.close(1));
    t.session->answer_close();
    CHECK(std::get<program_gone>(t.session->closed("gone")).orderly);
    const auto state = t.session->resume(); // its peers may still need something from here
    CHECK(state.session);
    CHECK(std::holds_alternative<program_closing>(state.waits_for));
  }
  SUBCASE("by its own word") {
    const auto event =
        t.session->take(ml::msg_type::kill_session_request,
                        ml::encode(ml::kill_session_request{"s-1", {ml::status_code::ok, "enough"}}));
    REQUIRE(event);
    CHECK(std::get<program_gone>(*event).orderly);
    CHECK(std::get<program_gone>(*event).why == contracts::leave_reason::program_ended);
    CHECK(t.session->resume().last_words == "it ended its session: enough");
  }
  SUBCASE("as it could not compute its loss") {
    const auto merge = t.merged(7);
    REQUIRE(t.sync(1));
    REQUIRE(t.session->ask_loss({merge, 1, 1}));
    const auto event = t.loss(1, 1, ml::status_code::error_in_user);
    REQUIRE(event);
    CHECK(!std::get<program_gone>(*event).orderly);
    CHECK(std::get<program_gone>(*event).why == contracts::leave_reason::program_failed);
    CHECK(!t.session->resume().session);
  }
}

TEST_CASE("a follower that starts in the middle is told what the program waits for, and what it has") {
  bench t;
  CHECK(!t.session->resume().session);
  REQUIRE(t.open());
  auto state = t.session->resume();
  REQUIRE(state.session);
  CHECK(state.session->params.sync_interval == 8);
  CHECK(!state.open_answered);
  t.session->answer_open();
  state = t.session->resume();
  CHECK(state.open_answered);
  CHECK(state.progress.base_round == 0);
  CHECK(state.progress.interval == 8);
  CHECK(std::holds_alternative<std::monostate>(state.waits_for));

  const auto merge = t.merged(7);
  const auto synced = std::get<program_synced>(*t.sync(1));
  state = t.session->resume();
  CHECK(std::get<program_synced>(state.waits_for).model.digest == synced.model.digest);
  REQUIRE(t.session->ask_loss({merge, 4, 5}));
  // The request is served from its beginning, but the program is asked only once.
  CHECK(std::holds_alternative<program_synced>(t.session->resume().waits_for));
  CHECK(bench::nothing(*t.session->ask_loss({merge, 4, 5})));
  REQUIRE(t.loss(1, 1));
  state = t.session->resume();
  CHECK(state.progress.base_round == 0);
  const auto known = t.session->ask_loss({merge, 4, 5});
  REQUIRE(known);
  CHECK(std::get<program_loss>(*known).digest == merge);
  CHECK(std::get<program_loss>(*known).report.loss == 0.5);

  t.session->answer_sync({32, false});
  state = t.session->resume();
  CHECK(std::holds_alternative<std::monostate>(state.waits_for));
  CHECK(state.progress.generation == 4);
  CHECK(state.progress.base_round == 5);
  CHECK(state.progress.base_digest == merge);
  CHECK(state.progress.loss.loss == 0.5);
  CHECK(state.progress.interval == 32);
}

TEST_CASE("a follower that starts in the middle may want another merge than its former self") {
  bench t;
  t.opened();
  const auto one = t.merged(7), other = t.merged(8);
  REQUIRE(t.sync(1));
  REQUIRE(t.session->ask_loss({one, 1, 1}));
  CHECK(bench::nothing(*t.session->ask_loss({other, 1, 2}))); // not before the program has answered
  CHECK(std::get<program_loss>(*t.loss(1, 1)).digest == one);
  const auto asked = t.session->ask_loss({other, 1, 2});
  REQUIRE(asked);
  CHECK(ml::decode_loss_request(joined(std::get<ml::outgoing>(*asked)))->loss_seq_num == 2);
  CHECK(std::get<program_loss>(*t.loss(1, 2)).digest == other);
}

} // namespace program_session_test
