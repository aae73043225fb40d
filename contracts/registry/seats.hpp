#pragma once

#include "contracts/registry/node_records.hpp"
#include "contracts/registry/validators.hpp"

namespace swarm::contracts {

/// The seats of validators in one call: who may have one, votes on them, and their changes.
class seats {
public:
  seats(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(host), validators_(host) {}

  /// Whether the account has a seat or waits for one.
  bool has(const address& account) const;
  /// For which organisation an SN sits, or would; 0 for none.
  organisation_id organisation_of(const address& account) const;
  /// Who could stop or fork the chain alone.
  std::vector<seat_power> powers() const;
  /// Checks that no other validator has the identity that `account` would have: a certificate has one vote.
  result<> check_identity(const address& account, const hash32& identity) const;
  /// Gives a seat or takes one, at most once in a block. The last validator stays.
  result<> change(const address& account, bool add) const;

  result<> propose(const propose_validator_vote_args& vote) const;
  result<> discard(const address& account) const;

private:
  result<> check_voter(const address& account) const;
  result<> check_addable(const address& account, const std::vector<address>& members) const;
  result<> check_room(const address& account, const std::vector<address>& members) const;
  /// These accounts and for whom they sit.
  std::vector<seat_candidate> with_organisations(const std::vector<address>& accounts) const;

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  node_records records_;
  validator_records validators_;
};

} // namespace swarm::contracts
