#include "actors/ui/history/round_page.hpp"
#include "actors/ui/views/waits.hpp"
#include "contracts/training/client.hpp"

#include <doctest/doctest.h>

namespace ui_views_test {

using namespace swarm;
using namespace swarm::contracts;
using namespace swarm::ui;
namespace json = boost::json;

address node(std::uint8_t number) {
  address out;
  out[19] = number;
  return out;
}
std::string uid(std::uint8_t number) {
  return to_hex(node(number).view());
}

peer_view peer(std::uint8_t number, std::uint64_t last_round, std::uint32_t done = 0,
               std::uint32_t total = 10) {
  peer_view out;
  out.account = node(number);
  out.state = peer_state::active;
  out.name = fmt::format("sl-{}", number);
  out.last_round = last_round;
  out.epochs_done = done;
  out.epochs_total = total;
  return out;
}

training_picture training(round_phase phase, std::vector<peer_view> peers) {
  training_picture out;
  out.name = "c";
  out.head.phase = phase;
  out.head.round_num = 3;
  out.head.min_peers = 2;
  out.peers = std::move(peers);
  return out;
}

double number_of(const json::object& from, const char* key) {
  return from.at(key).to_number<double>();
}

/// A patch of the feed could not say that a field is null.
bool has_null(const json::value& in) {
  if (const auto* object = in.if_object())
    return std::any_of(object->begin(), object->end(),
                       [](const auto& each) { return has_null(each.value()); });
  return in.is_null();
}

TEST_CASE("a training says who is waited for, and why") {
  auto in = training(round_phase::collecting, {peer(1, 3), peer(2, 2)});
  auto waits = waits_of(in, {{node(2), 77}});
  REQUIRE(waits.size() == 1);
  CHECK(waits.at(uid(2)).at("why") == "has not checked in for round 3");
  CHECK(waits.at(uid(2)).at("silent") == true);
  CHECK(waits.at(uid(2)).at("since_ms").to_number<int>() == 77);
  CHECK(wait_of(in.peers[0], in) == "the others of round 3");
  CHECK(wait_of(in.peers[1], in).empty());

  in = training(round_phase::collecting, {peer(1, 3)});
  CHECK(waits_of(in, {}).at("peers").at("why") == "1 more peers have to register; 2 take part at least");

  in = training(round_phase::revealing, {peer(1, 3), peer(2, 3)});
  in.check_ins.resize(2);
  in.check_ins[0].peer = node(1);
  in.check_ins[0].commitment[0] = in.check_ins[0].digest[0] = 1;
  in.check_ins[1].peer = node(2);
  in.check_ins[1].commitment[0] = 1;
  waits = waits_of(in, {});
  REQUIRE(waits.size() == 1);
  CHECK(waits.contains(uid(2)));

  in = training(round_phase::merging, {peer(1, 3), peer(2, 3)});
  in.head.leader = node(1);
  CHECK(waits_of(in, {}).at(uid(1)).at("why") == "leads and makes the merge");
  in.shards.open = true;
  in.shards.shards = {{node(1), shard_state::made, {}, 0}, {node(2), shard_state::awaited, {}, 0}};
  waits = waits_of(in, {});
  CHECK(waits.contains(uid(2)));
  CHECK_FALSE(waits.contains(uid(1)));

  in = training(round_phase::verifying, {peer(1, 3), peer(2, 3)});
  in.checks.awaited = {node(2)};
  CHECK(waits_of(in, {}).at(uid(2)).at("why") == "has not revealed its seed");
  in.checks.attempt = 1;
  CHECK(waits_of(in, {}).at(uid(2)).at("why") == "checks the merge");
  CHECK(waits_of(training(round_phase::complete, {}), {}).empty());
}

TEST_CASE("who is awaited in this round has no lag yet, and who has missed one has") {
  const auto in = training(round_phase::collecting, {peer(1, 3), peer(2, 2), peer(3, 1)});
  const auto shown = training_json(in, {});
  const auto lag = [&](std::uint8_t number) {
    return shown.at("members").at(uid(number)).at("lag").to_number<int>();
  };
  CHECK(lag(1) == 0);
  CHECK(lag(2) == 0);
  CHECK(lag(3) == 1);
}

TEST_CASE("progress, means and the time that is left") {
  auto in = training(round_phase::collecting, {peer(1, 3, 4), peer(2, 3, 2), peer(3, 1, 9)});
  in.peers[2].state = peer_state::left;
  in.peers[0].loss_round = in.peers[1].loss_round = 2;
  in.peers[0].loss_micro = to_micro(0.5);
  in.peers[1].loss_micro = to_micro(1.5);
  in.peers[1].metric_micro = to_micro(std::nan(""));
  in.peers[0].metric_micro = to_micro(0.25);
  in.goes.epochs_per_ms = 0.001;
  const auto out = training_summary_json(in, {});
  CHECK(number_of(out, "loss") == doctest::Approx(1.0));
  CHECK(number_of(out, "metric") == doctest::Approx(0.25));
  CHECK(number_of(out, "loss_round") == 2);
  CHECK(number_of(out, "epochs_done") == 2);
  CHECK(number_of(out, "progress") == doctest::Approx(0.3));
  CHECK(number_of(out, "eta_ms") == doctest::Approx(8000));
  CHECK(number_of(out.at("peers").as_object(), "active") == 2);
  CHECK(number_of(out.at("peers").as_object(), "left") == 1);
  in.head.phase = round_phase::complete;
  const auto over = training_summary_json(in, {});
  CHECK(number_of(over, "progress") == 1);
  CHECK_FALSE(over.contains("eta_ms"));
  const auto nothing = training_summary_json(training(round_phase::collecting, {}), {});
  CHECK_FALSE(nothing.contains("loss"));
  CHECK_FALSE(nothing.contains("progress"));
}

TEST_CASE("topics have no null, whatever is missing") {
  auto in = training(round_phase::disputed, {peer(1, 3), peer(2, 3)});
  in.proposal.round_num = 3;
  in.proposal.excluded = {node(2)};
  in.proposal.reasons = {exclusion_reason::not_finite};
  in.checks.challenger = node(1);
  in.checks.kind = challenge_kind::exclusion;
  in.shards.shards = {{node(1), shard_state::awaited, {}, 0}};
  in.head.merged_round = 2;
  const auto whole = training_json(in, {{node(1), 5}});
  CHECK_FALSE(has_null(whole));
  CHECK(whole.at("checks").at("challenge") == "the exclusion of sl-2");
  CHECK(whole.at("members").at(uid(1)).at("alive") == false);
  CHECK_FALSE(has_null(network_json({}, {}, 0)));
  CHECK_FALSE(has_null(taskrunner_json({}, {}, {})));
  CHECK_FALSE(has_null(task_json({})));
}

struct told {
  training_history history;
  std::vector<logged_event> events;

