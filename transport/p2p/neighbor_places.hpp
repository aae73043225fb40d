#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

namespace swarm::p2p {

/// What the chain knows of a neighbor; who counts for more comes later.
enum class standing : std::uint8_t {
  newcomer,   ///< nothing: it has to see the chain before it can register
  registered, ///< an SN of the registry with this certificate
  validator,
};

/// A neighbor's place.
struct place {
  std::uint64_t id = 0; ///< the larger, the later it came
  hash32 organisation;  ///< fingerprint of its anchor
  standing rank = standing::newcomer;
};

struct place_limits {
  std::size_t all = 64;
  std::size_t organisation = 8; ///< of one organisation, beside its validators
  /// Of newcomers of all organisations together; the rest is for validators and registered SNs.
  std::size_t newcomers() const { return std::max<std::size_t>(all / 4, 1); }
};

struct place_found {
  std::optional<std::uint64_t> displaced; ///< has to go for it
  std::string why_not;                    ///< it has no place; empty: it has one
  bool over_share = false;                ///< why not: its own organisation has used up what is its due
};

/// Finds a place for `fresh` beside those that have one. A validator always has one as long as others than validators
/// have any. An organisation has so many for its other SNs, however many keys and certificates it makes; registered ones
/// come before newcomers. Where all places of a kind are taken, an organisation with fewer takes the newest one of that
/// with most.
place_found find_place(std::span<const place> taken, const place& fresh, const place_limits& limits);

} // namespace swarm::p2p
