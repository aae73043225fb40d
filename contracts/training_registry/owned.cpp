#include "contracts/training_registry/owned.hpp"

#include "base/u256.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training_registry/interface.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 owned_counts_slot = u256(2);
constexpr hash32 owned_slot = u256(3);
} // namespace

account_list trainings_of(const slots& registry, organisation_id owner) {
  return {registry, registry.mapped(u256(owner), owned_counts_slot),
          registry.mapped(u256(owner), owned_slot)};
}

std::uint32_t trainings_under_way(ledger::contract_host& host, organisation_id owner) {
  const auto own = trainings_of(slots(host, training_registry_address()), owner);
  std::uint32_t out = 0;
  for (std::uint64_t i = 0, all = own.size(); i < all; ++i)
    if (is_under_way(slots(host, own.at(i)))) ++out;
  return out;
}

} // namespace swarm::contracts
