#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/training_registry/interface.hpp"

/// The TrainingRegistry for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with
/// the structs of interface.hpp, and a short name for the call that is made in several places.
namespace swarm::contracts {

inline bytes encode_create_training(std::string_view name) {
  return encode(create_training_args{std::string(name)});
}

} // namespace swarm::contracts
