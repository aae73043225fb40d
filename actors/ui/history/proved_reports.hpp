#pragma once

#include "base/bytes.hpp"
#include "contracts/training/interface/views.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace swarm::ui {

/// What contracts said of their peers' reports whenever their state, which is proved, was read: with it the reports that an
/// SN tells of are compared. For any thread.
class proved_reports {
public:
  static constexpr std::size_t reports_max =
      100'000; ///< of all trainings; the oldest rounds of the largest one go first

  struct report {
    address peer;
    float loss = 0; ///< NaN: none
    float metric = 0;
  };

  /// The newest report of each of these peers.
  void note(const std::string& contract, std::uint64_t generation,
            const std::vector<contracts::peer_view>& peers);
  /// True if the contract had just these reports of the round: of each peer the last one counts.
  bool agrees(const std::string& contract, std::uint64_t generation, std::uint64_t round_num,
              const std::vector<report>& told) const;
  /// Of another chain nothing of this one is true.
  void forget();
  std::size_t size() const;

private:
  struct values {
    float loss = 0;
    float metric = 0;
  };
  using rounds = std::map<std::uint64_t, std::map<address, values>>;
  struct run {
    rounds known;
    std::size_t reports = 0;
  };
  void make_room();

  mutable std::mutex mutex_; ///< guards all of it
  std::map<std::pair<std::string, std::uint64_t>, run> runs_;
  std::size_t reports_ = 0;
};

} // namespace swarm::ui
