#pragma once

#include "base/bytes.hpp"
#include "contracts/training/client.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace swarm::rounds::testing {

/// Stands in for a model file, with one number instead of millions.
struct model {
  double value = 0;
  bool finite = true;
  hash32 layout;

  /// As if it had `chunks_per_model` chunks.
  hash32 digest() const;
  std::vector<hash32> chunk_hashes() const;
};
inline constexpr std::uint64_t chunks_per_model = 20;

struct weighted_model {
  address peer;
  double weight = 1;
  const model* of = nullptr;
};
/// The weighted mean, which is the same for every order of `from`; `from` is not empty.
model mean_of(std::vector<weighted_model> from);

/// Watches the events of a training for what must never happen. It knows nothing of how machine or contract
/// work: it keeps its own records from the check-ins.
class round_checker {
public:
  /// What is wrong with `event`; empty when nothing is. `models` are all that exist, by digest.
  std::string take(const contracts::training_event& event, const std::map<hash32, model>& models);

  /// The digest of the only merge of this round, if there is one.
  std::optional<hash32> merge_of(std::uint64_t generation, std::uint64_t round_num) const;
  bool was_merged(std::uint64_t round_num, const hash32& digest) const;
  std::uint64_t merges() const { return merges_.size(); }

private:
  std::string take_merge(const contracts::merge_committed& merge, const std::map<hash32, model>& models);

  using round_key = std::pair<std::uint64_t, std::uint64_t>; ///< generation, round
  std::map<round_key, contracts::merge_committed> proposed_; ///< the last one
  std::map<round_key, hash32> merges_;
  struct brought_model {
    std::uint32_t weightage = 0;
    std::uint64_t base_round = 0;
    bool finished = false;
    std::optional<hash32> digest; ///< once it is revealed
  };
  enum class doing { collecting, revealing, merging };
  std::map<round_key, std::map<address, brought_model>> check_ins_;
  std::map<round_key, doing> phases_;
  std::set<address> left_;
  std::set<address> came_back_; ///< registered since their last check-in
};

} // namespace swarm::rounds::testing
