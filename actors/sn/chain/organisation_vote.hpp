#pragma once

#include "actors/sn/chain/chain_state.hpp"

#include <string>
#include <string_view>

namespace swarm::actors {

/// Answers `vote` of the admin socket: this SN votes for its organisation. Only who may use the socket, the operator of
/// this SN's host, can ask for it. Names are those of organisations, anchors are fingerprints in hexadecimal.
///
///   {"motion": "admit", "name": N, "anchors": ["0x...", ...]}         sends the call -> {"txn": "0x..."}
///   {"motion": "remove", "name": N}
///   {"motion": "replace CA", "name": N, "anchors": [...]}
///   {"motion": "set limits", "name": N, "limits": {"nodes": 5, ...}}    limits that are not named stay as they are
///   {"motion": "take back", "key": "0x..."}
///   {"txn": "0x..."}    -> {"final": false}, or, once it is in a block, {"final": true, "outcome": "done"} or
///                       {"final": true, "outcome": "open", "votes": V, "needed": M, "key": "0x..."}
///
/// Errors: errc::invalid for what is no such request, errc::not_found for an unknown organisation, errc::denied with the
/// contract's reason, and those of `submit_own`.
result<std::string> answer_vote(chain_state& s, std::string_view params);

} // namespace swarm::actors
