#pragma once

#include "ledger/native_contract.hpp"

#include <span>
#include <string_view>

/// Mistakes that can be planted into the rules on organisations, to see that they are found.
namespace swarm::simulator {

enum class faulty_rule : std::uint8_t {
  none,
  seats_for_all,    ///< whoever is voted in has a seat, however many its organisation has
  vouches_by_node,  ///< each SN of an organisation vouches, not the organisation once
  removals_by_node, ///< each SN of an organisation votes for a removal
  no_own_vouch,     ///< most organisations make members of one that has not vouched: it takes three that lie
  strangers_send,   ///< blocks hold transactions of who is no member
  endless_days,     ///< nobody counts the bytes of a day
  endless_membership,    ///< who was a member once remains one
  target_counts,         ///< an organisation is counted among those that decide on its removal
  harmless_double_votes, ///< a proof of a double vote changes nothing
  nobody_rests,          ///< who misses his turns has them all the same
};

struct faulty_rule_name {
  faulty_rule rule;
  std::string_view name;       ///< "seats-for-all"
  std::string_view fails_with; ///< the beginning of what is reported when it is planted
};
/// All mistakes that one organisation finds alone.
std::span<const faulty_rule_name> faulty_rules();

/// The contracts with the mistake. All nodes have it, as they would if it were one of the product.
ledger::native_contract_set with_mistake(ledger::native_contract_set contracts, faulty_rule rule);

} // namespace swarm::simulator
