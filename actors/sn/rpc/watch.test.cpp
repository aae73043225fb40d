#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace watch_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::wording;

namespace {

struct watched : rpc_node {
  using rpc_node::rpc_node;
  /// A block with one event of the topic for each given.
  ledger::block_ptr emit(const std::vector<std::uint64_t>& topics) {
    for (const auto topic : topics)
      submit(make_txn(test_key(9), nonce_++, input_of(op::emit, word(topic), word(topic))));
    return seal();
  }
  std::string made(std::string_view method, std::string_view params = "[]") {
    return std::string(value(method, params).as_string());
  }
  json::array changes(const std::string& id) { return of("eth_getFilterChanges", id).as_array(); }
  json::value of(std::string_view method, const std::string& id) {
    return value(method, fmt::format("[\"{}\"]", id));
  }
  wording refused(std::string_view method, const std::string& id) {
    return error(method, fmt::format("[\"{}\"]", id));
  }

private:
  std::uint64_t nonce_ = 0;
};

std::string on_topic(std::uint64_t topic, std::string_view more = "") {
  return fmt::format(R"([{{"topics":["{}"]{}}}])", hex(word(topic)), more);
}

} // namespace

TEST_CASE("a block filter tells every new block once") {
  watched node;
  node.emit({1});
  const auto id = node.made("eth_newBlockFilter");
  CHECK(node.changes(id).empty());
  const auto two = node.emit({1}), three = node.emit({1});
  const auto told = node.changes(id);
  REQUIRE(told.size() == 2);
  CHECK(told[0] == js(hex(two->hash)));
  CHECK(told[1] == js(hex(three->hash)));
  CHECK(node.changes(id).empty());
  CHECK(node.refused("eth_getFilterLogs", id) == "-32000 filter not found"); // it is not one for logs
}

TEST_CASE("a log filter tells matching logs once, and all of them when asked") {
  watched node;
  node.emit({1});
  const auto id = node.made("eth_newFilter", on_topic(1, R"(,"fromBlock":"0x0")"));
  CHECK(node.changes(id).empty()); // the first was there before
  node.emit({1, 2});
  node.emit({2});
  node.emit({1});
  const auto told = node.changes(id);
  REQUIRE(told.size() == 2);
  CHECK(told[0].at("blockNumber") == "0x2");
  CHECK(told[1].at("blockNumber") == "0x4");
  CHECK(told[0].at("removed") == false);
  CHECK(node.changes(id).empty());
  CHECK(node.of("eth_getFilterLogs", id).as_array().size() == 3);
  CHECK(node.changes(id).empty());
}

TEST_CASE("a log filter keeps to its range") {
  watched node;
  node.emit({1});
  const auto later = node.made("eth_newFilter", on_topic(1, R"(,"fromBlock":"0x4")"));
  const auto until = node.made("eth_newFilter", on_topic(1, R"(,"fromBlock":"0x0","toBlock":"0x2")"));
  for (int i = 0; i < 4; ++i)
    node.emit({1});
  CHECK(node.changes(later).size() == 2); // blocks 4 and 5
  CHECK(node.changes(until).size() == 1); // block 2
  CHECK(node.of("eth_getFilterLogs", until).as_array().size() == 2);
  node.emit({1});
  CHECK(node.changes(until).empty());
  CHECK(node.error("eth_newFilter", on_topic(1, R"(,"fromBlock":"0x5","toBlock":"0x2")"))
        == "-32602 invalid block range: from 5 to 2");
  CHECK(node.error("eth_newFilter", on_topic(1, fmt::format(R"(,"blockHash":"{}")", hex(word(1)))))
        == "-32602 a filter is for blocks to come; for one block there is eth_getLogs");
  CHECK(node.error("eth_newFilter") == "-32602 missing value for required argument 0 (filter)");
}

