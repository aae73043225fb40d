#pragma once

#include "contracts/registry/interface.hpp"

#include <optional>

namespace swarm::contracts {

/// The registration that a call of `to` with `input` is. None for any other call, and for input that the contract
/// cannot decode either.
std::optional<register_node_args> registration_in(const address& to, bytes_view input);

} // namespace swarm::contracts
