#include "actors/sn_client/session/session_machine.hpp"

#include "actors/sn_client/session/testing/session_rig.hpp"
#include "contracts/abi/function.hpp"

#include <doctest/doctest.h>

namespace session_session_machine_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

json::object receipt(std::string_view block = "0x9") {
  return {{"result", json::object{{"status", "0x1"}, {"blockNumber", block}}}};
}

/// The rig's SN refuses transactions from the `first` on, `count` of them.
void refuse_txns(session_rig& rig, std::size_t first, std::size_t count, json::object why) {
  rig.instead = [seen = std::size_t{0}, first, count, why](const request& to) mutable {
    if (to.method != "eth_sendRawTransactionSync") return json::value();
    const auto number = seen++;
    if (number < first || number >= first + count) return json::value();
    return json::value(json::object{{"error", why}});
  };
}

} // namespace

TEST_CASE("a node introduces itself, registers, follows its contract and says that it is alive") {
  session_rig rig;
  REQUIRE(rig.dialled.size() == 1);
  CHECK(rig.dialled[0].endpoint == "own:1");
  CHECK(rig.machine.status().starts_with("cannot reach the SN own:1: not tried yet"));
  rig.follow("c");
  rig.submit(1);
  CHECK(rig.asked.empty());
  rig.up();
  CHECK(rig.machine.status() == "connected to own:1, registering");
  rig.serve();
  CHECK(rig.machine.registered());
  CHECK(rig.txns().size() == 2); // the registration, then the call that waited for it
  REQUIRE(rig.done[1].size() == 1);
  CHECK(rig.done[1][0] == call_receipt{true, 9, {}});
  CHECK(rig.machine.block_num() == 9);
  REQUIRE(rig.reads.size() == 1);
  CHECK(rig.reads[0].name == "c");
  CHECK(rig.reads[0].block_num == 5);
  CHECK(rig.reads[0].responses.size() == 1);
  rig.tick();
  rig.serve();
  CHECK(rig.asked_for("swarm_heartbeat").size() == 1);
  CHECK(rig.asked_for("swarm_apiEndpoints").size() == 1);
  CHECK(rig.said("NODE UID"));
}

TEST_CASE("a node that only reads does not register") {
  auto options = options_of();
  options.registration.reset();
  session_rig rig(options);
  rig.get_ready();
  CHECK(rig.machine.registered());
  CHECK(rig.txns().empty());
  CHECK(rig.asked_for("eth_call").empty());
}

TEST_CASE("a node that the chain knows as it is does not register again") {
  const auto registers_over = [](const contracts::node_view& known) {
    session_rig rig;
    rig.instead = [&](const request& to) {
      if (to.method != "eth_call") return json::value();
      return json::value(json::object{{"result", to_hex(contracts::abi::encode_answer(known))}});
    };
    rig.get_ready();
    CHECK(rig.machine.registered());
    return !rig.txns().empty();
  };
  contracts::node_view same;
  same.account = options_of().key->account();
  same.type = contracts::node_type::sl;
  same.active = true;
  same.name = "sl-1";
  same.endpoint = "here:1";
  CHECK(!registers_over(same));
  auto left = same, renewed = same, renamed = same, moved = same;
  left.active = false;
  renewed.identity[0] = 1;
  renamed.name = "sl-2";
  moved.endpoint = "there:1";
  for (const auto& known : {left, renewed, renamed, moved})
    CHECK(registers_over(known));
}

TEST_CASE("a node whose certificate is renewed connects with it, registers it, and nothing else happens") {
  session_rig rig;
  rig.get_ready();
  const auto before = rig.txns().size();
  event::renewed news;
  rig.step(news); // the one that it has registered
  CHECK(rig.txns().size() == before);
  CHECK(rig.dialled.size() == 1);
  news.identity[0] = 1;
  rig.step(news);
  rig.step(news);
  CHECK(rig.dialled.size() == 2);
  CHECK(rig.hung_up.size() == 1);
  rig.up();
  rig.serve();
  CHECK(rig.txns().size() == before + 1);
  CHECK(rig.machine.registered());
  rig.submit(1);
  rig.serve();
  CHECK(rig.done[1].size() == 1);
}

