#pragma once

#include "tests/simulator/organisations/siege_judge.hpp"

#include <memory>

namespace swarm::simulator {

/// What the SNs and keys of one organisation do together, beside lying in consensus as the adversary has them: they make
/// as many of everything as they can, and what nobody may.
class attackers {
public:
  /// `sns`: their nodes; the first is a founder's and always runs. The keys of an organisation make valid proofs for its
  /// own nodes only.
  attackers(world& in, siege_judge& judge, std::uint16_t organisation, std::vector<std::size_t> sns,
            std::vector<std::size_t> honest);

  /// To come often. Nothing happens before `attack_from`.
  void act();
  std::size_t keys() const { return keys_; } ///< that asked to be members

private:
  static constexpr std::size_t keys_max = 1000;
  static constexpr std::size_t patient_keys = 150; ///< slowly enough that all are vouched for
  static constexpr std::size_t flood_bytes = 100'000;

  bool due(const char* what, sim_time every);
  const ledger::chain& chain() const;
  std::size_t node_for(std::size_t number) const;
  std::size_t place_of(std::size_t node) const;
  void call_by_some_sn(bytes input);
  void run_seated();
  void register_sns();
  void make_keys();
  void vouch_for_own();
  void invent_nodes();
  void flood();
  void send_as_strangers();
  void send_after_the_end();
  void accuse_everybody();
  void vote_against_everybody();
  void call(const ledger::private_key& key, std::size_t node, bytes input);
  bytes registration(const address& account, contracts::node_type type, std::uint16_t organisation,
                     std::uint64_t expiry = 0);

  world& world_;
  siege_judge& judge_;
  std::uint16_t organisation_;
  std::vector<std::size_t> sns_;
  std::vector<std::size_t> honest_;
  std::map<std::string, sim_time> done_;
  std::size_t keys_ = 0;
  std::size_t invented_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<hash32, sim_time> vouched_; ///< statements, when they were last
};

} // namespace swarm::simulator
