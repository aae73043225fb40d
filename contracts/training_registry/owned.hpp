#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/registry/account_list.hpp"

namespace swarm::contracts {

/// The trainings of an organisation that are not retired, in the slots of the TrainingRegistry.
account_list trainings_of(const slots& registry, organisation_id owner);

/// How many of them are under way: peers are at work in them, and they are not complete. It costs three slots for each.
std::uint32_t trainings_under_way(ledger::contract_host& host, organisation_id owner);

} // namespace swarm::contracts