TEST_CASE("answers come in any order, and each counts once") {
  session_rig rig;
  hold_txns(rig);
  rig.up();
  auto introduction = rig.asked;
  REQUIRE(introduction.size() == 5);
  std::reverse(introduction.begin(), introduction.end());
  for (const auto& each : introduction)
    for (int twice = 0; twice < 2; ++twice)
      rig.respond(each, rig.answer_to(each));
  REQUIRE(rig.txns().size() == 1);
  rig.respond(rig.asked.back(), receipt());
  REQUIRE(rig.machine.registered());
  rig.submit(1);
  rig.submit(2);
  const auto both = rig.asked_for("eth_sendRawTransactionSync");
  REQUIRE(both.size() == 3);
  rig.respond(both[2], receipt("0x20"));
  rig.respond(both[2], receipt("0x21"));
  CHECK(rig.done[1].empty());
  rig.respond(both[1], receipt("0x1f"));
  rig.respond(both[1], {{"error", error_of(-32000, "nonce_too_low")}});
  REQUIRE(rig.done[1].size() == 1);
  REQUIRE(rig.done[2].size() == 1);
  CHECK(rig.done[1][0]->block_num == 0x1f);
  CHECK(rig.done[2][0]->block_num == 0x20);
  CHECK(rig.machine.txns_open() == 0);
}

TEST_CASE("one answer of a batch that comes twice does not stand for another") {
  session_rig rig;
  rig.up();
  const auto chain = rig.asked[0];
  for (int i = 0; i < 8; ++i)
    rig.respond(chain, rig.answer_to(chain));
  CHECK(rig.txns().empty());
  rig.serve();
  CHECK(rig.machine.registered());
}

