#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/registry/account_list.hpp"
#include "contracts/runtime/name_list.hpp"

namespace swarm::contracts {

/// The names of all trainings, in the slots of the TrainingRegistry.
name_list names_of_trainings(const slots& registry);
/// The trainings of an organisation that are not retired, in the slots of the TrainingRegistry.
account_list trainings_of(const slots& registry, organisation_id owner);

/// How many of them are under way: peers are at work in them, and they are not complete. It costs three slots for each.
std::uint32_t trainings_under_way(ledger::contract_host& host, organisation_id owner);

/// The name of a training that is not complete, in which `account` is a peer that has not left; empty: there is none. It
/// costs about seven slots for each training of the chain.
std::string training_of_peer(ledger::contract_host& host, const address& account);

} // namespace swarm::contracts