  void tell(std::uint64_t block_num, training_event what) {
    history.take(what, block_num);
    events.push_back({std::move(what), {block_num, "0x01"}});
  }
  void round(std::uint64_t round_num, std::uint64_t block_num, double loss, std::uint64_t generation = 0) {
    checked_in in;
    in.peer = node(1);
    in.round_num = round_num;
    in.generation = generation;
    events.push_back({in, {block_num, "0x01"}}); // is not kept in histories
    tell(block_num + 1, merge_committed{round_num, generation, 0, node(1), {}, 9, {node(1)}, {}, {}, 0});
    tell(block_num + 2, merge_accepted{round_num, generation, 0, node(1), {}, {node(2)}});
    tell(block_num + 3, loss_reported{node(1), round_num, generation, to_micro(loss), to_micro(0.5), 1, 2});
  }
};

TEST_CASE("rounds are shown in pages, with what happened in them") {
  told all;
  all.tell(1, peer_registered{node(1), 0, 2, "mean", 100});
  for (std::uint64_t round_num = 1; round_num <= 5; ++round_num)
    all.round(round_num, round_num * 10, 1.0 / static_cast<double>(round_num));
  all.tell(55, peer_left{node(1), 0, leave_reason::program_gone});
  const auto& generation = all.history.generations().at(0);
  CHECK(generation.rounds.size() == 5);
  CHECK(generation.min_peers == 2);
  auto page = page_of(generation, std::nullopt, 2, 60);
  CHECK(page.rounds.size() == 2);
  CHECK(page.has_more);
  CHECK(page.first_block == 32); // the merge of round 3
  CHECK(page.last_block == 60);
  std::vector<logged_event> within;
  for (const auto& each : all.events)
    if (each.at.block_num >= page.first_block && each.at.block_num <= page.last_block) within.push_back(each);
  auto rounds = rounds_of(page, 0, within, 100);
  REQUIRE(rounds.size() == 2);
  CHECK(rounds[0].round_num == 5);
  CHECK(rounds[0].events.front().at("kind") == "checked_in");
  CHECK(rounds[0].events.back().at("kind") == "peer_left"); // of no round of its own
  CHECK(rounds[0].merge.at("checkers").as_array().size() == 1);
  CHECK(rounds[1].round_num == 4);
  CHECK(rounds_of(page, 0, within, 5)[1].events.empty()); // the newest have the room
  page = page_of(generation, 4, 10, 60);
  CHECK(page.rounds.size() == 3);
  CHECK_FALSE(page.has_more);
  CHECK(page.first_block == 1);
  CHECK(page.last_block == 33);
  CHECK(rounds_of(page, 7, all.events, 100).front().events.empty()); // another generation's
  CHECK(page_of({}, std::nullopt, 5, 0).rounds.empty());
}

TEST_CASE("runs end by completion or by a reset, and old rounds give way") {
  told all;
  all.tell(1, peer_registered{node(1), 0, 1, "mean", 100});
  all.round(1, 10, 1);
  all.tell(20, training_reset{1, node(9)});
  all.tell(21, peer_registered{node(1), 1, 1, "mean", 100});
  all.round(1, 30, 1, 1);
  all.tell(40, training_complete{1, 1, {}});
  CHECK(all.history.generations().at(0).is_reset);
  CHECK(all.history.generations().at(1).is_complete);
  CHECK_FALSE(all.history.generations().at(1).is_reset);
  training_history long_one;
  for (std::uint64_t i = 1; i <= training_history::amount_max.rounds + 3; ++i)
    long_one.take(merge_accepted{i, 0, 0, node(1), {}, {}}, i);
  const auto& kept = long_one.generations().at(0);
  CHECK(kept.rounds.size() == training_history::amount_max.rounds);
  CHECK(kept.rounds.begin()->first == 4);
  CHECK(kept.misses_rounds);
}

TEST_CASE("every event has words of its own") {
  std::set<std::string> kinds;
  const auto see = [&](const training_event& each) {
    const auto out = event_json(each, {7, "0x02"});
    CHECK_FALSE(has_null(out));
    CHECK(!out.at("text").as_string().empty());
    kinds.insert(std::string(out.at("kind").as_string()));
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (see(std::variant_alternative_t<I, training_event>{}), ...);
  }
  (std::make_index_sequence<std::variant_size_v<training_event>>{});
  CHECK(kinds.size() == std::variant_size_v<training_event>);
}

} // namespace ui_views_test
