#include "actors/sn/membership/network_entry.hpp"

#include "contracts/contracts.hpp"
#include "ledger/chain/chain_rules.hpp"
#include "ledger/chain/genesis.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace network_entry_test {

using namespace swarm;
using membership::read_network_entry;
namespace json = boost::json;

namespace {

ledger::genesis_params params() {
  ledger::genesis_params out;
  out.validators.emplace_back();
  out.validators[0][19] = 1;
  return out;
}

/// What an SN answers.
json::object facts() {
  const auto hash = ledger::genesis_hash_of(params(), contracts::make_contracts()).value();
  return {{"genesis", to_hex(ledger::encode_genesis(params()))},
          {"genesisHash", to_hex(hash.view())},
          {"p2pEndpoints", json::array{"sn-1:30303", 7, "sn-2:30303"}}};
}

std::string answer(json::value result) {
  return json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"result", std::move(result)}});
}

} // namespace

TEST_CASE("the entry of a network is read, and its genesis block made from the parameters") {
  const auto entry = read_network_entry(answer(facts()));
  REQUIRE(entry);
  CHECK(entry->genesis == ledger::encode_genesis(params()));
  CHECK(entry->genesis_hash == entry->own_genesis_hash);
  CHECK(entry->p2p_endpoints == std::vector<std::string>{"sn-1:30303", "sn-2:30303"});

  auto other = facts();
  other["genesisHash"] = to_hex(hash32{}.view());
  const auto foreign = read_network_entry(answer(other));
  REQUIRE(foreign);
  CHECK(foreign->genesis_hash != foreign->own_genesis_hash);
}

TEST_CASE("an answer that is none is an error, never more") {
  CHECK(!read_network_entry(""));
  CHECK(!read_network_entry("[]"));
  CHECK(!read_network_entry(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no chain yet"}})"));
  CHECK(!read_network_entry(answer(7)));
  for (const auto* name : {"genesis", "genesisHash", "p2pEndpoints"}) {
    auto lacking = facts();
    lacking.erase(name);
    CHECK(!read_network_entry(answer(lacking)));
    auto wrong = facts();
    wrong[name] = 1;
    CHECK(!read_network_entry(answer(wrong)));
  }
  for (const auto* name : {"genesis", "genesisHash"})
    for (const auto* value : {"", "0x", "0x00", "nothing"}) {
      auto broken = facts();
      broken[name] = value;
      CHECK(!read_network_entry(answer(broken)));
    }
}

TEST_CASE("parameters of another version are told from what is damaged") {
  auto old = facts();
  old["genesis"] = "0xc102"; // rlp[2]
  CHECK(read_network_entry(answer(old)).error().is(ledger::chain_errc::other_version));
  old["genesis"] = "0xc1c0";
  CHECK(!read_network_entry(answer(old)).error().is(ledger::chain_errc::other_version));
}

TEST_CASE("of very many endpoints only some are kept") {
  auto many = facts();
  many["p2pEndpoints"] = json::array(10'000, "sn:1");
  CHECK(read_network_entry(answer(many))->p2p_endpoints.size() == 256);
}

} // namespace network_entry_test
