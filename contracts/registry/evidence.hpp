#pragma once

#include "contracts/registry/interface.hpp"
#include "contracts/registry/seats.hpp"

namespace swarm::contracts {

/// Validators that signed two different things for one place (ledger/formats/double_vote.hpp). Whoever proves it
/// to the chain takes the liar's seat, and that account never gets one again. Slots of the NodeRegistry:
///
///     slot 128           mapping account -> block in which its double vote was proved
class double_votes {
public:
  double_votes(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), seats_(host, context), slots_(host, node_registry_address()) {}

  result<> report(const report_double_vote_args& args) const;
  /// The block in which it was proved; 0: never.
  std::uint64_t proved_in(const address& account) const;
  /// Refuses an account that has voted twice.
  result<> check_never(const address& account) const;

private:
  ledger::contract_host& host_;
  const ledger::call_context& context_;
  seats seats_;
  slots slots_;
};

} // namespace swarm::contracts
