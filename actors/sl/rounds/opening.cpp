#include "actors/sl/rounds/opening.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>

namespace swarm::rounds {

namespace {

hash32 derived(const hash32& secret, std::string_view what, std::string_view contract,
               std::uint64_t generation, std::uint64_t round_num, const hash32& digest) {
  return keccak256(fmt::format("swarmd {} {} {} {} {} {}", to_hex(secret.view()), what, contract, generation,
                               round_num, to_hex(digest.view())));
}

} // namespace

contracts::opening opening_of(const hash32& secret, std::string_view contract, std::uint64_t generation,
                              std::uint64_t round_num, const hash32& digest) {
  const auto seed = derived(secret, "seed", contract, generation, round_num, digest);
  const auto salt = derived(secret, "salt", contract, generation, round_num, digest);
  return {digest, salt, contracts::seed_link(seed, contracts::seed_links)};
}

std::optional<hash32> seed_behind(const hash32& secret, std::string_view contract, std::uint64_t generation,
                                  std::uint64_t round_num, const hash32& digest, const hash32& seed_hash) {
  auto link = derived(secret, "seed", contract, generation, round_num, digest);
  for (std::uint32_t i = 0; i < contracts::seed_links; ++i) {
    const auto next = contracts::seed_link(link, 1);
    if (next == seed_hash) return link;
    link = next;
  }
  return std::nullopt;
}

} // namespace swarm::rounds