TEST_CASE("a filter is its client's alone and ends when it is uninstalled") {
  watched node;
  const auto id = node.made("eth_newBlockFilter");
  node.from.client = word(78);
  CHECK(node.refused("eth_getFilterChanges", id) == "-32000 filter not found");
  CHECK(node.of("eth_uninstallFilter", id) == false);
  node.from.client = word(77);
  CHECK(node.of("eth_uninstallFilter", id) == true);
  CHECK(node.of("eth_uninstallFilter", id) == false);
  CHECK(node.refused("eth_getFilterChanges", id) == "-32000 filter not found");
  CHECK(node.refused("eth_getFilterLogs", "0x99") == "-32000 filter not found");
  CHECK(node.refused("eth_getFilterChanges", "x") == "-32602 filter id: 'x' is not a number in 0x form");
}

TEST_CASE("a filter that nobody asks for expires") {
  watched node;
  const auto asked = node.made("eth_newBlockFilter"), forgotten = node.made("eth_newBlockFilter");
  node.pass(std::chrono::minutes(4));
  node.changes(asked);
  node.pass(std::chrono::minutes(2));
  CHECK(node.served->filters() == 1);
  node.changes(asked);
  CHECK(node.refused("eth_getFilterChanges", forgotten) == "-32000 filter not found");
}

TEST_CASE("a client has a limited number of filters, all clients together too") {
  service_limits limits;
  limits.filters.client_max = 2;
  limits.filters.all_max = 3;
  watched node(limits);
  const auto first = node.made("eth_newBlockFilter");
  node.made("eth_newFilter", "[{}]");
  CHECK(node.error("eth_newBlockFilter")
        == "-32005 at most 2 filters of one client, 3 of all; uninstall some");
  node.of("eth_uninstallFilter", first);
  node.made("eth_newBlockFilter");
  node.from.client = word(78);
  node.made("eth_newBlockFilter");
  CHECK(node.error("eth_newBlockFilter").starts_with("-32005 "));
  node.pass(limits.filters.idle_max + std::chrono::seconds(1));
  node.made("eth_newBlockFilter"); // those of before are gone
}

TEST_CASE("more news than fit one answer come in several") {
  ledger::chain_limits few;
  few.logs_max = 5;
  watched node({}, few);
  const auto id = node.made("eth_newFilter", "[{}]");
  for (int i = 0; i < 6; ++i)
    node.emit({1, 2});
  CHECK(
      node.error("eth_getLogs", R"([{"fromBlock":"0x0"}])").starts_with("-32005 query returned more than 5"));
  std::vector<std::string> blocks;
  for (int asked = 0; asked < 10; ++asked)
    for (const auto& log : node.changes(id))
      blocks.push_back(std::string(log.at("blockNumber").as_string()));
  CHECK(blocks
        == std::vector<std::string>{"0x1", "0x1", "0x2", "0x2", "0x3", "0x3", "0x4", "0x4", "0x5", "0x5",
                                    "0x6", "0x6"});
}

TEST_CASE("a block with more logs than one answer holds does not stop a filter for ever") {
  ledger::chain_limits few;
  few.logs_max = 2;
  watched node({}, few);
  const auto id = node.made("eth_newFilter", "[{}]");
  node.emit({1, 2, 3});
  node.emit({4});
  CHECK(node.refused("eth_getFilterChanges", id).starts_with("-32005 query returned more than 2"));
  const auto next = node.changes(id);
  REQUIRE(next.size() == 1);
  CHECK(next[0].at("blockNumber") == "0x2");
}

TEST_CASE("logs of too many bytes are refused as too many are") {
  ledger::chain_limits few;
  few.log_bytes_max = 2'000;
  watched node({}, few);
  for (int i = 0; i < 5; ++i)
    node.emit({1, 2});
  CHECK(node.error("eth_getLogs", R"([{"fromBlock":"0x0"}])")
            .starts_with("-32005 query returned more than 2000 bytes"));
  CHECK(node.value("eth_getLogs", R"([{"fromBlock":"0x1","toBlock":"0x2"}])").as_array().size() == 4);
}

} // namespace watch_test
