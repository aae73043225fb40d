#include "actors/sn/rpc/service.hpp"

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace service_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::says;

TEST_CASE("an answer echoes the id as it came and has a result or an error") {
  rpc_node node;
  for (auto id : {"0", "7", "-1", "\"x\"", "null", "1.5", "\"\\u0000\""}) {
    const auto answers = node.post(fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}})", id));
    REQUIRE(answers.size() == 1);
    const auto answer = json::parse(answers[0]).as_object();
    CHECK(answer.at("jsonrpc") == "2.0");
    CHECK(answer.at("id") == json::parse(id));
    CHECK(answer.at("result") == "0x5357");
    CHECK_FALSE(answer.contains("error"));
  }
}

TEST_CASE("a notification is carried out and not answered") {
  rpc_node node;
  CHECK(node.post(R"({"jsonrpc":"2.0","method":"eth_chainId"})") == std::vector<std::string>{""});
  CHECK(node.post(R"([{"jsonrpc":"2.0","method":"eth_chainId"}])") == std::vector<std::string>{""});
  const auto txn = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  node.post(fmt::format(R"({{"method":"eth_sendRawTransaction","params":["{}"]}})", to_hex(txn.raw())));
  CHECK(node.chain->find_pending(txn.hash()) != nullptr);
}

TEST_CASE("malformed requests have the codes of JSON-RPC") {
  rpc_node node;
  const auto refused = [&](std::string_view body) {
    const auto answer = node.ask(body);
    CHECK(answer.at("id").is_null());
    return rpc_node::error_text(answer);
  };
  CHECK(refused("").starts_with("-32700 not JSON: "));
  CHECK(refused("{").starts_with("-32700 not JSON: "));
  CHECK(refused("{} {}").starts_with("-32700 not JSON: "));
  CHECK(refused("\"\xff\"").starts_with("-32700 not JSON: "));
  CHECK(refused(std::string(1000, '[')).starts_with("-32700 not JSON: "));
  CHECK(refused("5") == "-32600 a request has a method and an id");
  CHECK(refused("{}") == "-32600 a request has a method and an id");
  CHECK(refused(R"({"id":[],"method":"eth_chainId"})") == "-32600 a request has a method and an id");
  CHECK(refused("[]") == "-32600 an empty batch");
  const auto answer = node.ask(R"({"id":3,"method":7})");
  CHECK(answer.at("id") == 3);
  CHECK(rpc_node::error_text(answer) == "-32600 a request has a method and an id");
  CHECK(node.error("eth_chainId", "{}") == "-32602 params must be an array");
  CHECK(node.text("eth_chainId", "null") == R"("0x5357")");
}

TEST_CASE("an unknown method is named in the words that clients look for") {
  rpc_node node;
  CHECK(node.error("eth_mining") == "-32601 the method eth_mining does not exist/is not available");
  CHECK(node.error("") == "-32601 the method  does not exist/is not available");
  const auto cut = node.error(std::string(63, 'm') + "\xe2\x82\xac");
  CHECK(cut == "-32601 the method " + std::string(63, 'm') + " does not exist/is not available");
}

TEST_CASE("a batch is answered in order, without its notifications, each on its own") {
  rpc_node node;
  const auto answers = node.post(R"([{"id":2,"method":"eth_chainId"},{"method":"eth_chainId"},7,
                                     {"id":1,"method":"eth_nothing"},{"id":0,"method":"net_version"}])");
  REQUIRE(answers.size() == 1);
  const auto list = json::parse(answers[0]).as_array();
  REQUIRE(list.size() == 4);
  CHECK(list[0].at("id") == 2);
  CHECK(list[0].at("result") == "0x5357");
  CHECK(list[1].at("error").at("code") == -32600);
  CHECK(list[2].at("error").at("code") == -32601);
  CHECK(list[3].at("id") == 0);
  CHECK(list[3].at("result") == "21335");
}

TEST_CASE("a batch has a limit") {
  rpc_node node;
  const auto batch_of = [](std::size_t count) {
    std::string out = "[";
    for (std::size_t i = 0; i < count; ++i)
      out += std::string(i > 0 ? "," : "") + R"({"id":1,"method":"eth_chainId"})";
    return out + "]";
  };
  CHECK(json::parse(node.post(batch_of(service::batch_max)).at(0)).as_array().size() == service::batch_max);
  CHECK(rpc_node::error_text(node.ask(batch_of(service::batch_max + 1)))
        == "-32600 a batch of 257, at most 256 are answered");
}

