#include "actors/sn/proofs/make_proof.hpp"
#include "actors/sn/proofs/proof_json.hpp"
#include "actors/sn/proofs/validator_changes.hpp"
#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/reader.hpp"
#include "ledger/proof/trust_chain.hpp"
#include "ledger/proof/witness.hpp"

namespace swarm::rpc {

namespace json = boost::json;

method_result reader::proof(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  std::vector<hash32> slots;
  if (given.has(1)) {
    SWARM_TRY(const auto keys, given.texts(1, "storage keys", proof_slots_max));
    for (const auto& key : keys) {
      SWARM_TRY(const auto slot, parse_slot(key));
      slots.push_back(slot);
    }
  }
  SWARM_TRY(const auto num, state_of(given, 2));
  work_ += cost::proof * (1 + slots.size());
  SWARM_TRY(const auto proof, view_->prove(who, slots, num));
  return json::value(proof_json(who, proof));
}

/// [contract, round, generation]: the proof of a merge, as in a proof file; without a generation the latest.
method_result reader::prove_merge(const params& given, const caller&) {
  SWARM_TRY(const auto contract, given.text(0, "contract"));
  SWARM_TRY(const auto round_num, given.count(1, "round"));
  std::optional<std::uint64_t> generation;
  if (given.has(2)) {
    SWARM_TRY(generation, given.count(2, "generation"));
  }
  work_ += cost::log_proof;
  const auto made = proofs::make_proof(*view_, contract, round_num, generation);
  if (!made && made.error().is(errc::not_found))
    return fail(rpc_errc::invalid_params, "{}", made.error().message);
  if (!made) return tl::unexpected<failure>(made.error());
  work_ += cost::log_proof * made->models.size();
  auto out = proofs::to_json(*made);
  const auto size = json::serialize(out).size();
  if (size > merge_proof_bytes_max)
    return fail(rpc_errc::answer_too_large,
                "the proof has {} bytes, more than the {} of an answer: swarm-inspect proof writes it on the "
                "SN's host",
                size, merge_proof_bytes_max);
  return json::value(std::move(out));
}

/// [[call ...], block, witness id]: what it takes to execute these calls without the chain, but for what the
/// witness with this id has, if there is one (ledger/proof/witness.hpp).
method_result reader::proved_call(const params& given, const caller& from) {
  SWARM_TRY(const auto* list, given.list(0, "calls", ledger::witness_calls_max));
  std::vector<ledger::call_request> requests;
  const params calls(*list);
  for (std::size_t i = 0; i < list->size(); ++i) {
    SWARM_TRY(requests.emplace_back(), calls.call(i));
  }
  SWARM_TRY(const auto num, state_of(given, 1));
  std::shared_ptr<const ledger::witness_set> has;
  if (given.has(2)) {
    SWARM_TRY(const auto id, given.hash(2, "witness id"));
    has = witnesses_.find(id);
  }
  SWARM_TRY(const auto wanted, view_->witness_of(requests, num));
  // All nodes of a training ask for the same at the same block.
  if (const auto known = witnesses_.find(wanted)) {
    SWARM_TRY(const auto shown, view_->show(*known, num, has.get()));
    work_ += known->sizes.size() / cost::trie_nodes_per_unit;
    return json::value(hex_data(ledger::encode_proved_calls(shown)));
  }
  SWARM_TRY(auto done, view_->prove_calls(requests, num, has.get()));
  work_ += done.gas_used / cost::gas_per_unit + done.shown.nodes.size() / cost::trie_nodes_per_unit;
  if (!from.may_read || from.may_read()) witnesses_.keep(std::move(done.read)); // no place for strangers
  return json::value(hex_data(ledger::encode_proved_calls(done.shown)));
}

/// [transaction hash]: what shows how it ended (ledger/proof/receipt_proof.hpp); null: it is not final.
method_result reader::proved_receipt(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, view_->find_txn(hash));
  if (!place) return unknown_txn(hash);
  SWARM_TRY(const auto made, receipts_.prove(*view_, *place));
  work_ += cost::receipt_proof + made.entries / cost::proved_txns_per_unit;
  return json::value(hex_data(ledger::encode_receipt_proof(made.proof)));
}

/// [block]: the blocks after this one that changed the validators, oldest first; without a block all, and the
/// genesis block before them. Who gets as many as there may be in an answer asks again from the last one on.
method_result reader::validator_changes(const params& given, const caller&) {
  std::optional<std::uint64_t> after;
  if (given.has(0)) {
    SWARM_TRY(after, given.number(0, "block"));
  }
  SWARM_TRY(const auto found, proofs::validator_changes(*view_, after, validator_changes_max));
  json::array out;
  for (const auto& each : found) {
    work_ += cost::proof * (2 + each.proof.members.size());
    out.emplace_back(hex_data(ledger::encode_handover(each)));
  }
  return json::value(std::move(out));
}

} // namespace swarm::rpc
