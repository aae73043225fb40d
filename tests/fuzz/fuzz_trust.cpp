// What a node that believes only proofs makes of an SN's: changes of validators, and views with a witness. The first
// byte says which answer is false and how: 'c' and 'v' change bytes of the true one, at places of two bytes each, 'C' and
// 'V' stand before another one. Whatever is accepted is true.
#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "actors/sn_client/session/chain_trust.hpp"
#include "base/assert.hpp"
#include "contracts/registry/client.hpp"

using namespace swarm;
using namespace swarm::rpc::test;

namespace {

/// A chain on which key 2 has become a validator beside keys 1 and 3 and key 9 has registered, and what it says.
struct network {
  rpc_node sn;
  std::map<std::uint8_t, std::uint64_t> nonces;
  std::vector<session::rpc_call> calls;
  std::vector<bytes> changes; ///< of validators, the genesis block first
  bytes views;                ///< that answer `calls`
  std::vector<json::value> truth;

  network() {
    for (const std::uint8_t key : {2, 3}) {
      registers(key, contracts::node_type::sn);
      send(1, contracts::encode_propose_validator_vote(test_key(key).account(), true), {1});
    }
    registers(9, contracts::node_type::sl, {1, 2, 3});
    const auto registry = contracts::node_registry_address();
    calls = {session::eth_call(registry, contracts::encode_node(test_key(9).account())),
             session::eth_call(registry, contracts::encode_node_count()),
             session::eth_call(registry, {1, 2, 3})};
    const auto told = sn.value("swarm_validatorChanges");
    for (const auto& each : told.as_array())
      changes.push_back(*from_hex(std::string_view(each.as_string())));
    const auto asked = session::chain_trust(std::nullopt).to_prove(calls).sent.back();
    views = *from_hex(std::string_view(sn.value(asked.method, json::serialize(asked.params)).as_string()));
    truth = *believe(changes, views);
  }

  void send(std::uint8_t key, bytes input, const std::vector<std::uint8_t>& sealers) {
    ledger::txn_fields fields;
    fields.nonce = nonces[key]++;
    fields.gas_limit = 5'000'000;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    sn.submit(*ledger::make_signed(fields, test_key(key), sn.chain->chain_id()));
    const auto made = sn.chain->build_block(0, sn.chain->genesis().validators.front(), 1000).value();
    const auto digest =
        ledger::seal_digest(sn.chain->chain_id(), sn.chain->genesis_hash(), made->block->hash, 0);
    ledger::seal_record seals;
    for (const auto each : sealers)
      seals.seals.push_back({test_key(each).sign_recoverable(digest)});
    SWARM_ASSERT(sn.chain->commit(made, seals).has_value());
  }
  void registers(std::uint8_t key, contracts::node_type type,
                 const std::vector<std::uint8_t>& sealers = {1}) {
    send(key,
         contracts::encode_register_node(
             {.type = type, .identity = word(key), .name = "node", .endpoint = "host:1"}),
         sealers);
  }
  /// What a node that knows the genesis block believes of such answers.
  result<std::vector<json::value>> believe(const std::vector<bytes>& told, const bytes& shown) const {
    session::chain_trust trust(sn.chain->genesis_hash());
    json::array list;
    for (const auto& each : told)
      list.emplace_back(to_hex(each));
    SWARM_TRY(const auto more, trust.take(sn.chain->chain_id(), json::object{{"result", std::move(list)}}));
    SWARM_ASSERT(more == !told.empty());
    return trust.check(calls, {json::object{{"result", to_hex(shown)}}}, nullptr);
  }
};

/// `truth` with bytes changed, one for each three bytes of `edits`.
bytes edited(bytes truth, bytes_view edits) {
  for (; edits.size() >= 3 && !truth.empty(); edits = edits.subspan(3))
    truth[(std::size_t{edits[0]} * 256 + edits[1]) % truth.size()] ^= edits[2];
  return truth;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const network honest;
  if (size < 2) return 0;
  const bytes_view rest{data + 1, size - 1};
  auto changes = honest.changes;
  auto views = honest.views;
  const auto which = rest[0] % changes.size();
  switch (data[0]) {
  case 'c':
    changes[which] = edited(std::move(changes[which]), rest.subspan(1));
    break;
  case 'C':
    changes[which] = to_bytes(rest.subspan(1));
    break;
  case 'v':
    views = edited(std::move(views), rest);
    break;
  default:
    views = to_bytes(rest);
  }
  const auto believed = honest.believe(changes, views);
  SWARM_ASSERT(!believed || *believed == honest.truth);
  return 0;
}
