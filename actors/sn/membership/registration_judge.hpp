#pragma once

#include "config/members/member_rules.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain_view.hpp"
#include "transport/tls/tls_identity.hpp"

namespace swarm::membership {

/// Why an SN does not believe a registration.
enum class registration_errc {
  not_proved = 1,     ///< the proof does not hold, for what this SN trusts now
  other_organisation, ///< the certificate's authority does not belong to the organisation that is named
  role_not_allowed,   ///< the certificate is for other kinds of nodes
  removed,            ///< a vote has removed the node with this certificate
};
constexpr std::string_view error_category(registration_errc) {
  return "registration";
}

/// What an SN trusts, by which it judges registrations of others. All functions may be called from any thread.
class registration_judge {
public:
  registration_judge(std::shared_ptr<const transport::tls_identity> identity,
                     std::shared_ptr<const members::member_rules> rules)
      : identity_(std::move(identity)), rules_(std::move(rules)) {}

  /// What others say of a node, for people: "CN=sl-1 of the organisation Hospital B".
  struct known {
    std::string who;
    std::string organisation;
  };
  /// Whether the statement is proved by `proof`, of the organisation that it names by the chain's head, and of a
  /// role that the certificate allows.
  result<known> check(const ledger::chain_view& chain, const contracts::node_statement& claimed,
                      bytes_view proof) const;

private:
  std::shared_ptr<const transport::tls_identity> identity_;
  std::shared_ptr<const members::member_rules> rules_;
};

/// What a view of a contract says at the chain's head.
template <class View>
result<contracts::abi::answer_of<View>> ask(const ledger::chain_view& chain, const address& contract,
                                            const View& question) {
  SWARM_TRY(const auto answer,
            chain.call({.from = {}, .to = contract, .input = contracts::encode(question)}));
  return contracts::decode_answer<View>(answer.output);
}

/// Fails when the organisation has no seat left for one more node of this role, as the contract says it. `unix_s`: the time of
/// day; a chain on which nothing happens has an old one.
result<> room_in_seats(const ledger::chain_view& chain, contracts::organisation_id organisation,
                       contracts::node_type role, std::uint64_t unix_s);

/// The name of an organisation on the chain.
std::string name_of(const ledger::chain_view& chain, contracts::organisation_id organisation);

} // namespace swarm::membership