TEST_CASE("one who waits for a receipt gets it with the block, also in a batch") {
  rpc_node node;
  const auto txn = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  const auto request =
      fmt::format(R"({{"id":5,"method":"eth_sendRawTransactionSync","params":["{}"]}})", to_hex(txn.raw()));
  CHECK(node.post(request).empty());
  CHECK(node.post("[" + request + R"(,{"id":6,"method":"eth_blockNumber"}])").empty()); // the same once more
  CHECK(node.served->waiting() == 2);
  node.seal();
  REQUIRE(node.sent.size() == 2);
  const auto alone = json::parse(node.sent[0]);
  CHECK(alone.at("id") == 5);
  CHECK(alone.at("result").at("transactionHash") == js(hex(txn.hash())));
  CHECK(alone.at("result").at("status") == "0x1");
  const auto batch = json::parse(node.sent[1]).as_array();
  REQUIRE(batch.size() == 2);
  CHECK(batch[0].at("result").at("blockNumber") == "0x1");
  CHECK(batch[1].at("result") == "0x0"); // asked before the block
  CHECK(node.served->waiting() == 0);
  // Once it is final, the answer comes at once.
  CHECK(node.ask(request).at("result").at("transactionHash") == js(hex(txn.hash())));
}

TEST_CASE("waiting for a receipt ends") {
  rpc_node node;
  const auto send = [&](std::uint64_t nonce, std::string_view more) {
    const auto txn = make_txn(test_key(9), nonce, input_of(op::emit, word(1), word(2)));
    return node.post(fmt::format(R"({{"id":5,"method":"eth_sendRawTransactionSync","params":["{}"{}]}})",
                                 to_hex(txn.raw()), more));
  };
  CHECK(send(0, "").empty());
  CHECK(send(1, R"(,"0x64")").empty()); // 100 ms
  CHECK(send(2, R"(,"0xffffffffffffffff")").empty());
  node.pass(std::chrono::milliseconds(99));
  CHECK(node.sent.empty());
  node.pass(std::chrono::milliseconds(1));
  REQUIRE(node.sent.size() == 1);
  CHECK(json::parse(node.sent[0]).at("error").at("code") == 4);
  CHECK(json::parse(node.sent[0]).at("error").at("data").as_string().size() == 66); // the transaction's hash
  node.pass(service::receipt_wait);
  CHECK(node.sent.size() == 3);
  CHECK(node.served->waiting() == 0);
  CHECK(node.chain->stats().pool_txns == 3); // they still wait to be executed
  CHECK(says(send(0, ",7").at(0), "must be a string"));
}

TEST_CASE("an error in what is sent comes at once") {
  rpc_node node;
  CHECK(node.error("eth_sendRawTransactionSync", R"(["0x01"])").starts_with("-32000 "));
  CHECK(node.error("eth_sendRawTransactionSync").starts_with("-32602 missing value for required argument 0"));
}

TEST_CASE("a transaction that the client's certificate does not cover is refused, however it is sent") {
  rpc_node node;
  node.from.may_call = [](const address& to, bytes_view) -> result<> {
    if (to == contracts::node_registry_address()) return fail(rpc_errc::role_not_allowed, "is for SL");
    return {};
  };
  ledger::txn_fields fields;
  fields.gas_limit = 1'000'000;
  fields.to = contracts::node_registry_address();
  fields.data = contracts::encode_register_node({});
  const auto registers = *ledger::make_signed(fields, test_key(9), ledger::default_chain_id);
  for (const auto* method : {"eth_sendRawTransaction", "eth_sendRawTransactionSync"}) {
    const auto answer = node.call(method, fmt::format(R"(["{}"])", to_hex(registers.raw())));
    CHECK(says(rpc_node::error_text(answer), "-32000 is for SL"));
    CHECK(answer.at("error").at("data").at("reason") == "role_not_allowed");
  }
  CHECK_FALSE(node.chain->window()->waits(registers.hash()));
}

