#pragma once

#include "actors/sn/rpc/params.hpp"

#include <string_view>

namespace swarm::rpc {

/// Whether a request is for everybody who can connect: what a newcomer needs to check this SN, to register, and to learn
/// what became of that. Everything else is for members.
bool is_for_everybody(std::string_view method, const params& given);

} // namespace swarm::rpc
