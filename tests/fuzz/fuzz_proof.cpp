// What an auditor gets from somebody it does not trust: proof files, and trie nodes under their true hash.
#include "actors/sn/proofs/proof_json.hpp"
#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"
#include "ledger/state/trie.hpp"

#include <boost/json.hpp>

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  if (const auto proof = proofs::read_proof(as_text(raw)); proof) {
    (void)contracts::verify_merge_proof(*proof, {{}, proof->chain.genesis_hash});
    if (!proofs::read_proof(boost::json::serialize(proofs::to_json(*proof)))) __builtin_trap();
  }
  const std::vector<bytes> nodes{to_bytes(raw)};
  for (const std::uint64_t index : {0, 1, 300})
    (void)ledger::verify_proof(keccak256(raw), ledger::rlp_number(index), nodes);
  return 0;
}
