#include "actors/ui/feed/feed_hub.hpp"
#include "actors/ui/history/history_keeper.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <chrono>
#include <cstdlib>

namespace ui_history_test {

using namespace swarm;
using namespace swarm::ui;
namespace json = boost::json;

namespace {

constexpr std::uint64_t logs_max = 10'000; ///< in one answer, as SNs have it

/// An SN whose chain is one training: block N has the reports of all peers for round N, and its merge.
struct long_training final : swci::network {
  std::uint64_t peers = 0;
  std::uint64_t head = 0;
  std::uint64_t asked = 0;
  mutable std::uint64_t views = 0; ///< of merges
  bool lies = false;               ///< of the digest of a merge, in its events
  address at = contracts::training_address("long");

  static address peer(std::uint64_t number) {
    address out;
    out[18] = static_cast<std::uint8_t>(number >> 8);
    out[19] = static_cast<std::uint8_t>(number);
    return out;
  }
  template <class Event>
  json::value log_of(std::uint64_t block_num, const Event& event) const {
    const auto made = contracts::abi::encode_event(at, event);
    json::array topics;
    for (const auto& each : made.topics)
      topics.emplace_back(to_hex(each.view()));
    return json::object{{"topics", std::move(topics)},
                        {"data", to_hex(made.data)},
                        {"blockNumber", fmt::format("{:#x}", block_num)},
                        {"transactionHash", "0x1"}};
  }
  json::value logs(const json::object& filter) const {
    const auto number = [&](std::string_view key) {
      return session::quantity_of(json::object{{"result", filter.at(key)}}).value_or(0);
    };
    const auto first = number("fromBlock");
    const auto last = std::min(number("toBlock"), head);
    if (last >= first && (last - first + 1) * (peers + 2) > logs_max)
      return json::object{{"error", json::object{{"code", -32005}, {"message", "more than 10000 logs"}}}};
    json::array out;
    for (auto n = std::max<std::uint64_t>(first, 1); n <= last; ++n) {
      for (std::uint64_t i = 0; i < peers; ++i)
        out.push_back(log_of(
            n, contracts::loss_reported{peer(i), n, 1, static_cast<std::int64_t>(n * 1000 + i), 5, 0, 0}));
      contracts::merge_committed proposed;
      proposed.round_num = n;
      proposed.generation = 1;
      proposed.leader = peer(0);
      proposed.digest[0] = lies && n == 5 ? 2 : 1;
      out.push_back(log_of(n, proposed));
      out.push_back(log_of(n, contracts::merge_accepted{n, 1, 0, peer(0), {}, {peer(1)}}));
    }
    return json::object{{"result", std::move(out)}};
  }
  /// What the contract has; of these only the merges are asked for, and in which generation it is.
  json::value view_of(const session::rpc_call& call) const {
    const auto input = from_hex(std::string_view(call.params.at(0).at("input").as_string())).value();
    contracts::head_view now;
    now.generation = 1;
    if (input == contracts::encode_head())
      return json::object{{"result", to_hex(contracts::abi::encode_answer(now))}};
    contracts::merge_view merge;
    for (std::size_t i = input.size() - 8; i < input.size(); ++i)
      merge.round_num = merge.round_num << 8 | input[i];
    merge.digest[0] = 1;
    REQUIRE(input == contracts::encode(contracts::merge_of_args{merge.round_num}));
    ++views;
    return json::object{{"result", to_hex(contracts::abi::encode_answer(merge))}};
  }
  json::value answer(const session::rpc_call& call) const {
    if (call.method == "eth_blockNumber") return json::object{{"result", fmt::format("{:#x}", head)}};
    if (call.method == "eth_getLogs") return logs(call.params.at(0).as_object());
    if (call.method == "eth_getBlockByNumber")
      return json::object{{"result", json::object{{"timestamp", call.params.at(0)}}}};
    REQUIRE(call.method == "eth_call");
    if (call.params.at(0).at("to") == json::value(to_hex(contracts::training_registry_address().view())))
      return json::object{{"result", to_hex(contracts::abi::encode_answer(at))}};
    if (call.params.at(0).at("to") == json::value(to_hex(at.view()))) return view_of(call);
    contracts::node_view node;
    node.name = "sl";
    return json::object{{"result", to_hex(contracts::abi::encode_answer(node))}};
  }
  result<std::vector<json::value>> ask(std::vector<session::rpc_call> calls) override {
    ++asked;
    std::vector<json::value> out;
    for (const auto& each : calls)
      out.push_back(answer(each));
    return out;
  }
  result<> submit(const address&, bytes, std::string) override {
    return fail(errc::internal, "not asked for");
  }
  address account() const override { return {}; }
  std::string trouble() const override { return {}; }
};

std::uint64_t rounds_wanted() {
  const auto* text = std::getenv("SWARM_ROUNDS"); // 10000 by hand
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 150;
}

std::size_t allocated() {
  return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

} // namespace

TEST_CASE("256 peers and any number of rounds are kept in bounded memory, and told soon") {
  long_training sns;
  sns.peers = 256;
  sns.head = rounds_wanted();
  history_keeper keeper;
  const question::series all{"long", {}, 1};
  const auto before = allocated();
  const auto first = keeper.answer(all, sns, {});
  REQUIRE(first);
  const auto kept = allocated() - before;
  const auto begun = std::chrono::steady_clock::now();
  const auto again = keeper.answer(all, sns, {});
  REQUIRE(again);
  const auto text = data_text(*again);
  const auto rounds = keeper.answer(question::rounds{"long", {}, {}, 30}, sns, {});
  const auto took =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  REQUIRE(rounds);
  CHECK(rounds->at("rounds").as_array().size() == 30);
  const auto& curves = again->at("peers").as_object();
  CHECK(curves.size() == 256);
  const auto points = again->at("rounds").as_array().size();
  CHECK(points >= std::min<std::uint64_t>(sns.head, 100));
  CHECK(points * curves.size() * 2 <= history_keeper::points_max);
  CHECK(again->at("rounds").as_array().back() == json::value(sns.head));
  CHECK(kept < 64 * 1024 * 1024);
  CHECK(took < 10'000); // only a hang: how long it takes depends on the machine
  MESSAGE(sns.head, " rounds: ", kept >> 20, " MiB kept; curves and 30 rounds in ", took, " ms, ",
          text->size() >> 10, " KiB of curves");
}

TEST_CASE(
    "all trainings share one bound: who has most gives up its oldest rounds, and nobody its newest ones") {
  using amount = training_history::amount;
  long_training sns;
  sns.peers = 40;
  sns.head = 50;
  const amount room{.reports = 6000, .rounds = 1000, .members = 1000};
  history_keeper keeper(room);
  for (const auto* name : {"one", "two", "three", "four"}) {
    sns.at = contracts::training_address(name);
    for (int times = 0; times < 2; ++times) {
      const auto series = keeper.answer(question::series{name, 1, 1}, sns, {});
      REQUIRE(series);
      const auto& rounds = series->at("rounds").as_array();
      CHECK(rounds.back() == json::value(sns.head));
      CHECK(rounds.size() >= 6000 / 4 / sns.peers);
    }
    CHECK(keeper.kept().fits(room));
  }
  CHECK(keeper.kept().reports > room.reports - 2 * sns.peers);

  // A training that was reset time and again: of its many runs the oldest go.
  training_history often;
  const amount small{.reports = 10, .rounds = 10, .members = 20};
  for (std::uint64_t number = 1; number <= 30; ++number) {
    contracts::peer_registered peer;
    peer.generation = number;
    often.take(peer, number);
    while (!often.kept().fits(small) && often.forget_oldest(small)) {
    }
  }
  CHECK(often.kept().members == 20);
  CHECK(often.generations().begin()->first == 21);
  CHECK(often.generations().rbegin()->first == 30);
  while (often.forget_oldest({})) {
  }
  CHECK(often.generations().size() == 1);
}

TEST_CASE("only what is new is read again, and of another chain everything") {
  long_training sns;
  sns.peers = 4;
  sns.head = 100;
  history_keeper keeper;
  REQUIRE(keeper.answer(question::series{"long", {}, 1}, sns, {}));
  sns.head = 103;
  const auto later = keeper.answer(question::series{"long", 1, 102}, sns, {});
  REQUIRE(later);
  CHECK(later->at("rounds") == json::value{102, 103});
  sns.head = 7;
  const auto other = keeper.answer(question::series{"long", 1, 1}, sns, {});
  REQUIRE(other);
  CHECK(other->at("rounds").as_array().size() == 7);
  const auto page = keeper.answer(question::rounds{"long", 1, 5, 2}, sns, {});
  REQUIRE(page);
  CHECK(page->at("more") == json::value(true));
  CHECK(page->at("started_ms") == json::value(1'000));
  CHECK(page->at("rounds").as_array().size() == 2);
  CHECK(page->at("rounds").at(0).at("round_num") == json::value(4));
  CHECK(page->at("rounds").at(0).at("merge").at("leader")
        == json::value(to_hex(long_training::peer(0).view())));
}

TEST_CASE("merges are compared with what the contract has, each once") {
  long_training sns;
  sns.peers = 4;
  sns.head = 60;
  history_keeper keeper;
  for (int times = 0; times < 2; ++times) {
    const auto page = keeper.answer(question::rounds{"long", 1, {}, 50}, sns, {});
    REQUIRE(page);
    for (const auto& each : page->at("rounds").as_array())
      CHECK(each.at("merge").at("proved") == json::value(true));
    CHECK(sns.views == 50);
  }
}

TEST_CASE("a round says whether the contract had what an SN tells of its reports") {
  long_training sns;
  sns.peers = 2;
  sns.head = 9;
  const auto known = std::make_shared<proved_reports>();
  history_keeper keeper(training_history::amount_max, known);
  const auto proved = [&] {
    std::vector<std::uint64_t> out;
    const auto page = keeper.answer(question::rounds{"long", 1, {}, 50}, sns, {});
    REQUIRE(page);
    for (const auto& each : page->at("rounds").as_array())
      if (each.as_object().contains("reports_proved"))
        out.push_back(each.at("round_num").to_number<std::uint64_t>());
    return out;
  };
  CHECK(proved().empty());
  const auto note = [&](std::uint64_t round_num, std::int64_t first) {
    std::vector<contracts::peer_view> peers(2);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      peers[i].account = long_training::peer(i);
      peers[i].loss_round = round_num;
      peers[i].loss_micro = first + static_cast<std::int64_t>(i);
      peers[i].metric_micro = 5;
    }
    known->note("long", 1, peers);
  };
  note(8, 8'000);
  note(9, 8'999); // others than the SN tells
  CHECK(proved() == std::vector<std::uint64_t>{8});
}

TEST_CASE("an SN that tells other merges than the contract has is a liar") {
  long_training liar;
  liar.peers = 4;
  liar.head = 8;
  liar.lies = true;
  history_keeper other;
  const auto page = other.answer(question::rounds{"long", 1, {}, 50}, liar, {});
  REQUIRE_FALSE(page);
  CHECK(page.error().is(errc::denied));
  CHECK(page.error().message.find("round 5") != std::string::npos);
}

} // namespace ui_history_test
