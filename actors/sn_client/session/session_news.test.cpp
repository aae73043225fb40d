#include "actors/sn_client/session/session_machine.hpp"
#include "actors/sn_client/session/testing/session_rig.hpp"
#include "contracts/abi/function.hpp"

#include <doctest/doctest.h>

namespace session_news_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

TEST_CASE("a contract is read when it moves, once at a time, and only the one that is followed") {
  session_rig rig;
  rig.get_ready();
  rig.follow("a", 1);
  CHECK(rig.asked_for("eth_blockNumber").empty()); // comes behind the subscription
  rig.serve();
  CHECK(rig.reads.size() == 1);
  for (int i = 0; i < 50; ++i)
    rig.notify();
  CHECK(rig.asked_for("eth_blockNumber").size() == 2);
  rig.serve();
  CHECK(rig.asked_for("eth_blockNumber").size() == 3); // once more for all that came meanwhile
  rig.step(event::read{});
  rig.follow("b", 2);
  rig.serve();
  CHECK(rig.reads.back().name == "b");
  CHECK(rig.asked_for("eth_subscribe").size() == 2);
  REQUIRE(rig.asked_for("eth_unsubscribe").size() == 1);
  CHECK(rig.last("eth_unsubscribe").params == json::array{"0x1"});
  const auto reads = rig.reads.size();
  rig.follow("b", 2, 3); // read with other calls, but watched already
  rig.serve();
  CHECK(rig.asked_for("eth_subscribe").size() == 2);
  REQUIRE(rig.reads.size() == reads + 1);
  CHECK(rig.reads.back().responses.size() == 3);
}

TEST_CASE("a contract that is followed in place of another before the subscription is there") {
  session_rig rig;
  rig.get_ready();
  rig.follow("a", 1);
  const auto first = rig.last("eth_subscribe");
  rig.follow("b", 2);
  const auto second = rig.last("eth_subscribe");
  rig.respond(second, {{"result", "0xb"}});
  rig.respond(first, {{"result", "0xa"}});
  REQUIRE(rig.asked_for("eth_unsubscribe").size() == 1);
  CHECK(rig.last("eth_unsubscribe").params == json::array{"0xa"});
  rig.serve();
  CHECK(rig.reads.back().name == "b");
}

TEST_CASE("the chain itself moves with every block") {
  session_rig rig;
  rig.get_ready();
  rig.step(event::follow{"the chain", {}, {}, {}});
  CHECK(rig.last("eth_subscribe").params == json::array{"newHeads"});
  rig.serve();
  CHECK(rig.reads.size() == 1);
  rig.notify();
  rig.serve();
  REQUIRE(rig.reads.size() == 2);
  CHECK(rig.reads.back().name == "the chain");
  CHECK(rig.reads.back().responses.empty());
  rig.follow("a", 1); // and then a contract
  CHECK(rig.asked_for("eth_unsubscribe").size() == 1);
  CHECK(rig.last("eth_subscribe").params.at(0) == "logs");
}

TEST_CASE("a subscription that fails is tried again, and the contract is read anyway") {
  session_rig rig;
  rig.instead = [](const request& to) {
    return to.method == "eth_subscribe"
               ? json::value(json::object{{"error", error_of(-32005, "subscriptions_full")}})
               : json::value();
  };
  rig.follow("c");
  rig.get_ready();
  CHECK(!rig.reads.empty());
  CHECK(rig.said("cannot subscribe to the contract"));
  for (unsigned i = 0; i < session_machine::heartbeats_per_survey; ++i) {
    rig.pass(session_machine::heartbeat_interval);
    rig.serve();
  }
  CHECK(rig.asked_for("eth_subscribe").size() >= 2);
}

