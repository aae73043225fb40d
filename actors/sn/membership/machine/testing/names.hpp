#pragma once

#include "base/bytes.hpp"

namespace swarm::membership::testing {

inline address account(std::uint8_t number) {
  address out;
  out[19] = number;
  return out;
}
inline hash32 certificate(std::uint8_t number) {
  hash32 out;
  out.fill(number);
  return out;
}

} // namespace swarm::membership::testing
