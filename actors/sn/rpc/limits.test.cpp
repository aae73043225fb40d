#include "actors/sn/rpc/byte_budget.hpp"
#include "actors/sn/rpc/rate_limit.hpp"
#include "actors/sn/rpc/testing/rpc_fixture.hpp"

#include <doctest/doctest.h>

namespace rpc_limits_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using namespace std::chrono_literals;

TEST_CASE("a bucket is spent, refills with time and never holds more than the burst") {
  rate_limiter limiter({.units_per_second = 10, .burst = 100});
  const auto a = word(1), b = word(2);
  time_point now{};
  CHECK(limiter.wait_of(a, now) == duration::zero());
  limiter.charge(a, 99, now);
  CHECK(limiter.wait_of(a, now) == duration::zero());
  limiter.charge(a, 1, now);
  CHECK(limiter.wait_of(a, now) == 100ms);
  CHECK(limiter.wait_of(b, now) == duration::zero()); // another's bucket
  now += 100ms;
  CHECK(limiter.wait_of(a, now) == duration::zero());
  limiter.charge(a, 51, now); // is done, and paid for afterwards
  CHECK(limiter.wait_of(a, now) == 5'100ms);
  now += 5'000ms;
  CHECK(limiter.wait_of(a, now) == 100ms);
  now += 24h;
  limiter.charge(a, 100, now);
  CHECK(limiter.wait_of(a, now) == 100ms);
  // Time in small steps adds up.
  for (int i = 0; i < 1000; ++i)
    limiter.wait_of(a, now += 1ms);
  CHECK(limiter.wait_of(a, now) == duration::zero());
  // One huge request costs at most a second full bucket.
  limiter.charge(b, ~std::uint64_t{0}, now);
  CHECK(limiter.wait_of(b, now) == 100ms);
  limiter.charge(b, ~std::uint64_t{0}, now);
  CHECK(limiter.wait_of(b, now) == 10'100ms);
}

TEST_CASE("who is being limited is not forgotten for newcomers") {
  rate_limiter limiter({.units_per_second = 10, .burst = 100, .clients_max = 4});
  time_point now{};
  limiter.charge(word(1), 150, now);
  for (std::uint64_t i = 2; i < 100; ++i)
    limiter.charge(word(i), 1, now);
  CHECK(limiter.clients() == 4);
  CHECK(limiter.wait_of(word(1), now) > duration::zero());
}

TEST_CASE("bytes are held for one client and for all within bounds, and given back") {
  const auto budget = byte_budget::make({.all_max = 100, .client_max = 60});
  auto a = budget->hold({word(0), word(1)}, 60);
  REQUIRE(a);
  CHECK(budget->hold({word(0), word(1)}, 1) == nullptr);
  auto b = budget->hold({word(0), word(2)}, 40);
  REQUIRE(b);
  CHECK(budget->hold({word(0), word(3)}, 1) == nullptr);
  CHECK(budget->hold({word(0), word(2)}, ~std::size_t{0}) == nullptr);
  const auto none = budget->hold({word(0), word(3)}, 0), none_either = budget->hold({word(0), word(3)}, 0);
  CHECK(none);
  CHECK(budget->held() == 100);
  const auto copy = a;
  a.reset();
  CHECK(budget->held() == 100);
  b.reset();
  CHECK(budget->held() == 60);
  CHECK(budget->hold({word(0), word(1)}, 1) == nullptr);
  CHECK(budget->hold({word(0), word(3)}, 40));
  CHECK(budget->held() == 60);
  CHECK(budget->clients() <= 2); // those who hold something, or nothing just now
}

TEST_CASE("an organisation holds its part of the bytes however many certificates it has") {
  const auto budget = byte_budget::make({.all_max = 100, .client_max = 30, .organisation_max = 50});
  const party a1{word(1), word(11)}, a2{word(1), word(12)}, a3{word(1), word(13)}, b{word(2), word(21)};
  auto held = budget->hold(a1, 30);
  const auto more = budget->hold(a2, 20);
  CHECK(more);
  CHECK_FALSE(budget->hold(a3, 1));
  CHECK(budget->hold(b, 30));
  held.reset();
  CHECK(budget->hold(a3, 30));
}

TEST_CASE("filters of one organisation leave room for others") {
  filter_table filters({.all_max = 10, .client_max = 4, .organisation_max = 6});
  const auto add = [&](std::uint64_t organisation, std::uint64_t client) {
    return filters.add({.of = {word(organisation), word(client)}}, {}).has_value();
  };
  for (std::uint64_t i = 0; i < 6; ++i)
    CHECK(add(1, i));
  CHECK_FALSE(add(1, 99));
  for (std::uint64_t i = 0; i < 4; ++i)
    CHECK(add(2, 100));
  CHECK_FALSE(add(2, 101)); // all are taken
}

TEST_CASE("a client over its rate is refused with its ids until it has waited") {
  service_limits limits;
  limits.rate = {.units_per_second = 10, .burst = 5};
  rpc_node node(limits);
  const auto answers = node.post(R"([{"id":1,"method":"eth_chainId"},{"id":2,"method":"eth_chainId"},
      {"id":3,"method":"eth_chainId"},{"id":4,"method":"eth_chainId"},{"id":5,"method":"eth_chainId"},
      {"id":6,"method":"eth_chainId"}])");
  const auto list = json::parse(answers.at(0)).as_array();
  REQUIRE(list.size() == 6);
  CHECK(list[4].at("result") == "0x5357");
  CHECK(list[5].at("id") == 6);
  CHECK(rpc_node::error_text(list[5].as_object())
        == "-32005 rate limit exceeded: this client asks for more work than 10 units a second; wait 101 ms");
  CHECK(node.error("eth_blockNumber").starts_with("-32005 rate limit exceeded"));
  // A large text is refused without being parsed.
  CHECK(rpc_node::error_text(node.ask(std::string(100'000, '['))).starts_with("-32005 rate limit exceeded"));
  node.from.client = word(78); // another client
  CHECK(node.text("eth_chainId") == R"("0x5357")");
  node.from.client = word(77);
  node.pass(1s);
  CHECK(node.text("eth_chainId") == R"("0x5357")");
}

TEST_CASE("work is charged by its size") {
  service_limits limits;
  limits.rate = {.units_per_second = 1, .burst = 5'000};
  /// How many of the cheapest requests are still answered after `body`.
  const auto left_after = [&](std::string_view body) {
    rpc_node node(limits);
    node.submit(make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2))));
    node.seal();
    node.post(body);
    int count = 0;
    while (node.call("eth_chainId").contains("result"))
      ++count;
    return count;
  };
  const auto burn =
      fmt::format(R"({{"id":1,"method":"eth_call","params":[{{"to":"{}","data":"{}","gas":"0x4c4b40"}}]}})",
                  hex(test_address()), to_hex(input_of(op::burn)));
  CHECK(left_after(R"({"id":1,"method":"eth_chainId"})") == 4'999);
  CHECK(left_after(R"({"id":1,"method":"eth_getBlockByNumber","params":["0x1"]})") == 4'997);
  CHECK(left_after(R"({"id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x0"}]})") == 4'996);
  CHECK(left_after(burn) == 4'999 - 5'000'000 / 4'000);
  CHECK(left_after(std::string(20'480, ' ') + "[") == 4'990); // parsing alone
  CHECK(left_after(R"({"id":1,"method":"eth_sendRawTransaction","params":["0x01"]})") == 4'996);
}

TEST_CASE("a batch is answered in slices, and clients take turns") {
  rpc_node node;
  const auto burn =
      fmt::format(R"({{"id":1,"method":"eth_call","params":[{{"to":"{}","data":"{}","gas":"0x1e8480"}}]}})",
                  hex(test_address()), to_hex(input_of(op::burn))); // 500 units
  const std::string read = R"({"id":1,"method":"eth_feeHistory","params":["0x1","latest"]})";
  std::string batch = "[" + burn;
  for (int i = 1; i < 7; ++i)
    batch += "," + burn;
  batch += "]";
  std::vector<std::string> order;
  const auto ask = [&](std::uint64_t client, std::string name, const std::string& body) {
    auto from = node.from;
    from.client = word(client);
    from.send = [&order, name = std::move(name)](const std::string&) { order.push_back(name); };
    node.served->handle(body, from, node.now);
  };
  ask(1, "a1", batch);
  CHECK(node.served->busy());
  ask(1, "a2", batch);
  ask(1, "a3", batch);
  ask(2, "b1", read);
  CHECK(order.empty());
  int slices = 1;
  for (; node.served->busy(); ++slices)
    node.served->go_on(node.now);
  CHECK(order == std::vector<std::string>{"b1", "a1", "a2", "a3"}); // between requests of a batch
  CHECK(slices == 3 * 7 / 2 + 1);
  ask(2, "b2", read); // nobody else asks: answered at once
  CHECK(order.back() == "b2");
  CHECK(!node.served->busy());
}

TEST_CASE("nobody who sends a transaction, or asks for little, waits for what others read") {
  rpc_node node;
  const auto burn =
      fmt::format(R"({{"id":1,"method":"eth_call","params":[{{"to":"{}","data":"{}","gas":"0x1e8480"}}]}})",
                  hex(test_address()), to_hex(input_of(op::burn)));
  std::string batch = "[" + burn;
  for (int i = 1; i < 100; ++i)
    batch += "," + burn;
  std::vector<std::string> order;
  const auto ask = [&](std::uint64_t client, std::string name, const std::string& body) {
    auto from = node.from;
    from.client = word(client);
    from.send = [&order, name = std::move(name)](const std::string&) { order.push_back(name); };
    node.served->handle(body, from, node.now);
  };
  ask(1, "reads", batch + "]");
  ask(1, "send",
      fmt::format(R"({{"id":1,"method":"eth_sendRawTransaction","params":["{}"]}})",
                  to_hex(make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2))).raw())));
  ask(1, "chain id", R"({"id":1,"method":"eth_chainId"})");
  CHECK(node.served->busy());
  ask(2, "receipt",
      fmt::format(R"({{"id":1,"method":"eth_sendRawTransactionSync","params":["{}"]}})",
                  to_hex(make_txn(test_key(9), 1, input_of(op::emit, word(1), word(2))).raw())));
  node.seal();
  CHECK(order == std::vector<std::string>{"send", "chain id", "receipt"});
  CHECK(node.served->busy());
  while (node.served->busy())
    node.served->go_on(node.now);
  CHECK(order.back() == "reads");
}

TEST_CASE("what a batch reads and what it sends come back as one answer, in order") {
  rpc_node node;
  const auto txn = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  const auto nonce = fmt::format(R"({{"id":0,"method":"eth_getTransactionCount","params":["{}","pending"]}})",
                                 hex(txn.sender()));
  const auto answers =
      node.post(fmt::format(R"([{},{{"id":1,"method":"eth_sendRawTransactionSync","params":["{}"]}},{},7])",
                            nonce, to_hex(txn.raw()), nonce));
  CHECK(answers.empty());
  node.seal();
  REQUIRE(node.sent.size() == 1);
  const auto list = json::parse(node.sent[0]).as_array();
  REQUIRE(list.size() == 4);
  CHECK(list[0].at("id") == 0);
  CHECK(list[1].at("result").at("status") == "0x1");
  CHECK(list[2].at("result") == "0x1"); // what it sent waits
  CHECK(list[3].at("error").at("code") == -32600);
}

TEST_CASE("answers together have a size, what does not fit is refused by name") {
  service_limits limits;
  limits.response_bytes_max = 1'000;
  rpc_node node(limits);
  CHECK(node.error("eth_getBlockByNumber", R"(["latest"])")
        == "-32003 response too large: over 1000 bytes; ask for less at a time");
  std::string body;
  for (int i = 0; i < 40; ++i)
    body += fmt::format(R"({}{{"id":{},"method":"eth_chainId"}})", i > 0 ? "," : "[", i);
  const auto list = json::parse(node.post(body + "]").at(0)).as_array();
  REQUIRE(list.size() == 40);
  CHECK(list[0].as_object().contains("result"));
  CHECK(list[39].at("id") == 39);
  CHECK(list[39].at("error").at("code") == -32003);
  CHECK(node.text("eth_chainId") == R"("0x5357")"); // the next text has its own
}

} // namespace rpc_limits_test
