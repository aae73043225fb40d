#pragma once

#include "actors/sn/chain/chain_state.hpp"

#include <string>
#include <string_view>

namespace swarm::actors {

/// Looks at the rules of the next block. Fails with `chain_errc::unknown_rules` when this program does not know
/// them: then it must not go on. Tells the operator once when such rules are decided and still to come.
result<> look_at_rules(chain_state& s);

/// Answers `rules` of the admin socket:
///
///   {}                                   -> {"version": V, "next": N, "from_block": B, "known": K}
///   {"version": N, "from_block": B}      votes so as this validator -> {"txn": HASH}
///
/// Errors: errc::denied with the contract's reason, and those of `submit_own`.
result<std::string> answer_rules(chain_state& s, std::string_view params);

} // namespace swarm::actors
