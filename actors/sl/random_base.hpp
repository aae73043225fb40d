#pragma once

#include "base/random.hpp"

#include <array>

namespace swarm::actors {

/// A random multiple of 2^32, for the ids of an actor's questions to begin at: an answer to the actor before
/// it has another id.
inline std::uint64_t random_base() {
  std::array<std::uint8_t, 8> bits{};
  fill_random(bits);
  return get_be64(bits.data()) << 32;
}

} // namespace swarm::actors
