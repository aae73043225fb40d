#pragma once

#include "contracts/registry/interface.hpp"
#include "ledger/chain/chain_view.hpp"

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace swarm::membership {

/// Judges the proof of a registration by what this SN trusts.
using registration_check =
    std::function<result<>(const contracts::register_node_args&, const address& sender)>;

/// Whose transactions may wait in the pool of a chain with organisations: those of members, and registrations whose
/// proof is good. Everybody else's would cost the chain's space and nobody would answer for it. A chain without
/// organisations takes all. It belongs to the chain's thread; a sender is looked up once for each block.
class pool_rule {
public:
  explicit pool_rule(registration_check check) : check_(std::move(check)) {}

  /// As chain_options::admits; `at` is the chain as it is now. Errors are pool_errc::no_member and those of the check.
  result<> judge(const ledger::chain_view& at, const ledger::transaction& txn, const address& sender);

private:
  bool is_member(const ledger::chain_view& at, const address& sender);

  registration_check check_;
  hash32 looked_at_; ///< the block to which `members_` belongs
  std::unordered_map<address, bool> members_;
  std::unordered_set<hash32> checked_; ///< registrations whose proof was good
};

} // namespace swarm::membership
