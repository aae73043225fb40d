#include "contracts/training_registry/owned.hpp"

#include "base/u256.hpp"
#include "contracts/runtime/name_list.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/interface.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(0);
constexpr hash32 names_slot = u256(1);
constexpr hash32 owned_counts_slot = u256(2);
constexpr hash32 owned_slot = u256(3);
} // namespace

name_list names_of_trainings(const slots& registry) {
  return {registry, count_slot, names_slot};
}

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

std::string training_of_peer(ledger::contract_host& host, const address& account) {
  const auto names = names_of_trainings(slots(host, training_registry_address()));
  for (std::uint64_t first = 0, all = names.size(); first < all; first += page_entries_max)
    for (auto& name : names.part(u256(first), u256(page_entries_max)))
      if (has_peer(slots(host, training_address(name)), account)) return name;
  return {};
}

} // namespace swarm::contracts
