#pragma once

#include "base/hash.hpp"
#include "contracts/testing/twin_world.hpp"
#include "contracts/training/measures.hpp"
#include "contracts/training/sharding.hpp"

#include <functional>
#include <limits>

/// Of what random calls of a training are made (training/model.test.cpp).
namespace swarm::contracts {

inline constexpr std::uint32_t links = 50; ///< of the chains in this test
inline constexpr std::uint64_t large_size = 37 * model_chunk_bytes - 5;

inline hash32 some_hash(std::uint64_t number) {
  return keccak256(fmt::format("model {}", number));
}

/// A number that is right most of the time.
template <class T>
T mostly(seeded_random& random, T value) {
  if (random.below(20) != 0) return value;
  return static_cast<T>(value + (random.below(2) == 0 ? 1 : -1));
}

inline std::vector<hash32> some_roots(twin_world& both, std::size_t count) {
  std::vector<hash32> out;
  while (out.size() < count)
    out.push_back(some_hash(both.random()));
  return out;
}

/// So many words of the sums of units. Some sums are infinite, some no sums at all.
inline std::vector<hash32> some_sums(twin_world& both, std::uint64_t words) {
  std::vector<hash32> out;
  const auto each = words_of_sums(both.twin.measures().sums);
  const auto sums = both.twin.measures().sums;
  while (out.size() + each <= words) {
    std::vector<double> own;
    for (std::uint32_t i = 0; i < sums; ++i)
      own.push_back(both.random.below(50) == 0 ? std::numeric_limits<double>::infinity()
                                               : static_cast<double>(both.random.below(1u << 30)) * 0x1p-20);
    for (const auto& word : pack_sums(own))
      out.push_back(word);
  }
  if (!out.empty() && both.random.below(30) == 0) out.back().back() ^= 1;
  if (!out.empty() && both.random.below(60) == 0) out.front().front() |= 0x80;
  return out;
}

/// Whoever has not measured does, in order. `sums` gives so many words. Returns how many calls that are.
inline std::size_t measure_all(twin_world& both,
                               const std::function<std::vector<hash32>(std::uint64_t)>& sums) {
  const auto head = both.twin.head();
  const auto now = both.twin.shards();
  const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
  const auto each = words_of_sums(both.twin.measures().sums);
  std::size_t calls = 0;
  for (std::uint32_t place = 0; place < now.shards.size(); ++place) {
    if (is_made(now.shards[place].state)) continue;
    ++calls;
    both.call(now.shards[place].maker, measure_shard_args{head.generation, head.round_num, head.term, place,
                                                          sums(each * plan.units_of(place).count)});
  }
  return calls;
}

/// Nobody else makes what is measured.
inline bool needs_leader(const twin_world& both) {
  const auto shards = both.twin.shards().shards;
  return both.twin.measures().sums > 0
         && std::ranges::any_of(shards, [](const auto& one) { return one.state == shard_state::declined; });
}

/// What opens the seed that the check-in of `peer` has now.
inline hash32 next_seed(const twin_world& both, const address& peer) {
  hash32 kept;
  for (const auto& one : both.twin.check_ins())
    if (one.peer == peer) kept = one.seed_hash;
  const auto known = both.seeds.find(peer);
  if (known == both.seeds.end()) return {};
  for (std::uint32_t left = links; left > 0; --left)
    if (seed_link(known->second, left) == kept) return seed_link(known->second, left - 1);
  return {};
}

} // namespace swarm::contracts
