#pragma once

#include "ledger/consensus/messages.hpp"
#include "ledger/consensus/signing.hpp"

namespace swarm::simulator {

/// Makes messages of one validator that does not keep to the rules: they may say anything, but it signs
/// only for itself. `variant` makes another valid signature over the same digest, where the scheme has such
/// (fake keys).
class forger {
public:
  forger(const consensus::signature_scheme& scheme, const consensus::signing_domain& domain,
         bool many_signatures)
      : scheme_(&scheme), domain_(&domain), many_(many_signatures) {}

  consensus::signed_prepare prepare(std::uint64_t block_num, std::uint64_t round_num, const hash32& digest,
                                    std::uint8_t variant = 0) const;
  consensus::commit_message commit(std::uint64_t block_num, std::uint64_t round_num, const hash32& digest,
                                   std::uint8_t variant = 0) const;
  consensus::signed_round_change vote(std::uint64_t block_num, std::uint64_t round_num,
                                      std::optional<consensus::prepared_claim> claim = {},
                                      std::uint8_t variant = 0) const;
  /// A round change that, with a `block`, claims to be prepared in `proof_round`; nothing of it is checked.
  consensus::round_change_message round_change(std::uint64_t block_num, std::uint64_t round_num,
                                               std::uint64_t proof_round = 0,
                                               std::optional<consensus::proposed_block> block = {},
                                               std::vector<consensus::signed_prepare> prepares = {}) const;
  consensus::proposal_message proposal(std::uint64_t round_num, const consensus::proposed_block& block,
                                       std::vector<consensus::signed_round_change> votes = {},
                                       std::vector<consensus::signed_prepare> prepares = {}) const;

  /// The block as it would be with other seals of its parent.
  static consensus::proposed_block with_parent_seals(const consensus::proposed_block& block,
                                                     const ledger::seal_record& seals);

private:
  consensus::signature65 sign(const hash32& digest, std::uint8_t variant) const;

  const consensus::signature_scheme* scheme_;
  const consensus::signing_domain* domain_;
  bool many_;
};

} // namespace swarm::simulator
