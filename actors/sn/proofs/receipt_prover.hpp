#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/proof/receipt_proof.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::proofs {

/// Proves how transactions ended. The tries of the last block are kept, since those whose transactions are in one block
/// ask at the same time. One thread at a time may use it.
class receipt_prover {
public:
  struct made {
    ledger::receipt_proof proof;
    std::size_t entries = 0; ///< of tries that had to be made for it
  };
  /// Errors are those of reading the chain.
  result<made> prove(const ledger::chain_view& chain, const ledger::txn_place& at);

private:
  /// The tries of a block, and their nodes.
  struct block_tries {
    explicit block_tries(const ledger::executed_block& of);

    hash32 block;
    ledger::trie_store nodes;
    ledger::trie txns, receipts;
  };
  std::unique_ptr<const block_tries> last_;
};

} // namespace swarm::proofs
