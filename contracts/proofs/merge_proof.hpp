#pragma once

#include "contracts/training/interface.hpp"
#include "ledger/proof/log_proof.hpp"

#include <string>

/// Who brought which model to a round and what was merged from them, provable to somebody who trusts no node.
namespace swarm::contracts {

/// Why a merge proof is refused beyond what is wrong with its parts (proof_errc, seal_errc).
enum class merge_proof_errc {
  no_trust = 1, ///< neither validators nor a genesis block are given to trust
  contract,     ///< a log or transaction of another contract
  event,        ///< a log that is not the event it should be
  round,        ///< an event of another generation or round
  claim,        ///< what the proof says is not what the event says
  sender,       ///< a transaction that somebody else signed
  models,       ///< not one model for each peer that the merge names, in that order
  order,    ///< a model that is not revealed before the merge, an attestation or acceptance that is before it
  checkers, ///< not one attestation for each peer that the acceptance names, in that order, and of one attempt
  shards    ///< not all shards of a merge that was put together of some, in order, or other ones
};

constexpr std::string_view error_category(merge_proof_errc) {
  return "merge_proof";
}

/// What one peer brought to the round, and the transaction in which it said so itself.
struct proved_model {
  address peer;
  hash32 digest;
  std::uint64_t size = 0;
  std::uint32_t weightage = 0;
  std::uint64_t base_round = 0;
  std::optional<exclusion_reason> excluded; ///< why it was not merged; none when it was merged
  ledger::log_proof reveal;
};

/// The transaction in which a peer committed a shard of the merge.
struct proved_shard {
  address peer;
  std::uint32_t shard = 0;
  ledger::log_proof commit;
};

/// The transaction in which a peer said that what was dealt to it of the merge is right.
struct proved_attestation {
  address peer;
  ledger::log_proof attest;
};

/// A merge record with everything that is needed to check it.
struct merge_proof {
  ledger::chain_identity chain;
  std::string contract; ///< its name
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  address leader;
  hash32 digest;
  std::uint64_t size = 0;
  ledger::log_proof merge;
  std::vector<proved_shard>
      shards; ///< of which the merge was put together, in order; none: the leader has made it
  std::vector<proved_model> models; ///< contributors, then the excluded, as the leader named them
  ledger::log_proof acceptance;     ///< by which the leader's proposal became the merge of the round
  std::vector<proved_attestation>
      checkers; ///< as the acceptance names them; none: nobody has checked the merge
  std::vector<ledger::sealed_header> blocks; ///< that the logs are in, in any order
  std::vector<ledger::handover> handovers;   ///< from genesis to who sealed the blocks
};

/// Whom an auditor trusts. With a genesis hash the validators of each block follow from the handovers. With
/// given validators, these must have sealed every block that has logs. When both are given, both must hold.
struct merge_trust {
  std::vector<address> validators; ///< distinct; empty when not given
  std::optional<hash32> genesis_hash;
};

/// Where a proved merge stands in the chain.
struct merge_place {
  std::uint64_t block_num = 0;
  std::uint64_t timestamp = 0; ///< as the proposer of the block had it, seconds since 1970
  std::size_t seals = 0;
  std::size_t validators = 0;
};

/// Checks every statement of `proof`. It shows that each peer signed that it brought this model, what the
/// leader merged, or each maker of its shard, and that these make the digest, and that each checker signed that its part of that is right. It does not rule out that a peer replaced its model before the round closed, by a new
/// registration (ITraining.registerPeer) and another signed check-in, which it revealed as well.
result<merge_place> verify_merge_proof(const merge_proof& proof, const merge_trust& trust);

} // namespace swarm::contracts
