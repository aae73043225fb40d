#include "actors/sn_client/session/testing/proved_rig.hpp"
#include "ledger/proof/receipt_proof.hpp"

#include <doctest/doctest.h>

namespace receipts_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

/// A node that is registered, and whose call fails or succeeds in truth.
struct calling_rig : proved_rig {
  calling_rig() : proved_rig({}, true) {
    rig.get_ready();
    REQUIRE(rig.machine.registered());
  }
  void call(std::uint64_t id, bool fails) {
    rig.step(event::submit{id, contracts::node_registry_address(),
                           fails ? bytes{1, 2, 3, 4} : contracts::encode_leave_node(), "leave"});
    rig.serve();
  }
  const result<call_receipt>& outcome(std::uint64_t id) {
    REQUIRE(rig.done[id].size() == 1);
    return rig.done[id][0];
  }
};

void claim(const request& to, json::object& fields, std::string_view status) {
  if (to.method == "eth_sendRawTransactionSync") fields["result"].as_object()["status"] = status;
}
void change_receipt(const request& to, json::object& fields,
                    const std::function<void(ledger::receipt_proof&)>& how) {
  if (to.method != "swarm_provedReceipt") return;
  change(fields, [&](bytes& raw) {
    auto item = *ledger::decode_receipt_proof(raw);
    how(item);
    raw = ledger::encode_receipt_proof(item);
  });
}

} // namespace

TEST_CASE("how a transaction ended is believed when it is proved, and costs one request more") {
  calling_rig at;
  const auto sent = at.rig.txns().size();
  const auto shown = at.rig.asked_for("swarm_provedReceipt").size();
  CHECK(shown == 0); // what became of its registration a node reads in the contract
  at.call(1, true);
  REQUIRE(at.outcome(1));
  CHECK_FALSE(at.outcome(1)->ok);
  CHECK(at.outcome(1)->block_num == at.head());
  at.call(2, false);
  CHECK(at.outcome(2)->ok);
  CHECK(at.rig.txns().size() == sent + 2);
  CHECK(at.rig.asked_for("swarm_provedReceipt").size() == shown + 2);
  CHECK(at.rig.machine.lies() == 0);
}

TEST_CASE("an SN that lies about how a transaction ended is left, and the next one says it") {
  calling_rig at;
  bool fails = false;
  SUBCASE("it says that it failed") {
    at.lie = [](const request& to, json::object& fields) { claim(to, fields, "0x0"); };
  }
  SUBCASE("it says that it succeeded") {
    fails = true;
    at.lie = [](const request& to, json::object& fields) { claim(to, fields, "0x1"); };
  }
  SUBCASE("it shows another receipt") {
    at.lie = [](const request& to, json::object& fields) {
      claim(to, fields, "0x0");
      change_receipt(to, fields, [](auto& proof) { proof.receipt.back().back() ^= 1; });
    };
  }
  SUBCASE("it shows another transaction") {
    at.lie = [](const request& to, json::object& fields) {
      change_receipt(to, fields, [](auto& proof) { proof.txn.back().back() ^= 1; });
    };
  }
  SUBCASE("it shows no proof") {
    at.lie = [](const request& to, json::object& fields) {
      if (to.method == "swarm_provedReceipt") fields["result"] = "0xc0";
    };
  }
  at.call(1, fails);
  CHECK(at.rig.done[1].empty());
  CHECK(at.rig.said("LIES"));
  CHECK(at.rig.machine.lies() == 1);
  at.go_on(10s);
  CHECK(at.talks_to() == "b:2");
  REQUIRE(at.outcome(1));
  CHECK(at.outcome(1)->ok == !fails);
}

TEST_CASE("seals that nobody can check are no proof: the caller hears that nothing is known") {
  calling_rig at;
  at.lie = [](const request& to, json::object& fields) {
    change_receipt(to, fields, [](auto& proof) { proof.block.seals.seals.clear(); });
  };
  at.call(1, false);
  CHECK(at.outcome(1).error().is(errc::unavailable));
  CHECK(at.rig.machine.registered());
}

TEST_CASE(
    "a receipt that an SN keeps back is no outcome, and one for which it has no time is asked for again") {
  calling_rig at;
  int times = 2;
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_provedReceipt" && times-- > 0)
      fields = {{"error", error_of(-32005, "rate_limited")}};
  };
  at.call(1, false);
  CHECK(at.rig.done[1].empty());
  at.go_on(2s);
  CHECK(at.outcome(1)->ok);
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_provedReceipt") fields["result"] = nullptr;
  };
  at.call(2, true);
  CHECK(at.outcome(2).error().is(errc::unavailable));
}

TEST_CASE("a receipt in a block that new validators sealed is proved once they are known") {
  calling_rig at;
  at.take_in_two_validators();
  at.register_node(9, {2, 3});
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "eth_sendRawTransactionSync") at.register_node(10, {2, 3}); // above its block
    std::ignore = fields;
  };
  at.sealers = {2, 3};
  at.call(1, false);
  REQUIRE(at.outcome(1));
  CHECK(at.outcome(1)->ok);
  CHECK(at.rig.machine.lies() == 0);
}

} // namespace receipts_test
