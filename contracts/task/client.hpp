#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/task/interface.hpp"

/// The TaskRegistry for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with the structs of
/// interface.hpp.
namespace swarm::contracts {

inline result<task_event> decode_task_event(const std::vector<hash32>& topics, bytes_view data) {
  return decode_event<task_registry_interface>(topics, data);
}

} // namespace swarm::contracts
