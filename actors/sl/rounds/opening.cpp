#include "actors/sl/rounds/opening.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>

namespace swarm::rounds {

contracts::opening opening_of(const hash32& secret, std::string_view contract, std::uint64_t generation,
                              std::uint64_t round_num, const hash32& digest) {
  const auto derived = [&](std::string_view what) {
    return keccak256(fmt::format("swarmd {} {} {} {} {} {}", to_hex(secret.view()), what, contract,
                                 generation, round_num, to_hex(digest.view())));
  };
  const auto seed = derived("seed");
  return {digest, derived("salt"), keccak256(seed.view())};
}

} // namespace swarm::rounds
