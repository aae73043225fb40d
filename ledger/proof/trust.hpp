#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/identity.hpp"

#include <map>

/// What somebody who does not have a chain can check of it, given whom to trust at its beginning.
namespace swarm::ledger {

/// Why a proof is refused, one code per claim that does not hold; seals keep their own category.
enum class proof_errc {
  header = 1,       ///< not a header, or one that no chain of this kind can have
  genesis,          ///< another genesis block than the one the proof says it is of
  order,            ///< blocks that do not follow each other, or the genesis block where another has to stand
  validators,       ///< account and slot proofs that do not show a set of validators
  missing_block,    ///< something is said of a block that the proof does not hold
  transaction,      ///< no transaction of the block at that place
  receipt,          ///< no receipt of the block at that place
  log,              ///< no such log in the receipt
  unchanged,        ///< a change of validators that changes nothing
  old_pivot,        ///< a pivot that is not newer than what is known
  other_validators, ///< a pivot whose state has others than those who sealed it
  witness,          ///< trie nodes that do not show what calls read
  old_head,         ///< a block below the highest one that was seen
  fork,             ///< two final blocks of one number
};

constexpr std::string_view error_category(proof_errc) {
  return "proof";
}

/// A header as it is hashed, and what makes it final.
struct sealed_header {
  bytes header;
  seal_record seals; ///< none for the genesis block
};

/// Decodes a header and checks every rule that it can break alone (header_rules.hpp).
result<block_header> open_header(bytes_view raw);
/// The same for a header that needs the seals of a quorum of `validators`. Errors name the block.
result<block_header> open_sealed(const sealed_header& sealed, const chain_identity& of,
                                 std::span<const address> validators);

/// Proof of the validators in a state (see `validators_account`): EIP-1186 nodes of the account, of the slot
/// with their number, and of one slot for each.
struct validators_proof {
  std::vector<bytes> account;
  std::vector<bytes> count;
  std::vector<std::vector<bytes>> members;
};
/// The slots that `validators_proof` is about, in this order: the number, then `count` validators.
std::vector<hash32> validator_slots(std::size_t count);
/// The validators that seal blocks on top of the one with `state_root`.
result<std::vector<address>> check_validators(const hash32& state_root, const validators_proof& proof);

/// A block whose state has other validators than those who sealed it; they seal from the next block on.
struct handover {
  sealed_header block;
  validators_proof proof;
};

/// Who sealed which blocks, as far as a proof shows it: a set is in force until the proof has its successor.
class validator_history {
public:
  /// Follows the handovers from the genesis block, which is the first of them.
  static result<validator_history> follow(const chain_identity& of, std::span<const handover> handovers);

  /// The set that a block on top of `block_num - 1` is sealed by. The genesis block has none.
  std::span<const address> sealers_of(std::uint64_t block_num) const;

private:
  std::map<std::uint64_t, std::vector<address>> sets_; ///< by the block that brought them
};

} // namespace swarm::ledger
