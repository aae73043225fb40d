#pragma once

#include "contracts/registry/interface.hpp"
#include "contracts/registry/validators.hpp"
#include "ledger/rules_version.hpp"

namespace swarm::contracts {

/// Validators vote on the block from which the next version of the chain's rules is in force. A node that does not
/// know that version stops there, so as many have to agree as seal a block. Slots of the NodeRegistry:
///
///     slot 129           mapping account -> its vote: version and block
///     slot 255           the schedule, see ledger/rules_version.hpp
class rules_votes {
public:
  rules_votes(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), validators_(host), slots_(host, node_registry_address()) {}

  result<> vote(const vote_rules_args& args) const;
  rules_view view() const;

private:
  ledger::rules_schedule schedule() const;
  result<> check(const vote_rules_args& args, const std::vector<address>& validators) const;

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  validator_records validators_;
  slots slots_;
};

} // namespace swarm::contracts
