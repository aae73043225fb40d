#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/taskrunner/interface.hpp"

/// A taskrunner for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with the structs of
/// interface.hpp.
namespace swarm::contracts {

inline result<taskrunner_event> decode_taskrunner_event(const std::vector<hash32>& topics, bytes_view data) {
  return decode_event<taskrunner_interface>(topics, data);
}

} // namespace swarm::contracts