TEST_CASE("what was never asked, or cannot be read, changes nothing") {
  session_rig rig;
  hold_txns(rig);
  rig.get_ready();
  rig.respond(rig.asked_for("eth_sendRawTransactionSync").at(0), receipt());
  rig.submit(1);
  const auto asked = rig.asked.size();
  const auto open = rig.machine.requests_open();
  const auto txn = rig.last("eth_sendRawTransactionSync").id;
  for (const auto* id : {"-1", "0", "1e3", "\"5\"", "null", "18446744073709551615", "-9223372036854775808",
                         "true", "[]", "{}", "99999999999999999999999"})
    rig.hears(
        fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{{"status":"0x1","blockNumber":"0x1"}}}})", id));
  rig.hears(fmt::format(R"({{"id":"{}","result":{{"status":"0x1","blockNumber":"0x1"}}}})", txn));
  rig.hears(fmt::format(R"({{"id":{}.0,"result":{{"status":"0x1","blockNumber":"0x1"}}}})", txn));
  for (const auto* text : {"", "{", "null", "7", "\"x\"", "[]", "{}", "[[]]", "[null,7,\"x\",[{}]]",
                           "\xff\xfe", R"({"result":1})", R"([{"id":-1},{"id":-2}])"})
    rig.hears(text);
  rig.hears(std::string(10'000, '['));
  CHECK(rig.asked.size() == asked);
  CHECK(rig.machine.requests_open() == open);
  CHECK(rig.done.empty());
  CHECK(rig.machine.registered());
  rig.respond(rig.last("eth_sendRawTransactionSync"), receipt());
  CHECK(rig.done[1].size() == 1);
}

TEST_CASE("answers for a connection that is gone are not heard") {
  session_rig rig;
  rig.up();
  const auto old = rig.asked;
  rig.down();
  for (const auto& each : old)
    rig.respond(each, rig.answer_to(each)); // while nobody is connected
  rig.pass(1s);
  REQUIRE(rig.dialled.size() == 2);
  rig.hears_on(old[0].serial, R"({"id":1,"result":"0x7"})"); // while it dials
  rig.up();
  CHECK(rig.machine.requests_open() == 1);
  for (const auto& each : old)
    rig.hears_on(rig.serial(), json::serialize(json::object{{"id", each.id}, {"result", "0x7"}})); // old ids
  for (const auto& each : old)
    rig.respond(each, rig.answer_to(each));
  rig.step(event::link_up{old[0].serial});
  rig.step(event::link_down{old[0].serial, "late news"});
  CHECK(rig.machine.requests_open() == 1);
  CHECK(rig.machine.connected());
  rig.serve();
  CHECK(rig.machine.registered());
}

TEST_CASE("a connection may die at every point, and what is under way arrives once") {
  // The connection dies after the n-th answer, for every n up to where all is done, in both ways it can die:
  // seen by this side, or silent.
  for (const bool silent : {false, true}) {
    bool all_done = false;
    for (std::size_t answers = 0; !all_done; ++answers) {
      CAPTURE(answers);
      CAPTURE(silent);
      REQUIRE(answers < 100);
      session_rig rig;
      std::map<std::string, int> taken; // by raw bytes: what a chain would take
      std::size_t left = answers;
      rig.instead = [&](const request& to) -> json::value {
        if (to.serial == 1 && left == 0) return json::object();
        if (to.serial == 1) --left;
        if (to.method != "eth_sendRawTransactionSync") return {};
        auto& times = taken[to.params.at(0).as_string().c_str()];
        rig.txn_count += times++ == 0;
        return receipt();
      };
      rig.follow("c");
      rig.submit(1);
      rig.up();
      rig.serve();
      rig.tick();
      rig.serve();
      rig.submit(2);
      rig.serve();
      all_done = left > 0;
      if (silent)
        rig.pass(session_machine::silence_max);
      else
        rig.down();
      for (int i = 0; i < 100 && rig.dialled.size() < 2; ++i)
        rig.pass(1s);
      rig.get_ready();
      CHECK(rig.machine.registered());
      CHECK(rig.done[1].size() == 1);
      CHECK(rig.done[2].size() == 1);
      CHECK(rig.done[1][0]);
      CHECK(rig.done[2][0]);
      CHECK(!rig.reads.empty());
      CHECK(taken.size() >= 3);
      CHECK(rig.machine.calls_open() == 0);
    }
  }
}

TEST_CASE("a busy SN is asked again with the same bytes, after a pause") {
  for (const auto* reason :
       {"pool_full", "sender_full", "waiting_full", "rate_limited", "history_incomplete"}) {
    session_rig rig;
    refuse_txns(rig, 1, 3, error_of(-32000, reason));
    rig.get_ready();
    rig.submit(1);
    rig.serve();
    CHECK(rig.txns().size() == 2);
    for (int i = 0; i < 4; ++i) {
      rig.pass(session_machine::resend_wait);
      rig.serve();
    }
    const auto sent = rig.txns();
    REQUIRE(sent.size() == 5);
    CHECK(std::count(sent.begin() + 1, sent.end(), sent[1]) == 4);
    REQUIRE(rig.done[1].size() == 1);
    CHECK(rig.done[1][0]);
  }
}

TEST_CASE("a text that sounds like a busy SN means nothing") {
  session_rig rig;
  refuse_txns(
      rig, 1, 1,
      {{"code", -32000}, {"message", "timeout: txpool is full, rate limit, history is being fetched"}});
  rig.get_ready();
  rig.submit(1);
  rig.serve();
  REQUIRE(rig.done[1].size() == 1);
  CHECK(rig.done[1][0].error().is(refusal::other));
}

TEST_CASE("after a refusal the account's nonce is counted anew before anything else is sent") {
  session_rig rig;
  refuse_txns(rig, 1, 1, error_of(-32000, "nonce_too_low"));
  rig.get_ready();
  rig.txn_count = 41; // e.g. another process used this account
  rig.submit(1);
  const auto first = rig.txns();
  rig.respond(rig.last("eth_sendRawTransactionSync"), rig.answer_to(rig.last("eth_sendRawTransactionSync")));
  REQUIRE(rig.done[1].size() == 1);
  CHECK(rig.done[1][0].error().is(refusal::nonce_too_low));
  rig.submit(2); // before the count is here
  CHECK(rig.txns().size() == first.size());
  rig.respond(rig.last("eth_getTransactionCount"), {{"result", "0x29"}});
  rig.serve();
  REQUIRE(rig.done[2].size() == 1);
  const auto sent = from_hex(rig.txns().back());
  CHECK(ledger::transaction::decode(*sent, 7)->fields().nonce == 41);
}

TEST_CASE("a refused transaction leaves no gap before those that come after it") {
  session_rig rig;
  hold_txns(rig);
  rig.get_ready();
  rig.respond(rig.asked_for("eth_sendRawTransactionSync").at(0), receipt());
  const auto nonce_of = [](const std::string& raw) {
    return ledger::transaction::decode(*from_hex(raw), 7)->fields().nonce;
  };
  for (std::uint64_t i = 1; i <= 3; ++i)
    rig.submit(i);
  const auto sent = rig.asked_for("eth_sendRawTransactionSync");
  REQUIRE(sent.size() == 4);
  rig.respond(sent[1], {{"error", error_of(-32000, "gas_above_block")}});
  REQUIRE(rig.done[1].size() == 1);
  rig.submit(4);
  CHECK(nonce_of(rig.txns().back()) == nonce_of(rig.txns()[1]));
  rig.submit(5);
  CHECK(nonce_of(rig.txns().back()) == nonce_of(rig.txns()[3]) + 1);
}

TEST_CASE("a node goes to the next SN when transactions do not become final, with what is under way") {
  for (const auto& why : {json::object{{"code", 4}, {"message", "m"}, {"data", "0x00"}},
                          error_of(-32000, "history_incomplete")}) {
    session_rig rig(options_of(1, {"other:2"}));
    refuse_txns(rig, 1, 1, why);
    rig.get_ready();
    rig.submit(1);
    rig.serve();
    CHECK(rig.hung_up == std::vector<std::uint64_t>{1});
    CHECK(rig.said("Unable to contact API-Server own:1: it t"));
    rig.pass(1s);
    REQUIRE(rig.dialled.size() == 2);
    CHECK(rig.dialled[1].endpoint == "other:2");
    rig.get_ready();
    REQUIRE(rig.done[1].size() == 1);
    CHECK(rig.done[1][0]);
    const auto sent = rig.txns();
    CHECK(sent.at(1) == sent.at(2));
  }
}

TEST_CASE("three attempts, then the next SN, and round again; pauses grow") {
  session_rig rig(options_of(1, {"other:2"}));
  for (int i = 0; i < 8; ++i) {
    rig.down("refused");
    rig.pass(11s);
  }
  REQUIRE(rig.dialled.size() == 9);
  CHECK(rig.dialled[2].endpoint == "own:1");
  CHECK(rig.dialled[3].endpoint == "other:2");
  CHECK(rig.dialled[6].endpoint == "own:1");
  // An SN that lets everybody in and then hangs up is not dialled again and again without a pause.
  session_rig again;
  for (int i = 0; i < 12; ++i) {
    again.up();
    again.down();
    again.pass(10s);
  }
  const auto before = again.dialled.size();
  again.up();
  again.down();
  again.pass(4s);
  CHECK(again.dialled.size() == before);
}

TEST_CASE("an SN that does not do its part is left") {
  SUBCASE("it answers nonsense") {
    session_rig rig;
    rig.instead = [](const request& to) {
      return to.method == "eth_chainId" ? json::value(json::object{{"result", "0x0"}}) : json::value();
    };
    rig.up();
    rig.serve();
    CHECK(rig.hung_up.size() == 1);
    CHECK(rig.machine.status().find("does not answer as an SN does") != std::string::npos);
  }
  SUBCASE("it is silent") {
    session_rig rig;
    rig.get_ready();
    rig.pass(session_machine::silence_max - 1ms);
    CHECK(rig.machine.connected());
    rig.pass(1ms);
    CHECK_FALSE(rig.machine.connected());
    CHECK(rig.hung_up.size() == 1);
  }
  SUBCASE("it says much, but answers nothing") {
    session_rig rig;
    rig.get_ready();
    std::size_t most = 0;
    for (int i = 0; i < 120 && rig.hung_up.empty(); ++i) {
      rig.notify();
      rig.pass(1s);
      most = std::max(most, rig.machine.requests_open());
    }
    CHECK(rig.hung_up.size() == 1);
    CHECK(most < 50);
  }
  SUBCASE("it is dialled and nothing happens") {
    session_rig rig;
    rig.pass(session_machine::connect_max);
    CHECK(rig.hung_up.size() == 1);
    rig.up(); // too late
    CHECK_FALSE(rig.machine.connected());
  }
  SUBCASE("it does not register the node") {
    session_rig rig(options_of(1, {"other:2"}));
    rig.instead = [](const request& to) {
      return to.method == "eth_sendRawTransactionSync"
                 ? json::value(json::object{{"error", error_of(-32000, "refused")}})
                 : json::value();
    };
    for (int i = 0; i < 3; ++i) {
      rig.up();
      rig.serve();
      CHECK(rig.said("the SN refuses this node's registration"));
      rig.pass(11s);
    }
    CHECK(rig.dialled.back().endpoint == "other:2");
  }
}

TEST_CASE("an SN of another network is not taken in place of a node's own") {
  session_rig rig(options_of(1, {"other:2"}));
  rig.get_ready();
  hold_txns(rig);
  rig.submit(1);
  const auto under_way = rig.txns().back();
  for (int i = 0; i < 3; ++i) {
    rig.down();
    rig.pass(11s);
  }
  REQUIRE(rig.dialled.back().endpoint == "other:2");
  rig.genesis = '2';
  const auto sent = rig.txns().size();
  rig.up();
  rig.serve();
  CHECK(rig.txns().size() == sent); // it gets nothing that is signed
  CHECK(rig.said("other:2: it belongs to another network"));
  CHECK(rig.done[1].empty());
  rig.pass(11s);
  CHECK(rig.dialled.back().endpoint == "own:1");
  rig.genesis = '1';
  rig.up();
  rig.serve();
  CHECK(rig.txns().at(sent) == under_way);
}

TEST_CASE("a node's own SN may have another chain; what was meant for the old one is over") {
  for (const bool other_chain : {false, true}) {
    session_rig rig;
    rig.txn_count = 5;
    rig.get_ready();
    hold_txns(rig);
    rig.submit(1);
    rig.down();
    rig.pass(11s);
    rig.txn_count = 0; // e.g. restored from a backup
    if (other_chain) rig.genesis = '2';
    rig.instead = [](const request&) { return json::value(); };
    rig.get_ready();
    REQUIRE(rig.done[1].size() == 1);
    CHECK(rig.done[1][0].error().is(errc::conflict));
    CHECK(rig.machine.registered());
  }
}

TEST_CASE("calls wait for a connection, a bounded number of them, and are all done in the end") {
  session_rig rig;
  const auto many = session_machine::waiting_max + 10;
  for (std::uint64_t i = 0; i < many; ++i)
    rig.submit(i);
  CHECK(rig.done.size() == 10);
  CHECK(rig.done[session_machine::waiting_max][0].error().is(errc::unavailable));
  hold_txns(rig);
  rig.get_ready();
  rig.respond(rig.asked_for("eth_sendRawTransactionSync").at(0), receipt());
  CHECK(rig.machine.txns_open() == session_machine::txns_max);
  CHECK(rig.machine.calls_open() == session_machine::waiting_max);
  rig.instead = [](const request&) { return json::value(); };
  for (const auto& each : rig.asked_for("eth_sendRawTransactionSync"))
    rig.respond(each, receipt());
  rig.serve();
  CHECK(rig.done.size() == many);
  for (const auto& [id, outcomes] : rig.done)
    CHECK(outcomes.size() == 1);
  CHECK(rig.machine.calls_open() == 0);
}

} // namespace session_session_machine_test
