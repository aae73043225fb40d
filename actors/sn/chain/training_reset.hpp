#pragma once

#include "actors/sn/chain/chain_state.hpp"

#include <string>
#include <string_view>

namespace swarm::actors {

/// Answers `reset` of the admin socket, which starts a training contract over as this SN; only who may use
/// the socket, the operator of this SN's host, can ask for it.
///
///   {"contract": NAME, "force": false, "note": WHY}  sends the call -> {"reset": false, "generation": G}
///   {"contract": NAME, "beyond": G}  -> {"reset": true, "generation": G + 1}, once it is above G
///
/// Errors: errc::not_found for an unknown contract, errc::conflict for a training under way unless `force`,
/// and those of `submit_own`.
result<std::string> answer_reset(chain_state& s, std::string_view params);

} // namespace swarm::actors
