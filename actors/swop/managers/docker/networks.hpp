#pragma once

#include "actors/swop/managers/docker/engine/client.hpp"
#include "actors/swop/managers/program_spec.hpp"

namespace swarm::managers {

/// Whether the network is there, and can have the fixed address: engines find out late, and not all of it. Fails with
/// manager_errc::not_started.
result<> check_network(engine::client& of, const container_spec& what);

/// The second half alone, which asks nobody.
result<> check_address(const engine::network_facts& network, const std::string& address);

/// What of the host and its networks a container was to have, for messages; empty for nothing.
std::string taken_by(const container_spec& what);

} // namespace swarm::managers
