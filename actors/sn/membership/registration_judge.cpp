#include "actors/sn/membership/registration_judge.hpp"

#include "contracts/organisations/client.hpp"
#include "transport/identity/registration_proof.hpp"

namespace swarm::membership {

std::string name_of(const ledger::chain_view& chain, contracts::organisation_id organisation) {
  const auto found =
      ask(chain, contracts::organisation_registry_address(), contracts::organisation_args{organisation});
  return found && found->id != 0 ? fmt::format("'{}'", found->name)
                                 : fmt::format("number {}, which is none of this chain", organisation);
}

result<registration_judge::known> registration_judge::check(const ledger::chain_view& chain,
                                                            const contracts::node_statement& claimed,
                                                            bytes_view proof) const {
  const auto proved = transport::check_registration(proof, {chain.chain_id(), chain.genesis_hash()},
                                                    {claimed.account, claimed.organisation,
                                                     static_cast<std::uint8_t>(claimed.role),
                                                     claimed.identity, claimed.expiry, claimed.sequence},
                                                    *identity_);
  if (!proved) return fail(registration_errc::not_proved, "{}", proved.error().message);
  const members::proved who{proved->certificate, proved->anchor};
  SWARM_TRY(const auto owner, ask(chain, contracts::organisation_registry_address(),
                                  contracts::anchor_owner_args{proved->anchor.fingerprint}));
  if (owner == 0)
    return fail(
        registration_errc::other_organisation,
        "the certificate {} leads to the CA {}, which no organisation of this chain has; the organisations "
        "admit one by their votes (ADMIT ORGANISATION, or swarm-inspect vote admit)",
        proved->certificate.subject, proved->anchor.subject);
  if (owner != claimed.organisation)
    return fail(registration_errc::other_organisation,
                "the certificate {} leads to a CA of the organisation {}, and not of {}",
                proved->certificate.subject, name_of(chain, owner), name_of(chain, claimed.organisation));
  const auto role = static_cast<members::role>(claimed.role);
  if (!members::roles_of(who, *rules_).has(role))
    return fail(registration_errc::role_not_allowed, "{}", members::refusal(who, role, *rules_));
  if (book_->was_removed(claimed.account, claimed.identity))
    return fail(registration_errc::removed,
                "the node with the certificate {} was removed by a vote; it comes back with another one",
                proved->certificate.subject);
  auto organisation = members::organisation_of(who, *rules_);
  auto text =
      fmt::format("the certificate {} of the organisation {}", proved->certificate.subject, organisation);
  return known{std::move(text), std::move(organisation)};
}

} // namespace swarm::membership
