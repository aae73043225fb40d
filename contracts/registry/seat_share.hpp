#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace swarm::contracts {

/// An SN that may have a seat among the validators.
struct seat_candidate {
  address account;
  std::uint16_t organisation = 0; ///< 0 on a chain without organisations
};

/// What one organisation alone can do to a chain that its validators hold seats of, by the arithmetic of QBFT.
struct seat_power {
  std::uint16_t organisation = 0;
  std::uint32_t seats = 0;
  bool stops = false; ///< without it no block becomes final
  bool forks = false; ///< it makes blocks final alone
  bool operator==(const seat_power&) const = default;
};

/// How many seats one organisation may have at most, so that as many candidates as possible have one and
///  - of four or more organisations none has more than floor((n - 1) / 3) of the n seats: none can fork or stop the
///    chain, even if all that it has lies;
///  - of three none can stop the chain by being silent, which implies that none makes blocks final alone;
///  - of two none makes blocks final alone, if both have two candidates. With one candidate of one of them that cannot
///    be had; then the organisation that was there first has all its seats, or the only one.
/// Each organisation's first candidates count, in their order: SNs that one of them adds take no seat of another.
std::size_t seats_per_organisation(const std::vector<seat_candidate>& candidates);

/// The validators of `candidates`, sorted: those with a seat, but only the first of two, as the absence of either one
/// of two would stop the chain.
std::vector<address> seats_of(const std::vector<seat_candidate>& candidates);

/// Organisations that can stop or fork a chain with these validators, by id; organisation 0 is none.
std::vector<seat_power> powers_of(const std::vector<seat_candidate>& validators);

} // namespace swarm::contracts
