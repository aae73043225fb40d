#pragma once

#include "contracts/training/interface.hpp"

#include <map>
#include <set>
#include <vector>

namespace swarm::ui {

/// What the events of one training say of all its runs, in bounded memory: when its rounds were, who merged, what was
/// reported. Events come in the order of the chain, each once.
class training_history {
public:
  /// How much there is, of all runs together.
  struct amount {
    std::size_t reports = 0;
    std::size_t rounds = 0;
    std::size_t members = 0; ///< peers of each run, and one for the run itself

    bool fits(const amount& in) const {
      return reports <= in.reports && rounds <= in.rounds && members <= in.members;
    }
    amount& operator+=(const amount& more) {
      reports += more.reports;
      rounds += more.rounds;
      members += more.members;
      return *this;
    }
  };
  /// What is oldest goes first.
  static constexpr amount amount_max{.reports = 400'000, .rounds = 100'000, .members = 100'000};

  struct report {
    std::uint32_t peer = 0; ///< index in `generation::peers`
    float loss = 0;         ///< NaN: none
    float metric = 0;
  };
  struct round {
    std::uint64_t first_block = 0; ///< of its first event that is kept here
    std::uint64_t last_block = 0;
    std::uint64_t merge_block = 0; ///< 0: not merged yet
    std::vector<report> reports;
  };
  struct generation {
    std::uint32_t min_peers = 0;
    std::string merge_method;
    std::uint64_t first_block = 0;
    std::uint64_t last_block = 0;
    bool is_complete = false, is_stopped = false, is_reset = false;
    bool misses_rounds = false; ///< older ones are not kept any more
    hash32 digest;              ///< of the last merge
    std::vector<address> peers;
    std::map<address, std::uint32_t> indexes; ///< in `peers`
    std::map<std::uint64_t, round> rounds;
  };

  /// The first topics of the events that `take` wants.
  static std::vector<hash32> topics();
  void take(const contracts::training_event& what, std::uint64_t block_num);
  const amount& kept() const { return kept_; }
  /// Its oldest round of whichever run, or its oldest run where that is what there is too much of. False: nothing can go
  /// but what is newest.
  bool forget_oldest(const amount& room);
  /// By number.
  const std::map<std::uint64_t, generation>& generations() const { return generations_; }

private:
  void on(const contracts::peer_registered& e, std::uint64_t block_num);
  void on(const contracts::loss_reported& e, std::uint64_t block_num);
  void on(const contracts::merge_accepted& e, std::uint64_t block_num);
  void on(const contracts::training_complete& e, std::uint64_t block_num);
  void on(const contracts::round_stopped& e, std::uint64_t block_num);
  void on(const contracts::training_reset& e, std::uint64_t block_num);
  template <class Other>
  void on(const Other&, std::uint64_t) {}

  generation& at(std::uint64_t number, std::uint64_t block_num);
  round& at(generation& in, std::uint64_t round_num, std::uint64_t block_num);
  std::uint32_t index_of(generation& in, const address& who);
  bool forget_round();
  bool forget_run();

  std::map<std::uint64_t, generation> generations_;
  amount kept_;
};

} // namespace swarm::ui
