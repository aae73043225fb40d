#pragma once

#include "base/random.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/naive_training.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace swarm::contracts {

inline constexpr std::uint16_t peer_accounts = 7;
inline constexpr std::uint16_t operator_account = 100;

/// The contract and its twin, given the same calls.
class twin_world {
public:
  twin_world(std::uint64_t seed, const std::vector<ledger::founder>& founders)
      : crowded(seed % 2 == 0), quarrels(seed % 4 == 0), in_shards(seed % 3 == 0),
        measured(in_shards && seed % 9 != 0), random(seed), world(make_contracts(), {}, founders),
        where(training_address(default_training_name)) {
    for (std::size_t i = 0; i < founders.size(); ++i)
      for (const auto& account : founders[i].validators)
        twin.homes[account] = static_cast<organisation_id>(i + 1);
    REQUIRE(register_node(world, test_account(operator_account), node_type::sn).ok);
    for (std::uint16_t i = 0; i < peer_accounts; ++i)
      REQUIRE(register_node(world, test_account(i), node_type::sl).ok);
    if (founders.empty()) return;
    // Whoever is nobody's founding validator registers for the first organisation.
    twin.homes.try_emplace(test_account(operator_account), organisation_id{1});
    for (std::uint16_t i = 0; i < peer_accounts; ++i)
      twin.homes.try_emplace(test_account(i), organisation_id{1});
  }

  /// Sends the call to both and compares everything that can be seen.
  template <class Args>
  bool call(const address& caller, const Args& args) {
    twin.block_num = world.block_num() + 1;
    twin.block_time = world.block_time();
    twin.events.clear();
    const auto done = world.send(caller, where, encode(args));
    bool expected = false;
    if constexpr (std::is_same_v<Args, report_refusal_args>)
      expected = twin.call(caller, args);
    else
      expected = twin.heard_call(caller, args);
    compare(done, expected);
    return done.ok;
  }
  /// Not of a training under way where there are organisations: owners.test.cpp has who may do that.
  void reset() {
    const auto peers = twin.peers();
    const bool at_work = std::any_of(peers.begin(), peers.end(), [](const peer_view& peer) {
      return peer.state == peer_state::active || peer.state == peer_state::finished;
    });
    if (has_organisations() && at_work && twin.head().phase != round_phase::complete) return;
    twin.block_num = world.block_num() + 1;
    const auto caller = test_account(operator_account);
    const auto done = world.send(caller, where, encode_reset());
    twin.events.clear();
    compare(done, twin.reset(caller));
  }

  /// What a training makes of it is seen when the peer registers anew.
  void move(const address& account, organisation_id to) {
    if (twin.homes[account] == to) return;
    move_node(world, account, to);
    twin.homes[account] = to;
  }

  bool has_organisations() const { return !twin.homes.empty(); }

  /// Rounds of many, whose leaders do what they have to, so that there is much to check.
  bool crowded;
  bool quarrels;  ///< and what is proposed is challenged often
  bool in_shards; ///< models are large, and nearly always of one size
  bool measured;  ///< these by a method that looks at whole models
  seeded_random random;
  memory_world world;
  address where;
  /// The probe is made for each use, so that a copy of this object reads its own world.
  training_probe probe() const { return {world, where}; }
  naive_training twin;
  std::size_t accepted = 0;
  std::map<address, opening> openings; ///< of the last check-in of each
  std::map<address, hash32> seeds;     ///< the ends of the chains of these

private:
  void compare(const memory_world::outcome& done, bool expected) {
    INFO("revert: " << (done.ok ? "none" : revert_text(done.output)));
    REQUIRE(done.ok == expected);
    REQUIRE(done.events.size() == twin.events.size());
    for (std::size_t i = 0; i < done.events.size(); ++i) {
      const auto event = decode_training_event(done.events[i].topics, done.events[i].data).value();
      REQUIRE(event == twin.events[i]);
      check_history(event);
    }
    if (!done.ok) return;
    ++accepted;
    compare_views();
    REQUIRE(probe().broken_invariant() == "");
  }

  void compare_views() {
    REQUIRE(probe().head() == twin.head());
    auto peers = probe().peers();
    for (auto& peer : peers) {
      REQUIRE(peer.endpoint == "node.example:30305");
      REQUIRE(peer.organisation_name.empty() == (peer.organisation == 0));
      peer.name = peer.endpoint = peer.organisation_name = {};
    }
    REQUIRE(peers == twin.peers());
    auto check_ins = probe().check_ins();
    for (auto& one : check_ins)
      one.endpoint = {};
    REQUIRE(check_ins == twin.check_ins());
    REQUIRE(probe().proposal() == twin.proposal());
    REQUIRE(probe().checks() == twin.checks());
    const auto shards = twin.shards();
    REQUIRE(probe().shards() == shards);
    for (std::uint32_t place = 0; place < shards.shards.size(); ++place)
      REQUIRE(probe().shard_roots(place) == twin.shard_roots(place));
    REQUIRE(probe().measures() == twin.measures());
    for (const auto& [round_num, merge] : twin.merges())
      REQUIRE(probe().merge_of(round_num) == merge);
  }

  /// Checks that a term has one leader, a round one merge, and that contributors had checked in.
  void check_history(const training_event& event) {
    const auto lead = [this](const auto& of, std::uint32_t term) {
      REQUIRE(leaders_.emplace(std::tuple(of.generation, of.round_num, term), of.leader).second);
    };
    if (const auto* closed = std::get_if<round_closed>(&event); closed != nullptr && !twin_moved_on())
      lead(*closed, twin.head().term);
    if (const auto* changed = std::get_if<leader_changed>(&event)) lead(*changed, changed->term);
    if (const auto* accepted = std::get_if<merge_accepted>(&event))
      REQUIRE(merges_.emplace(accepted->generation, accepted->round_num).second);
  }
  bool twin_moved_on() const { return twin.head().phase != round_phase::merging; }

  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>, address> leaders_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> merges_;
};

} // namespace swarm::contracts
