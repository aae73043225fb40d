#pragma once

#include "contracts/registry/node_records.hpp"
#include "ledger/turn_rule.hpp"

namespace swarm::contracts {

/// Seconds that a validator rests after it missed a turn. They double with each further miss in less than a day after the
/// last rest, up to `rest_doublings_max` times.
inline constexpr std::uint64_t rest_seconds = 600;
inline constexpr std::uint8_t rest_doublings_max = 7;

/// For whom a validator sits: 0 on a chain without organisations.
organisation_id organisation_of_validator(const node_records& records, const address& account);

/// The rule on turns. Who missed a turn rests; of those who would, the ones that missed
/// most turns do, and of these the last ones, as many as a quorum can do without.
/// An organisation rests with all its seats, if a quorum can do without these, so that it gains nothing by a fresh key;
/// else each of its validators is on its own.
///
/// Slots of the chain's own account, beside those of the rule on space:
///     slot 2^248 + organisation, or + account   mark: when it missed a turn, until when it rests, how often it did
///     slot 2^249                                until when anybody may rest
std::shared_ptr<const ledger::turn_rule> make_turn_rule();

} // namespace swarm::contracts
