#pragma once

#include "ledger/chain/genesis.hpp"
#include "transport/tls/trust_anchors.hpp"

namespace swarm::membership {

/// The founders of a chain that is begun by an SN that trusts `anchors`, whose own chain ends at `own`, and whose
/// account is `account`. Each anchor is an organisation, but those of one authority (same subject and public key) are
/// one; it is named by its O, or else its CN, and a number behind that where names are alike.
std::vector<ledger::founder> founders_of(const std::vector<transport::trust_anchor>& anchors,
                                         const hash32& own, const address& account);

/// What the sentinel with these files begins a chain with. Errors are those of the files, and
/// chain_errc::bad_genesis when it trusts more than a chain can have founders.
result<ledger::genesis_params> genesis_of_sentinel(const transport::tls_files& files, const address& account);

} // namespace swarm::membership