TEST_CASE("what the network tells of other SNs is kept, within bounds") {
  session_rig rig;
  rig.endpoints = {"b:2", "own:1", "no endpoint", "c:3"};
  rig.get_ready();
  REQUIRE(rig.kept.size() == 1);
  CHECK(rig.kept[0].size() == 2);
  CHECK(rig.machine.sns_known() == 3);
  for (int i = 1; i < 5'000; ++i)
    rig.endpoints.push_back(fmt::format("x:{}", i));
  for (unsigned i = 0; i < session_machine::heartbeats_per_survey; ++i) {
    rig.pass(session_machine::heartbeat_interval);
    rig.serve();
  }
  CHECK(rig.machine.sns_known() == 1 + sn_choice::others_max);
}

TEST_CASE("a node names its SN as its parent, and another one once it has stayed there") {
  const auto parent_of = [](const std::string& raw) {
    const auto txn = ledger::transaction::decode(*from_hex(raw), 7);
    for (const std::uint8_t seed : {0, 3, 5}) {
      auto args = *options_of().registration;
      args.parent.fill(seed);
      if (txn->fields().data == contracts::encode_register_node(args)) return int(seed);
    }
    return -1;
  };
  session_rig rig(options_of(1, {"other:2"}));
  rig.sn_account.fill(3);
  std::optional<contracts::node_view> known; // what the chain says of the node
  rig.instead = [&](const request& to) {
    if (to.method != "eth_call" || !known) return json::value();
    return json::value(json::object{{"result", to_hex(contracts::abi::encode_answer(*known))}});
  };
  rig.get_ready();
  REQUIRE(rig.txns().size() == 1);
  CHECK(parent_of(rig.txns()[0]) == 3);
  const auto wanted = *options_of().registration;
  known = contracts::node_view{};
  known->account = options_of().key->account();
  known->type = wanted.type;
  known->active = true;
  known->since_block = 9;
  known->parent = rig.sn_account;
  known->name = wanted.name;
  known->endpoint = wanted.endpoint;
  const auto stays_with = [&](std::uint8_t sn, unsigned heartbeats) {
    rig.down();
    rig.pass(1s);
    rig.sn_account.fill(sn);
    rig.get_ready();
    CHECK(rig.machine.registered()); // at once, as the chain knows it
    for (unsigned i = 0; i < heartbeats; ++i) {
      rig.pass(session_machine::heartbeat_interval);
      rig.serve();
    }
  };
  for (int i = 0; i < 10; ++i) // an SN may say something else each time, and hang up
    stays_with(static_cast<std::uint8_t>(4 + i % 2), session_machine::heartbeats_per_survey - 1);
  CHECK(rig.txns().size() == 1);
  stays_with(5, session_machine::heartbeats_per_survey + 1);
  REQUIRE(rig.txns().size() == 2);
  CHECK(parent_of(rig.txns()[1]) == 5);
  known->parent = rig.sn_account;
  stays_with(5, 2 * session_machine::heartbeats_per_survey);
  CHECK(rig.txns().size() == 2);
  stays_with(0, 2 * session_machine::heartbeats_per_survey); // it does not say who it is
  CHECK(rig.txns().size() == 2);
}

TEST_CASE("a node that is told nothing of its SN's account registers without a parent") {
  for (const auto& said : {json::value(nullptr), json::value("0x12"), json::value(7)}) {
    session_rig rig;
    rig.instead = [&](const request& to) {
      return to.method == "eth_coinbase" ? json::value(json::object{{"result", said}}) : json::value();
    };
    rig.get_ready();
    CHECK(rig.machine.registered());
    CHECK(ledger::transaction::decode(*from_hex(rig.txns().at(0)), 7)->fields().data
          == contracts::encode_register_node(*options_of().registration));
  }
}

TEST_CASE("other SNs are known before the node is registered, for the case that its own dies then") {
  session_rig rig;
  rig.endpoints = {"b:2"};
  rig.instead = [](const request& to) {
    return to.method == "eth_sendRawTransactionSync" ? json::value(json::object()) : json::value(); // silence
  };
  rig.get_ready();
  CHECK_FALSE(rig.machine.registered());
  CHECK(rig.machine.sns_known() == 2);
}

TEST_CASE("what an SN of another network tells of others is not kept") {
  session_rig rig;
  rig.get_ready();
  rig.down();
  rig.pass(1s);
  rig.endpoints = {"foreign:2"};
  rig.instead = [](const request& to) {
    return to.method == "eth_chainId" ? json::value(json::object{{"result", "0x0"}}) : json::value();
  };
  rig.up();
  rig.serve();
  CHECK(rig.kept.empty());
  CHECK(rig.machine.sns_known() == 1);
}

TEST_CASE("an SN that knows no other one at first is asked again soon") {
  session_rig rig;
  rig.get_ready();
  rig.pass(session_machine::heartbeat_interval);
  rig.serve();
  rig.endpoints = {"b:2"}; // they have met
  rig.pass(session_machine::heartbeat_interval);
  rig.serve();
  CHECK(rig.machine.sns_known() == 2);
  const auto asked = rig.asked_for("swarm_apiEndpoints").size();
  for (int i = 0; i < 10; ++i) {
    rig.pass(session_machine::heartbeat_interval);
    rig.serve();
  }
  CHECK(rig.asked_for("swarm_apiEndpoints").size() == asked);
}

TEST_CASE("signs of life go on where the SN says, unless that is absurd") {
  session_rig rig;
  std::string known = fmt::format("{:#x}", rig.unix_ms + 1'000'000);
  rig.instead = [&](const request& to) {
    return to.method == "swarm_heartbeat" ? json::value(json::object{{"result", known}}) : json::value();
  };
  rig.get_ready();
  const auto serial_of = [&](const request& sign) {
    hash32 genesis;
    genesis.fill(0x11);
    return ledger::decode_sign_of_life(*from_hex(sign.params.at(0).as_string().c_str()), 7, genesis)->serial;
  };
  const auto first = rig.unix_ms;
  CHECK(serial_of(rig.last("swarm_heartbeat")) == first);
  rig.pass(session_machine::heartbeat_interval);
  CHECK(serial_of(rig.last("swarm_heartbeat")) == first + 1'000'001);
  known = "0xfffffffffffffffe"; // would leave two serials for the rest of this node's life
  rig.serve();
  rig.pass(session_machine::heartbeat_interval);
  CHECK(serial_of(rig.last("swarm_heartbeat")) == first + 1'000'002);
}

TEST_CASE("another program with this node's key is noticed, and told of now and then") {
  session_rig rig;
  std::uint64_t before = rig.unix_ms - 500; // of this node's former life
  rig.instead = [&](const request& to) {
    if (to.method != "swarm_heartbeat") return json::value();
    hash32 genesis;
    genesis.fill(0x11);
    const auto raw = *from_hex(to.params.at(0).as_string().c_str());
    const auto answer = fmt::format("{:#x}", before);
    before = std::max(before, ledger::decode_sign_of_life(raw, 7, genesis)->serial);
    return json::value(json::object{{"result", answer}});
  };
  const auto errors = [&] {
    return std::ranges::count_if(rig.notes, [](auto& each) { return each.level == log::level::error; });
  };
  const auto beats = [&](int count, unsigned other_ms) {
    for (int i = 0; i < count; ++i) {
      rig.pass(session_machine::heartbeat_interval);
      rig.serve();
      if (other_ms > 0) before = rig.unix_ms + other_ms; // another one, between this one's
    }
  };
  rig.get_ready();
  beats(20, 0);
  rig.down();
  rig.pass(1s);
  rig.get_ready();
  beats(5, 0);
  CHECK(errors() == 0);
  beats(3, 700);
  CHECK(errors() == 1);
  CHECK(rig.said("another program says that it is this node, " + to_hex(options_of().key->account().view())));
  beats(20, 700);
  CHECK(errors() == 1);
  beats(10, 700);
  CHECK(errors() == 2);
}

TEST_CASE("a question is answered once, over a broken connection too") {
  session_rig rig;
  rig.ask(1, 2);
  CHECK(rig.asked_for("eth_call").empty()); // no SN yet
  rig.get_ready();
  REQUIRE(rig.answers[1].size() == 1);
  REQUIRE(rig.answers[1][0]);
  CHECK(rig.answers[1][0]->size() == 2);
  rig.instead = [](const request& to) {
    return to.method == "eth_call" ? json::value(json::object()) : json::value(); // silence
  };
  rig.ask(2);
  rig.serve();
  CHECK(rig.answers[2].empty());
  rig.down();
  rig.instead = [](const request&) { return json::value(); };
  rig.pass(1s);
  rig.get_ready();
  REQUIRE(rig.answers[2].size() == 1);
  CHECK(rig.answers[2][0]);
}

TEST_CASE("a question that no SN answers in time is given up with the reason") {
  session_rig rig;
  rig.ask(1);
  for (int i = 0; i < 100 && rig.answers[1].empty(); ++i) {
    rig.pass(1s);
    rig.down("refused");
  }
  REQUIRE(rig.answers[1].size() == 1);
  REQUIRE(!rig.answers[1][0]);
  CHECK(rig.answers[1][0].error().message.find("own:1") != std::string::npos);
  CHECK(rig.machine.asks_open() == 0);
}

TEST_CASE("too many questions are refused at once") {
  session_rig rig;
  for (std::uint64_t id = 1; id <= session_machine::asks_max + 1; ++id)
    rig.ask(id);
  CHECK(rig.answers.size() == 1);
  REQUIRE(rig.answers[session_machine::asks_max + 1].size() == 1);
  CHECK(!rig.answers[session_machine::asks_max + 1][0]);
}

TEST_CASE("while its organisation's day on the chain is full a node waits, and says so once") {
  session_rig rig;
  rig.instead = [seen = 0](const request& to) mutable {
    if (to.method != "eth_sendRawTransactionSync" || seen++ % 4 == 0)
      return json::value(); // its registration
    return json::value(json::object{{"error", error_of(-32005, "day_full")}});
  };
  rig.get_ready();
  rig.submit(1);
  rig.serve();
  for (int i = 0; i < 3; ++i) {
    CHECK(rig.done[1].empty());
    rig.pass(session_machine::resend_wait);
    rig.serve();
    CHECK(rig.txns().size() == std::size_t(2 + i)); // not as often as a busy SN is asked
    for (auto waited = 0s; waited < session_machine::day_full_wait; waited += 1s) {
      rig.pass(1s);
      rig.serve();
    }
  }
  CHECK(rig.done[1].size() == 1);
  const auto told = std::count_if(rig.notes.begin(), rig.notes.end(),
                                  [](const auto& one) { return one.text.starts_with("transactions wait"); });
  CHECK(told == 1);
}

} // namespace session_news_test
