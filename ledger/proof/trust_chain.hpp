#pragma once

#include "ledger/proof/trust.hpp"

namespace swarm::ledger {

/// What a node trusts of a chain before it asks anybody: its own head, or the genesis block.
struct trusted_block {
  std::uint64_t block_num = 0;
  std::vector<address> validators; ///< by the state after it: they seal the block that follows
};

/// Follows the validators of a chain from a trusted block to one near its head without the blocks in
/// between: from one block that changed them to the next, each sealed by a quorum of those before it and
/// proving its own against its state root; at last to the pivot, whose state proves that the last set is
/// still it. No I/O.
///
/// What it rests on: a quorum of every set on the way was honest, and stays so. Whoever holds the keys of a
/// quorum of a former set can seal another chain from there on, and this class accepts it if it sees nothing
/// else (weak subjectivity). So several neighbors are asked, and answers that contradict each other are refused.
class trust_chain {
public:
  trust_chain(const chain_identity& of, trusted_block from);

  /// The next block that changed the validators; nothing has happened on an error (proof_errc, seal_errc).
  result<> follow(const handover& next);
  /// Checks that `pivot` comes after everything followed, is sealed by the validators in force, and that its
  /// state has the same ones. Returns its header.
  result<block_header> arrive(const handover& pivot) const;

  /// The last block followed, at first the trusted one.
  std::uint64_t reached() const { return reached_; }
  const std::vector<address>& validators() const { return validators_; }

private:
  chain_identity of_;
  std::uint64_t reached_;
  std::vector<address> validators_;
};

/// rlp[header, seals, [account node ...], [count node ...], [[member node ...] ...]], everything in strings.
bytes encode_handover(const handover& item);
result<handover> decode_handover(bytes_view raw);

} // namespace swarm::ledger
