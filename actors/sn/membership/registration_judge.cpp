#include "actors/sn/membership/registration_judge.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/seat_limits.hpp"
#include "transport/identity/registration_proof.hpp"

namespace swarm::membership {

std::string name_of(const ledger::chain_view& chain, contracts::organisation_id organisation) {
  const auto found =
      ask(chain, contracts::organisation_registry_address(), contracts::organisation_args{organisation});
  return found && found->id != 0 ? fmt::format("'{}'", found->name)
                                 : fmt::format("number {}, which is none of this chain", organisation);
}

result<> room_in_seats(const ledger::chain_view& chain, contracts::organisation_id organisation,
                       contracts::node_type role, std::uint64_t unix_s) {
  const auto registry = contracts::node_registry_address();
  SWARM_TRY(const auto limits, ask(chain, registry, contracts::seat_limits_args{organisation}));
  const auto at = static_cast<std::size_t>(role) - 1;
  if (at >= limits.size() || limits[at].most() == 0) return {};
  SWARM_TRY(const auto leases, ask(chain, registry, contracts::seat_leases_args{organisation}));
  const auto& lease = leases.at(at);
  const bool given_up = !lease.accused.is_zero() && unix_s > lease.since + contracts::seat_answer_seconds;
  if (lease.taken < limits[at].most() + (given_up ? 1 : 0)) return {};
  const auto record =
      ask(chain, contracts::organisation_registry_address(), contracts::organisation_args{organisation});
  return fail(errc::denied, "{}",
              contracts::no_seat_left(record ? record->name : std::string(), role, lease.taken, limits[at]));
}

namespace {

/// As the contract says it, before the refusal takes room on the chain. A member may say again what it has said.
result<> check_not_removed(const ledger::chain_view& chain, const contracts::node_statement& claimed,
                           const std::string& subject) {
  const auto registry = contracts::node_registry_address();
  SWARM_TRY(const auto in_block, ask(chain, registry, contracts::removal_of_args{claimed.identity}));
  if (in_block == u256(0)) return {};
  SWARM_TRY(const auto node, ask(chain, registry, contracts::node_args{claimed.account}));
  if (node.active && node.identity == claimed.identity) return {};
  return fail(registration_errc::removed,
              "a node with the certificate {} was removed by vote in block {}: it needs another one", subject,
              in_block.to_u64());
}

} // namespace

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
  SWARM_CHECK(check_not_removed(chain, claimed, proved->certificate.subject));
  auto organisation = members::organisation_of(who, *rules_);
  auto text =
      fmt::format("the certificate {} of the organisation {}", proved->certificate.subject, organisation);
  return known{std::move(text), std::move(organisation)};
}

} // namespace swarm::membership
