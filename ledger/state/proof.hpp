#pragma once

#include "ledger/state/account.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::ledger {

// These functions read proofs of accounts and slots (EIP-1186) against roots that the reader trusts.
// `state_view::prove` and `trie::prove` make proofs; `verify_proof` checks one path of any trie.

/// The account that a proof shows below a state root; none when it shows that there is no such account.
result<std::optional<account>> verify_account(const hash32& state_root, const address& who,
                                              std::span<const bytes> nodes);

/// The value of a slot that a proof shows below a storage root; zero when it shows that the slot
/// was never written.
result<hash32> verify_slot(const hash32& storage_root, const hash32& slot, std::span<const bytes> nodes);

/// Checks all that an answer to eth_getProof claims: that account and slots are those below `state_root`. A
/// missing account counts as one with empty storage. Errors name the account or the slot.
result<> verify_account_proof(const hash32& state_root, const address& who, const account_proof& proof);

} // namespace swarm::ledger
