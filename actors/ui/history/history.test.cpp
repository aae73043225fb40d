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
      out.push_back(log_of(n, proposed));
      out.push_back(log_of(n, contracts::merge_accepted{n, 1, 0, peer(0), {}, {peer(1)}}));
    }
    return json::object{{"result", std::move(out)}};
  }
  json::value answer(const session::rpc_call& call) const {
    if (call.method == "eth_blockNumber") return json::object{{"result", fmt::format("{:#x}", head)}};
    if (call.method == "eth_getLogs") return logs(call.params.at(0).as_object());
    if (call.method == "eth_getBlockByNumber")
      return json::object{{"result", json::object{{"timestamp", call.params.at(0)}}}};
    REQUIRE(call.method == "eth_call");
    if (call.params.at(0).at("to") == json::value(to_hex(contracts::training_registry_address().view())))
      return json::object{{"result", to_hex(contracts::abi::encode_answer(at))}};
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
  CHECK(page->at("rounds").as_array().size() == 2);
  CHECK(page->at("rounds").at(0).at("round_num") == json::value(4));
  CHECK(page->at("rounds").at(0).at("merge").at("leader")
        == json::value(to_hex(long_training::peer(0).view())));
}

} // namespace ui_history_test