TEST_CASE("a session hears of blocks and logs until it unsubscribes or is gone") {
  rpc_node node;
  CHECK(node.error("eth_subscribe", R"(["newHeads"])")
        == "-32601 notifications not supported: eth_subscribe needs a WebSocket");
  node.from.session = 3;
  const auto heads = node.value("eth_subscribe", R"(["newHeads"])").as_string();
  const auto logs =
      node.value("eth_subscribe", fmt::format(R"(["logs",{{"topics":["{}"]}}])", hex(word(1)))).as_string();
  CHECK(heads != logs);
  CHECK(node.error("eth_subscribe", R"(["syncing"])").starts_with("-32602 no \"syncing\" subscription"));
  CHECK(node.served->subscriptions() == 2);
  node.submit(make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2))));
  node.submit(make_txn(test_key(9), 1, input_of(op::emit, word(3), word(4))));
  node.sent.clear();
  const auto block = node.seal();
  REQUIRE(node.sent.size() == 2);
  for (const auto& text : node.sent) {
    const auto told = json::parse(text).as_object();
    CHECK(told.at("jsonrpc") == "2.0");
    CHECK(told.at("method") == "eth_subscription");
    CHECK_FALSE(told.contains("id"));
    const auto& params = told.at("params").as_object();
    if (params.at("subscription").as_string() == heads) {
      CHECK(params.at("result").at("hash") == js(hex(block->hash)));
      CHECK_FALSE(params.at("result").as_object().contains("transactions"));
    } else {
      CHECK(params.at("subscription").as_string() == logs);
      CHECK(params.at("result").at("data") == js(hex(word(2))));
      CHECK(params.at("result").at("logIndex") == "0x0");
    }
  }
  CHECK(node.text("eth_unsubscribe", fmt::format(R"(["{}"])", std::string(heads))) == "true");
  CHECK(node.text("eth_unsubscribe", fmt::format(R"(["{}"])", std::string(heads))) == "false");
  node.from.session = 4;
  CHECK(node.text("eth_unsubscribe", fmt::format(R"(["{}"])", std::string(logs))) == "false"); // another's
  node.served->session_gone(3);
  CHECK(node.served->subscriptions() == 0);
}

TEST_CASE("subscriptions have a limit for one session") {
  rpc_node node;
  node.from.session = 3;
  for (std::size_t i = 0; i < service::session_subscriptions_max; ++i)
    node.value("eth_subscribe", R"(["newHeads"])");
  CHECK(node.error("eth_subscribe", R"(["newHeads"])")
        == "-32005 at most 64 subscriptions of one connection, 256 of one client, 2048 of one organisation, "
           "4096 of all");
  node.from.session = 4;
  node.value("eth_subscribe", R"(["newHeads"])");
}

TEST_CASE("subscriptions have a limit for one client over all its sessions") {
  rpc_node node;
  for (std::size_t i = 0; i < service::client_subscriptions_max; ++i) {
    node.from.session = 3 + i / service::session_subscriptions_max;
    node.value("eth_subscribe", R"(["newHeads"])");
  }
  node.from.session = 99;
  CHECK(node.error("eth_subscribe", R"(["newHeads"])").starts_with("-32005 at most 64 subscriptions"));
  node.from.client = word(78);
  node.value("eth_subscribe", R"(["newHeads"])");
  node.from.client = word(77);
  node.served->session_gone(3);
  node.value("eth_subscribe", R"(["newHeads"])");
}

TEST_CASE("a subscription looks for a limited number of addresses and topics") {
  rpc_node node;
  node.from.session = 3;
  const auto subscribe = [](std::size_t topics) {
    std::string list;
    for (std::size_t i = 0; i < topics; ++i)
      list += fmt::format("{}\"{}\"", i == 0 ? "" : ",", hex(word(i)));
    return fmt::format(R"(["logs",{{"address":"{}","topics":[[{}]]}}])", hex(test_address(1)), list);
  };
  node.value("eth_subscribe", subscribe(service::subscription_alternatives_max - 1));
  CHECK(node.error("eth_subscribe", subscribe(service::subscription_alternatives_max))
        == "-32005 at most 64 addresses and topics in one subscription");
}

TEST_CASE("a client waits for a limited number of receipts") {
  rpc_node node;
  const auto send = [&](std::uint64_t nonce) {
    const auto txn = make_txn(test_key(9), nonce, input_of(op::store, word(1), word(nonce)));
    return node.post(
        fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransactionSync","params":["{}"]}})",
                    to_hex(txn.raw())));
  };
  for (std::size_t i = 0; i < service::client_waiting_max; ++i)
    REQUIRE(send(0).empty()); // the same one again: it waits in the pool
  CHECK(node.served->waiting() == service::client_waiting_max);
  const auto refused = send(0);
  REQUIRE(refused.size() == 1);
  CHECK(rpc_node::error_text(json::parse(refused[0]).as_object())
            .starts_with("-32005 at most 4096 calls of one client, 8192 of one organisation, 16384 of all "
                         "wait for receipts"));
  node.from.client = word(78);
  CHECK(send(0).empty()); // another client may
  node.sent.clear();
  node.seal();
  CHECK(node.sent.size() == service::client_waiting_max + 1);
  node.from.client = word(77);
  CHECK(send(1).empty());
  node.pass(service::receipt_wait + std::chrono::seconds(1));
  CHECK(node.served->waiting() == 0);
  CHECK(send(1).empty());
}

} // namespace service_test
