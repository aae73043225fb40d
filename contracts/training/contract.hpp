#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/slots.hpp"

#include <utility>
#include <vector>

namespace swarm::contracts {

/// ITraining as a native contract; see interfaces/ITraining.sol.
std::shared_ptr<const ledger::native_contract> make_training();

/// Makes the empty contract behind `in` a training called `name`, in generation 1, collecting round 1. It belongs to
/// `owner`, or to nobody.
void init_training(const slots& in, std::string_view name, organisation_id owner);

/// How far a training is from its end. What is over makes room for another one of its owner's.
enum class training_end : std::uint8_t {
  ahead,
  emptied, ///< it was reset after peers had been in it, and none has come since
  complete
};
training_end end_of_training(const slots& in);
/// Whether peers are at work in it, and it is not complete.
bool is_under_way(const slots& in);
/// Whether `account` is a peer of it that has not left, and it is not complete.
bool has_peer(const slots& in, const address& account);
/// Completes a training for good: it is not reset any more. Its records stay.
void retire_training(const slots& in);

/// The slots of such a training at genesis.
std::vector<std::pair<hash32, hash32>> training_genesis(std::string_view name);

} // namespace swarm::contracts
