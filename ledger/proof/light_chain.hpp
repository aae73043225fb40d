#pragma once

#include "ledger/proof/trust_chain.hpp"

namespace swarm::ledger {

/// What a node without a chain knows of one, by proofs alone: who the validators are, from the genesis block
/// on, and the highest block that it has seen. It never goes back below that one. No I/O; what it trusts is
/// what `trust_chain` trusts.
class light_chain {
public:
  static constexpr std::size_t former_sets_max = 16;

  /// Begins with the genesis block of that chain, and the validators in its state.
  static result<light_chain> begin(const chain_identity& of, const handover& genesis);

  /// Takes the next block that changed the validators. On an error nothing changes.
  result<> follow(const handover& next);
  /// The header of a block that is final on this chain and not below any seen before. Errors are those of the
  /// seals (another set may have sealed it: follow its change first), proof_errc::old_head for a block below
  /// the highest, proof_errc::fork for two final blocks of one number, and those of the header.
  result<block_header> open(const sealed_header& block);
  /// The same for a block that may be below the highest, as one that has a transaction of this node. Of validators that
  /// are not in force any more it knows the last `former_sets_max`; proof_errc::old_head: it does not know who sealed
  /// the block.
  result<block_header> open_past(const sealed_header& block);

  const chain_identity& identity() const { return of_; }
  /// The last block that changed the validators, as far as this node has followed.
  std::uint64_t reached() const { return trust_.reached(); }
  std::uint64_t head() const { return head_.block_num; }
  const std::vector<address>& validators() const { return trust_.validators(); }

private:
  light_chain(const chain_identity& of, block_header genesis, std::vector<address> validators);
  /// That no other block with the number of the head is final, when this one is.
  result<> no_fork(std::uint64_t block_num, const hash32& hash) const;

  chain_identity of_;
  trust_chain trust_;
  std::map<std::uint64_t, std::vector<address>> former_; ///< validators, by the block that brought them
  block_header head_;                                    ///< the highest block seen
  hash32 head_hash_;
};

} // namespace swarm::ledger
