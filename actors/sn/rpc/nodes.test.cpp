#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "ledger/formats/sign_of_life.hpp"

#include <doctest/doctest.h>

namespace nodes_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;

namespace {

/// Registers a node with its key's own transaction.
void add_node(rpc_node& node, const ledger::private_key& key, contracts::node_type type,
              const std::string& name) {
  ledger::txn_fields fields{.gas_limit = 10'000'000, .to = contracts::node_registry_address()};
  fields.data = contracts::encode_register_node({type, 0, word(77), 0, 0, {}, name, "127.0.0.1:30305", {}});
  node.submit(*ledger::make_signed(fields, key, ledger::default_chain_id));
  REQUIRE(node.seal()->outcomes.at(0).consensus.ok);
}

std::string sign(const rpc_node& node, const ledger::private_key& key, std::uint64_t serial,
                 const std::string& endpoint = {}) {
  const auto raw = ledger::encode_sign_of_life(serial, 0, endpoint, key, node.chain->chain_id(),
                                               node.chain->genesis_hash());
  return "[" + in_quotes(to_hex(raw)) + "]";
}

} // namespace

TEST_CASE("registered nodes are alive while they sign that they are") {
  rpc_node node;
  const auto& news = node.served->signs;
  CHECK(node.text("swarm_nodes") == "[]");
  const auto key = test_key(5);
  add_node(node, key, contracts::node_type::sl, "sl-1");
  const auto account = "[" + in_quotes(hex(key.account())) + "]";
  const auto listed = node.value("swarm_nodes").as_array();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("name") == "sl-1");
  CHECK(listed[0].at("type") == "SL");
  CHECK(listed[0].at("endpoint") == "127.0.0.1:30305");
  CHECK(listed[0].at("active") == true);
  CHECK(node.text("swarm_silentNodes") == "[]");
  node.pass(liveness::silent_after + std::chrono::milliseconds(1));
  CHECK(node.text("swarm_silentNodes") == account);
  CHECK(node.value("swarm_nodes").at(0).at("silentMs") == 10'001);

  CHECK(node.text("swarm_heartbeat", sign(node, key, 7)) == R"("0x0")");
  CHECK(node.text("swarm_silentNodes") == "[]");
  CHECK(news.size() == 1);
  node.pass(liveness::silent_after + std::chrono::milliseconds(1));
  // Old and repeated signs have no effect; the answer tells from which serial to go on.
  CHECK(node.text("swarm_heartbeat", sign(node, key, 7)) == R"("0x7")");
  CHECK(node.text("swarm_heartbeat", sign(node, key, 6)) == R"("0x7")");
  CHECK(node.text("swarm_silentNodes") == account);
  const auto silences = node.served->silences(node.now, 10);
  REQUIRE(silences.size() == 1);
  CHECK(silences[0].name == "sl-1");
  CHECK(silences[0].lasts > liveness::silent_after);
  CHECK(node.served->silences(node.now, 0).empty());
  // Signs of strangers have no effect either, and strangers are not remembered.
  CHECK(node.text("swarm_heartbeat", sign(node, test_key(6), 8)) == R"("0x0")");
  CHECK(node.text("swarm_silentNodes") == account);
  CHECK(news.size() == 1);
  CHECK(node.error("swarm_heartbeat", "[\"0xc0\"]").starts_with("-32602 sign of life"));
  CHECK(node.text("swarm_heartbeat", sign(node, key, 8)) == R"("0x7")");
  CHECK(node.text("swarm_silentNodes") == "[]");
}

TEST_CASE("nobody is to wait for who is no member any more, whatever it says of itself") {
  rpc_node node;
  const auto key = test_key(5);
  add_node(node, key, contracts::node_type::sl, "sl-1");
  CHECK(node.text("swarm_heartbeat", sign(node, key, 1)) == R"("0x0")");
  CHECK(node.text("swarm_silentNodes") == "[]");
  ledger::txn_fields leaves{.nonce = 1, .gas_limit = 10'000'000, .to = contracts::node_registry_address()};
  leaves.data = contracts::encode_leave_node();
  node.submit(*ledger::make_signed(leaves, key, ledger::default_chain_id));
  REQUIRE(node.seal()->outcomes.at(0).consensus.ok);
  node.value("swarm_heartbeat", sign(node, key, 2));
  CHECK(node.text("swarm_silentNodes") == "[" + in_quotes(hex(key.account())) + "]");
}

TEST_CASE("the JSON-RPC servers of SNs that are alive are told") {
  rpc_node node;
  const auto key = test_key(5);
  add_node(node, key, contracts::node_type::sn, "sn-1");
  add_node(node, test_key(6), contracts::node_type::sn, "sn-2");
  CHECK(node.text("swarm_apiEndpoints") == "[]");
  const auto raw = from_hex(std::string(json::parse(sign(node, key, 1, "sn-1:30304")).at(0).as_string()));
  CHECK(node.served->front().take_sign(*raw, node.now)->news);
  CHECK(node.text("swarm_apiEndpoints") == R"(["sn-1:30304"])");
  node.pass(liveness::silent_after + std::chrono::milliseconds(1));
  CHECK(node.text("swarm_apiEndpoints") == "[]");
  CHECK(node.text("swarm_silentNodes") == "[]"); // is about those who train
}

} // namespace nodes_test
