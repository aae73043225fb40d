// What an auditor gets from somebody it does not trust: proof files, and trie nodes under their true hash.
#include "actors/sn/proofs/proof_json.hpp"
#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/formats/rlp.hpp"
#include "ledger/proof/witness.hpp"
#include "ledger/state/trie.hpp"

#include <boost/json.hpp>

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  if (const auto proof = proofs::read_proof(as_text(raw)); proof) {
    (void)contracts::verify_merge_proof(*proof, {{}, proof->chain.genesis_hash});
    if (!proofs::read_proof(boost::json::serialize(proofs::to_json(*proof)))) __builtin_trap();
  }
  if (const auto shown = ledger::decode_proved_calls(raw))
    if (const auto header = ledger::open_header(shown->block.header)) {
      static const ledger::contract_table table(contracts::make_contracts());
      const std::vector<ledger::call_request> calls{{.from = {},
                                                     .to = contracts::node_registry_address(),
                                                     .input = {1, 2, 3, 4},
                                                     .value = {},
                                                     .gas_limit = {}}};
      (void)ledger::execute_witnessed(*header, {1, {}}, calls, shown->nodes, table);
    }
  const std::vector<bytes> nodes{to_bytes(raw)};
  for (const std::uint64_t index : {0, 1, 300})
    (void)ledger::verify_proof(keccak256(raw), ledger::rlp_number(index), nodes);
  return 0;
}
