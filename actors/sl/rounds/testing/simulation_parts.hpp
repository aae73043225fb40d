#pragma once

#include "actors/sl/rounds/opening.hpp"
#include "actors/sl/rounds/testing/simulation.hpp"
#include "base/hash.hpp"

#include <algorithm>

namespace swarm::rounds::testing {

inline const address operator_account = contracts::test_account(9999);

struct simulation::program {
  enum class doing { nothing, opening, training, waiting_for_sync, waiting_for_close, over };

  session_params params;
  doing now = doing::nothing;
  std::uint64_t serial = 0; ///< counts the programs of a node: what was meant for one never reaches another
  std::uint32_t syncs_left = 0;
  duration pace{}; ///< between two syncs
  duration loss_takes{};
  model has;
  hash32 layout;
  bool diverges = false;
  std::uint32_t weightage = 1;
  bool asked_in_request = false; ///< it has been given a model since it asked
  bool evaluating = false;
  std::uint64_t last_round = 0; ///< whose merge it was given last
  hash32 last_digest;
  bool has_ahead = false; ///< that was given to it before it was accepted
  std::uint32_t syncs_answered = 0;
  bool served = false; ///< to its end
};

struct simulation::node {
  std::uint16_t number = 0;
  address account;
  std::string name;
  bool reliable = false;
  std::optional<peer_machine> machine; ///< none while the process is down
  std::uint64_t life = 0;
  bool ended = false;  ///< in order, for good
  bool doomed = false; ///< dead for good
  bool stopping = false;
  bool engaged = false; ///< what a file in its data directory says
  time_point down_since{};
  time_point wire_free{}; ///< when its last transaction reaches the SN: they keep their order
  bool reading = false;
  bool read_again = false;
  std::set<hash32> store;
  std::set<hash32> durable; ///< what a power cut would leave of it

  struct merge_job {
    std::uint64_t round_num = 0;
    std::uint32_t term = 0;
    std::uint64_t serial = 0;
    std::uint64_t progress = 0;
    bool stuck = false;
  };
  std::optional<merge_job> job;
  std::uint64_t jobs = 0;
  std::uint64_t checks = 0; ///< counts them: only the last one is wanted
  std::set<hash32> shards;  ///< merges of which it has made its part
  program prog;

  bool is_up() const { return machine.has_value(); }
  void put(const hash32& digest) {
    store.insert(digest);
    durable.erase(digest);
  }
  hash32 secret() const { return keccak256(fmt::format("secret of {}", name)); }
  bool commits_to(const contracts::checked_in& in, const hash32& digest) const {
    const auto what =
        opening_of(secret(), contracts::default_training_name, in.generation, in.round_num, digest);
    return contracts::commitment_of(account, in.generation, in.round_num, what) == in.commitment;
  }
  /// What `event`, of a transaction of this node, refers to.
  bool may_lose(const contracts::training_event& event) const {
    if (const auto* in = std::get_if<contracts::checked_in>(&event); in != nullptr && in->peer == account)
      return in->weightage > 0 && std::none_of(durable.begin(), durable.end(), [&](const hash32& digest) {
               return commits_to(*in, digest);
             });
    if (const auto* shown = std::get_if<contracts::revealed>(&event))
      return shown->weightage > 0 && !durable.contains(shown->digest);
    const auto* merge = std::get_if<contracts::merge_committed>(&event);
    // What was made in parts can be made again.
    return merge != nullptr && merge->shards == 0 && !durable.contains(merge->digest);
  }
};

} // namespace swarm::rounds::testing
