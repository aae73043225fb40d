#pragma once

#include "contracts/training/rounds.hpp"
#include "contracts/training/sharding.hpp"

namespace swarm::contracts {

/// The shards of the round in which a merge is made, or of which the proposal was put together. Reads the sets of the state
/// once and writes what it changes.
class shard_board {
public:
  explicit shard_board(training_state& state);

  /// Indexes of the makers by their places; none when the round is not merged in shards.
  const std::vector<std::uint16_t>& makers() const { return makers_; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(makers_.size()); }
  /// There are makers.
  shard_plan plan() const { return plan_of(state_.shards().size, count()); }
  shard_state state_of(std::uint32_t place) const;
  /// The peer who has made the shard: its maker, or the leader.
  std::uint16_t author_of(std::uint32_t place) const;
  /// Of all shards.
  std::vector<shard_author> authors() const;
  /// The roots of its units; none while it is not made.
  std::vector<hash32> roots_of(std::uint32_t place) const;

  /// Whether the shards are measured now; or they were, and are to be made by that.
  bool is_measuring() const { return measures_.open; }
  bool was_measured() const { return measures_.sums > 0 && !measures_.open; }
  std::size_t sums() const { return measures_.sums; }

  void decline(std::uint32_t place);
  /// The shard is measured to `words`, `sums` of each of its units. True when it is the last one: then the shards are to be made.
  bool measure(std::uint32_t place, const std::vector<hash32>& words);
  /// What whole models are measured to, once they are.
  std::vector<hash32> totals() const;
  /// The shard, which is not made, has these roots. They are put together with those that stand beside them, as far as
  /// their neighbours are made, too. Answers with the root of the whole merge when it is the last one.
  std::optional<hash32> make(std::uint32_t place, const std::vector<hash32>& roots, bool by_leader);
  /// The leader need not wait much longer for the others once most organisations have made theirs: who is late delays nobody, and
  /// is barred only when all its time is over. Looked at when half, a quarter, ... of the shards are missing, which bounds the cost.
  void hasten();

private:
  using nodes =
      std::pair<std::uint64_t, std::vector<hash32>>; ///< index of the first, and neighbours from it on

  bool have_most_made() const;
  void begin_making();
  bool is_complete(const shard_plan& plan, unsigned level, std::uint64_t index) const;
  nodes level_above(const shard_plan& plan, unsigned level, const nodes& known);

  training_state& state_;
  std::vector<std::uint16_t> makers_;
  peer_set made_, declined_, replaced_;
  measures_slot measures_;
};

} // namespace swarm::contracts
