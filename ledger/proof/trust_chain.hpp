#pragma once

#include "ledger/proof/trust.hpp"

namespace swarm::ledger {

/// What a node trusts of a chain before it asks anybody: its own head, or the genesis block.
struct trusted_block {
  std::uint64_t block_num = 0;
  std::vector<address> validators; ///< by the state after it: they seal the block that follows
};

/// Follows the validators of a chain from a trusted block to one near its head, the pivot, without the blocks
/// in between. It goes from one block that changed the validators to the next: each is sealed by a quorum of
/// the validators before it and proves the new ones against its state root. The pivot's state proves that the
/// last set is still in force. No I/O.
///
/// It trusts that a quorum of every set on the way was honest and stays so. Whoever holds the keys of a
/// quorum of a former set can seal another chain from there on, and this class accepts that chain if it
/// sees no other (weak subjectivity). So several neighbors are asked, and answers that contradict each
/// other are refused.
class trust_chain {
public:
  trust_chain(const chain_identity& of, trusted_block from);

  /// Takes the next block that changed the validators. On an error (proof_errc, seal_errc) nothing changes.
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
