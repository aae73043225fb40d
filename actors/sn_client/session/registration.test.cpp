// How a node of an organisation becomes a member, and says so when something about it changes.
#include "actors/sn_client/session/testing/session_rig.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/organisations/client.hpp"

#include <doctest/doctest.h>

namespace registration_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

constexpr contracts::organisation_id ours = 3;

hash32 word(std::uint8_t number) {
  hash32 out;
  out[31] = number;
  return out;
}

/// A rig whose node has a certificate, and what the chain says of it.
struct stage {
  contracts::node_view known;
  contracts::pending_view waits;
  contracts::organisation_id owner = ours; ///< of the node's anchor
  session_rig rig{options()};

  /// The end of the node's certificate.
  static std::uint64_t& until() {
    static std::uint64_t second = 99;
    return second;
  }
  static session_options options() {
    auto out = options_of();
    out.registration->identity = word(1);
    out.anchor = word(9);
    out.prove = [](const auto& chain, const transport::registration_claim& claim) {
      CHECK(chain.chain_id == 7);
      auto proved = claim;
      proved.expiry = until();
      return result<transport::proved_claim>({proved, {1, 2, 3}});
    };
    return out;
  }

  stage() {
    rig.instead = [this](const request& to) {
      if (to.method != "eth_call") return json::value();
      const auto input = to.params.at(0).at("input").as_string();
      const auto is = [&](const bytes& call) { return std::string_view(input) == to_hex(call); };
      const auto account = options_of().key->account();
      if (is(contracts::encode_node(account))) return answer(known);
      if (is(contracts::encode(contracts::pending_of_args{account}))) return answer(waits);
      if (is(contracts::encode(contracts::anchor_owner_args{word(9)}))) return answer(owner);
      FAIL("an unknown call");
      return json::value();
    };
  }
  template <class Value>
  static json::value answer(const Value& value) {
    return json::object{{"result", to_hex(contracts::abi::encode_answer(value))}};
  }

  /// The chain has the node's last registration, which waits for vouches.
  void wait_for_vouches() {
    const auto args = registered();
    waits.statement = contracts::statement_of(options_of().key->account(), args);
    known.account = waits.statement.account;
    known.pending = true;
    known.sequence = args.sequence;
  }
  /// Others have vouched for it.
  void admit() {
    const auto args = registered();
    known = {};
    known.account = options_of().key->account();
    known.type = args.type;
    known.active = true;
    known.organisation = args.organisation;
    known.identity = args.identity;
    known.sequence = args.sequence;
    known.name = args.name;
    known.endpoint = args.endpoint;
    known.expiry = args.expiry;
    waits = {};
  }
  /// The node has registered and others have vouched for it while it was away: it is a member when it is back.
  void come_back_registered() {
    rig.up();
    rig.serve();
    admit();
    rig.down();
    rig.pass(1s);
    rig.up();
    rig.serve();
    REQUIRE(rig.machine.registered());
  }
  contracts::register_node_args registered() const {
    const auto txn = ledger::transaction::decode(*from_hex(rig.txns().back()), 7);
    return contracts::decode_registration(txn->fields().to, txn->fields().data).value();
  }
};

} // namespace

TEST_CASE("a node registers for the organisation of its anchor, and is a member once others have vouched") {
  stage s;
  s.rig.submit(1);
  s.rig.up();
  s.rig.serve();
  REQUIRE(s.rig.txns().size() == 1);
  CHECK(s.registered().organisation == ours);
  CHECK(s.registered().identity == word(1));
  CHECK(s.registered().expiry == 99);
  CHECK(s.registered().sequence == 1);
  CHECK(s.registered().proof == bytes{1, 2, 3});
  CHECK_FALSE(s.rig.machine.registered());
}

TEST_CASE("while a node waits for vouches it sends nothing else, looks ever more seldom, and says so") {
  stage s;
  auto answers = s.rig.instead;
  s.rig.instead = [&](const request& to) {
    if (to.method == "eth_sendRawTransactionSync" && s.rig.txns().size() == 1) s.wait_for_vouches();
    return answers(to);
  };
  s.rig.submit(1);
  s.rig.up();
  s.rig.serve();
  CHECK_FALSE(s.rig.machine.registered());
  CHECK(s.rig.machine.status() == "connected to own:1, registering");
  for (int i = 0; i < 20; ++i) {
    s.rig.pass(1s);
    s.rig.serve();
  }
  CHECK(s.rig.said("waits until other organisations vouch for it"));
  CHECK(s.rig.machine.status().find("waiting until other organisations vouch") != std::string::npos);
  CHECK(s.rig.txns().size() == 1);
  CHECK(s.rig.asked_for("eth_call").size() < 75); // three each time: 8 times in the first 4 s, then every 2 s
  s.admit();
  s.rig.pass(session_machine::standing_wait_longest);
  s.rig.serve();
  CHECK(s.rig.machine.registered());
  CHECK(s.rig.txns().size() == 2); // the call that waited
  CHECK(s.rig.done[1].size() == 1);
}

