#pragma once

#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training/dealing.hpp"

#include <doctest/doctest.h>

#include <map>

/// Whole rounds of the default training, played by test accounts.
namespace swarm::contracts {

inline address default_training() {
  return training_address(default_training_name);
}
inline hash32 some_digest(std::uint64_t number) {
  return keccak256(fmt::format("digest {}", number));
}
/// So many proposals of a round can be checked by lots.
inline constexpr std::uint32_t some_links = 3;
inline hash32 some_seed(std::uint64_t number) {
  return some_digest(number + 2'000'000);
}
/// What the check-in of test account `number` commits to.
inline opening some_opening(std::uint64_t number) {
  return {some_digest(number), some_digest(number + 1'000'000), seed_link(some_seed(number), some_links)};
}
/// The check-in of test account `number`, in generation 1.
inline bytes check_in_input(std::uint64_t round_num, std::uint16_t number, bool finished = false,
                            std::uint64_t size = 1000) {
  const auto commitment = commitment_of(test_account(number), 1, round_num, some_opening(number));
  return encode_check_in({1, round_num, commitment, size, some_digest(0), 1, round_num - 1, finished});
}
inline bytes reveal_input(std::uint64_t round_num, std::uint16_t number) {
  const auto what = some_opening(number);
  return encode(reveal_args{1, round_num, what.digest, what.salt, what.seed_hash});
}
inline bytes commit_input(const memory_world& world) {
  const training_probe probe(world, default_training());
  const auto head = probe.head();
  // As many chunks as there can be peers, so that all of them check something.
  commit_merge_args args{head.generation, head.round_num, head.term, some_digest(7),
                         peers_max * model_chunk_bytes};
  for (const auto& one : probe.check_ins())
    args.contributors.push_back(one.peer);
  return encode_commit_merge(args);
}
/// The seed of test account `number` for the first proposal of the round.
inline bytes seed_input(const head_view& head, std::uint16_t number) {
  return encode(reveal_seed_args{1, head.round_num, head.term, seed_link(some_seed(number), some_links - 1)});
}

/// A world with `count` SLs that are peers of the default training; a round needs `min_peers` or, for 0, all of them.
inline memory_world world_of(std::uint16_t count, std::uint32_t min_peers = 0) {
  memory_world world(make_contracts());
  for (std::uint16_t i = 0; i < count; ++i) {
    REQUIRE(register_node(world, test_account(i), node_type::sl).ok);
    register_peer_args args{min_peers > 0 ? min_peers : count, "mean", 1};
    REQUIRE(world.send(test_account(i), default_training(), encode_register_peer(args)).ok);
  }
  return world;
}

struct round_cost {
  memory_world::outcome first, middle, last, reveal, last_reveal, commit, seed, last_seed, attest,
      last_attest;
};

/// Everybody checks what is proposed.
inline void play_checks(memory_world& world, std::uint16_t count, round_cost& cost) {
  const training_probe probe(world, default_training());
  const auto head = probe.head();
  std::map<address, std::uint16_t> numbers;
  for (std::uint16_t i = 0; i < count; ++i)
    numbers[test_account(i)] = i;
  while (probe.head().phase == round_phase::verifying) {
    const auto checks = probe.checks();
    for (const auto& peer : checks.awaited) {
      auto done =
          world.send(peer, default_training(),
                     checks.attempt == 0 ? seed_input(head, numbers.at(peer))
                                         : encode(attest_args{1, head.round_num, head.term, checks.attempt}));
      REQUIRE(done.ok);
      const bool is_last = peer == checks.awaited.back();
      auto& of = checks.attempt == 0 ? (is_last ? cost.last_seed : cost.seed)
                                     : (is_last ? cost.last_attest : cost.attest);
      of = std::move(done);
    }
  }
}
/// Plays one round with all peers and reports what the calls cost.
inline round_cost play_round(memory_world& world, std::uint16_t count, std::uint64_t round_num) {
  round_cost out;
  for (std::uint16_t i = 0; i < count; ++i) {
    auto done = world.send(test_account(i), default_training(), check_in_input(round_num, i));
    REQUIRE(done.ok);
    (i == 0 ? out.first : i + 1 == count ? out.last : out.middle) = std::move(done);
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    auto done = world.send(test_account(i), default_training(), reveal_input(round_num, i));
    REQUIRE(done.ok);
    (i + 1 == count ? out.last_reveal : out.reveal) = std::move(done);
  }
  const auto leader = training_probe(world, default_training()).head().leader;
  out.commit = world.send(leader, default_training(), commit_input(world));
  REQUIRE(out.commit.ok);
  play_checks(world, count, out);
  return out;
}

} // namespace swarm::contracts
