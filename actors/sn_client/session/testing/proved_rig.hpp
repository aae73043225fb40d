#pragma once

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "actors/sn_client/session/testing/session_rig.hpp"
#include "base/hash.hpp"
#include "contracts/registry/client.hpp"

#include <doctest/doctest.h>

/// A session with SNs that answer from a real chain, for tests.
namespace swarm::session::test {

using rpc::test::rpc_node;
using rpc::test::test_key;

inline session_options proving(std::optional<hash32> genesis = {}) {
  auto out = options_of(1, {"b:2"});
  out.trust = trust_options{genesis, "the file"};
  return out;
}

/// A session with SNs that answer from a real chain, as far as they do not lie.
struct proved_rig {
  rpc_node sn;
  session_rig rig;
  /// Changes the true answer.
  std::function<void(const request&, json::object&)> lie = [](const request&, json::object&) {};
  std::string liar = "own:1";              ///< who does
  std::vector<std::uint8_t> sealers = {1}; ///< of blocks with transactions of this node

  explicit proved_rig(std::optional<hash32> genesis = {}, bool pin_right = false)
      : rig(proving(pin_right ? std::optional(sn.chain->genesis_hash()) : genesis)) {
    rig.instead = [this](const request& to) -> json::value {
      auto fields = answer_of(sn, to, sealers);
      if (to.method == "swarm_apiEndpoints") fields["result"] = json::array{"b:2"};
      if (to.method == "swarm_validatorSigns") fields["result"] = json::array{sign_of(1, head())};
      if (rig.dialled.back().endpoint == liar) lie(to, fields);
      return fields;
    };
  }

  std::uint64_t head() const { return sn.chain->head()->header.block_num; }
  /// A sign of life by this key, who signed it `ago` milliseconds ago.
  json::value sign_of(std::uint8_t key, std::uint64_t head, std::uint64_t ago = 0) const {
    return json::value(to_hex(ledger::encode_sign_of_life(rig.unix_ms - ago, head, {}, test_key(key),
                                                          sn.chain->chain_id(), sn.chain->genesis_hash())));
  }

  static json::object answer_of(rpc_node& from, const request& to,
                                const std::vector<std::uint8_t>& by = {1}) {
    if (to.method == "eth_sendRawTransactionSync") {
      const auto raw = *from_hex(std::string_view(to.params.at(0).as_string()));
      if (!*from.chain->window()->view()->find_txn(keccak256(raw))) {
        from.chain->submit(raw).value();
        seal(from, by);
      }
      auto all =
          from.call("eth_getTransactionReceipt", fmt::format(R"(["{}"])", to_hex(keccak256(raw).view())));
      return {{"result", all["result"]}};
    }
    auto all = from.call(to.method, json::serialize(to.params));
    json::object out;
    for (const auto* each : {"result", "error"})
      if (all.contains(each)) out[each] = all[each];
    return out;
  }
  /// A call of the registry by somebody else, in a block that these validators seal.
  static void send(rpc_node& at, std::uint8_t key, bytes input, const std::vector<std::uint8_t>& by = {1}) {
    ledger::txn_fields fields;
    fields.nonce = *at.chain->window()->pending_nonce(test_key(key).account());
    fields.gas_limit = 5'000'000;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    at.submit(*ledger::make_signed(fields, test_key(key), at.chain->chain_id()));
    seal(at, by);
  }
  static void seal(rpc_node& at, const std::vector<std::uint8_t>& by) {
    const auto made = at.chain->build_block(0, at.chain->genesis().validators.front(), 1000).value();
    const auto digest =
        ledger::seal_digest(at.chain->chain_id(), at.chain->genesis_hash(), made->block->hash, 0);
    ledger::seal_record seals;
    for (const auto each : by)
      seals.seals.push_back({test_key(each).sign_recoverable(digest)});
    REQUIRE(at.chain->commit(made, seals));
  }
  static bytes registration(std::uint8_t key, contracts::node_type type) {
    hash32 fingerprint;
    fingerprint[0] = key;
    return contracts::encode_register_node(
        {.type = type, .identity = fingerprint, .name = fmt::format("node-{}", key), .endpoint = "host:1"});
  }
  void register_node(std::uint8_t key, const std::vector<std::uint8_t>& by = {1}) {
    send(sn, key, registration(key, contracts::node_type::sl), by);
  }
  /// Keys 2 and 3 become validators beside key 1.
  void take_in_two_validators() {
    for (const std::uint8_t key : {2, 3}) {
      send(sn, key, registration(key, contracts::node_type::sn));
      send(sn, 1, contracts::encode_propose_validator_vote(test_key(key).account(), true));
    }
    REQUIRE(sn.chain->validators_after(sn.chain->head()->header.block_num)->size() == 3);
  }
  /// One of them leaves again; of two members the first is the only validator. The head is the block that says so.
  void take_back_two_validators() {
    for (const std::uint8_t voter : {1, 2})
      send(sn, voter, contracts::encode_propose_validator_vote(test_key(3).account(), false), {2, 3});
    REQUIRE(sn.chain->validators_after(head())->size() == 1);
  }
  void ask_count(std::uint64_t id) {
    rig.step(event::ask{id, {eth_call(contracts::node_registry_address(), contracts::encode_node_count())}});
  }
  /// How many nodes there are, as the answer to question `id` says.
  std::uint64_t count(std::uint64_t id) {
    const auto& answers = rig.answers.at(id);
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0]);
    return *contracts::decode_node_count(*output_of(answers[0]->at(0)));
  }
  const std::string& talks_to() const { return rig.dialled.back().endpoint; }
  /// Dials on whenever the machine wants to, for a while.
  void go_on(duration span = 30s) {
    const auto until = rig.now + span;
    while (rig.now < until) {
      rig.pass(250ms);
      if (!rig.machine.connected()) rig.up();
      rig.serve();
    }
  }
};

/// The result as bytes, changed.
inline void change(json::object& fields, const std::function<void(bytes&)>& how) {
  auto raw = *from_hex(std::string_view(fields["result"].as_string()));
  how(raw);
  fields["result"] = to_hex(raw);
}
inline void change_proof(json::object& fields, const std::function<void(ledger::proved_calls&)>& how) {
  change(fields, [&](bytes& raw) {
    auto item = *ledger::decode_proved_calls(raw);
    how(item);
    raw = ledger::encode_proved_calls(item);
  });
}

} // namespace swarm::session::test