TEST_CASE(
    "an SN that takes a registration and knows nothing of it is asked no faster than one that refuses it") {
  stage s;
  for (int i = 0; i < 100; ++i) {
    s.rig.up();
    s.rig.serve();
    s.rig.pass(100ms);
  }
  CHECK(s.rig.txns().size() < 10);
}

TEST_CASE("what waits is registered in the same words, with the same number") {
  stage s;
  s.known.account = s.waits.statement.account = options_of().key->account();
  s.known.pending = true;
  s.known.sequence = s.waits.statement.sequence = 5;
  s.waits.statement.organisation = ours;
  s.waits.statement.identity = word(1);
  s.rig.up();
  s.rig.serve();
  REQUIRE(s.rig.txns().size() == 1);
  CHECK(s.registered().sequence == 5);
}

TEST_CASE("a member with another name keeps its number, one that was removed needs a higher one") {
  stage s;
  s.known.account = options_of().key->account();
  s.known.organisation = ours;
  s.known.identity = word(1);
  s.known.sequence = 5;
  SUBCASE("another name") {
    s.known.active = true;
    s.rig.up();
    s.rig.serve();
    CHECK(s.registered().sequence == 5);
    CHECK(s.rig.machine.registered());
  }
  SUBCASE("removed") {
    s.rig.up();
    s.rig.serve();
    CHECK(s.registered().sequence == 6);
  }
  SUBCASE("another organisation has its CA by now") {
    s.known.active = true;
    s.owner = 4;
    s.known.name = "old";
    s.rig.up();
    s.rig.serve();
    CHECK(s.registered().sequence == 6);
    CHECK(s.registered().organisation == 4);
  }
}

TEST_CASE("a renewed certificate is registered once, with the next number, while the node goes on") {
  stage s;
  s.come_back_registered();
  const auto before = s.rig.txns().size();
  s.rig.step(event::renewed{word(2), word(9)});
  s.rig.up();
  s.rig.serve();
  REQUIRE(s.rig.machine.registered()); // without waiting for vouches
  REQUIRE(s.rig.txns().size() == before + 1);
  CHECK(s.registered().identity == word(2));
  CHECK(s.registered().sequence == 2);
  s.waits.statement = contracts::statement_of(options_of().key->account(), s.registered());
  s.rig.step(event::renewed{word(2), word(9)});
  s.rig.serve();
  s.rig.submit(1);
  s.rig.serve();
  CHECK(s.rig.machine.registered());
  CHECK(s.rig.done[1].size() == 1);
  CHECK(s.rig.txns().size() == before + 2);
  s.rig.step(event::renewed{word(4), word(9)}); // and again, before others have vouched
  s.rig.up();
  s.rig.serve();
  CHECK(s.registered().identity == word(4));
  CHECK(s.registered().sequence == 3);
}

TEST_CASE("a later end of the same identity is registered in time, over the connection that there is") {
  stage s;
  const auto now = s.rig.unix_ms / 1000;
  s.until() = now + 100;
  s.come_back_registered();
  const auto before = s.rig.txns().size();
  const auto reconnects = s.rig.machine.reconnects();
  s.until() = now + 150;
  s.rig.step(event::renewed{word(1), word(9), s.until()});
  s.rig.serve();
  CHECK(s.rig.txns().size() == before); // most of its time is left
  s.until() = now + 300;
  s.rig.step(event::renewed{word(1), word(9), s.until()});
  s.rig.serve();
  REQUIRE(s.rig.txns().size() == before + 1);
  CHECK(s.registered().identity == word(1));
  CHECK(s.registered().expiry == now + 300);
  CHECK(s.registered().sequence == 2);
  CHECK(s.rig.machine.registered());
  CHECK(s.rig.machine.reconnects() == reconnects);
  s.until() = 99;
}

} // namespace registration_test
