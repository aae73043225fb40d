#pragma once
// For tests only.
#include "actors/sn/membership/machine/membership_machine.hpp"
#include "actors/sn/membership/machine/testing/names.hpp"

#include <doctest/doctest.h>

namespace swarm::membership::testing {

using namespace std::chrono_literals;

/// A machine of node 1, and the answers of a chain that a test has in its hands.
struct stage {
  membership_machine machine;
  time_point now{};
  std::vector<membership_action> done; ///< by the last event

  explicit stage(bool leaving = false, result<> provable = {}) : machine(options(leaving, provable)) {}
  explicit stage(const machine_options& with) : machine(with) {}

  static machine_options options(bool leaving, const result<>& provable) {
    machine_options out;
    out.self = account(1);
    out.prove = [provable](const auto&, const transport::registration_claim& claim) {
      auto proved = claim;
      proved.expiry = 99;
      return provable.map([&] { return transport::proved_claim{proved, {1, 2, 3}}; });
    };
    out.node_name = "sn-1";
    out.endpoint = "sn-1:30303";
    out.trainings = {"mine"};
    out.sentinel = "sentinel:30304";
    out.leaving = leaving;
    return out;
  }

  template <class Event>
  void step(const Event& event) {
    machine.step(event, now);
    done = machine.take_actions();
  }

  template <class Action>
  std::vector<Action> all() const {
    std::vector<Action> out;
    for (const auto& each : done)
      if (const auto* one = std::get_if<Action>(&each)) out.push_back(*one);
    return out;
  }
  template <class Action>
  const Action& only() const {
    const Action* found = nullptr;
    for (const auto& each : done)
      if (const auto* one = std::get_if<Action>(&each)) {
        REQUIRE(found == nullptr);
        found = one;
      }
    REQUIRE(found != nullptr);
    return *found;
  }
  bool sent_nothing() const { return all<action::submit>().empty(); }

  /// The machine looks at the chain, as it does every second, and the chain answers with `facts`.
  void look(const chain_facts& facts) {
    now += 1s;
    step(timer_fired{});
    const auto serial = only<action::read_facts>().serial;
    step(facts_read{serial, facts});
  }
};

inline contracts::node_view node(std::uint8_t number) {
  contracts::node_view out;
  out.account = account(number);
  out.type = contracts::node_type::sn;
  out.active = true;
  out.identity = certificate(number);
  out.sequence = 1;
  out.name = fmt::format("sn-{}", number);
  out.endpoint = fmt::format("sn-{}:30303", number);
  return out;
}

/// Node 1 registers, with a certificate that ends at 99.
inline bytes registration(std::uint64_t sequence, contracts::organisation_id organisation = 0,
                          std::uint8_t certificate_number = 1) {
  return contracts::encode_register_node({.type = contracts::node_type::sn,
                                          .organisation = organisation,
                                          .identity = certificate(certificate_number),
                                          .expiry = 99,
                                          .sequence = sequence,
                                          .name = "sn-1",
                                          .endpoint = "sn-1:30303",
                                          .proof = {1, 2, 3}});
}

/// SNs 1 to `nodes` are registered, 1 to `members` validate.
inline chain_facts network(std::uint8_t nodes, std::uint8_t members) {
  chain_facts out;
  out.block_num = 7;
  out.self = node(1);
  out.identity = certificate(1);
  for (std::uint8_t i = 1; i <= nodes; ++i)
    out.nodes.push_back(node(i));
  for (std::uint8_t i = 1; i <= members; ++i)
    out.members.push_back(account(i));
  out.validators = out.members;
  return out;
}

} // namespace swarm::membership::testing
