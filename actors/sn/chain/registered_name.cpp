#include "actors/sn/chain/registered_name.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"

#include <fmt/format.h>

namespace swarm::actors {

std::string registered_name::who() const {
  return organisation.empty() ? fmt::format("'{}'", name)
                              : fmt::format("'{}' of the organisation '{}'", name, organisation);
}

registered_name registered_name_of(const ledger::chain_view& chain, const address& account) {
  registered_name out;
  const auto answer =
      chain.call({.to = contracts::node_registry_address(), .input = contracts::encode_node(account)});
  const auto node = answer ? contracts::decode_node(answer->output) : tl::unexpected(answer.error());
  if (!node) return out;
  out.name = node->name;
  const auto whose =
      chain.call({.to = contracts::organisation_registry_address(),
                  .input = contracts::encode(contracts::organisation_args{node->organisation})});
  if (!whose) return out;
  if (const auto view = contracts::decode_answer<contracts::organisation_args>(whose->output))
    out.organisation = view->name;
  return out;
}

} // namespace swarm::actors
