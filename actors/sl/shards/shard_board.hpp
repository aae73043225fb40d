#pragma once

#include "actors/sl/rounds/types.hpp"
#include "merge/store/model_part.hpp"
#include "merge/store/shard_file.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace swarm::actors {

/// The runs of a merge that this node makes or has made for the round, its own and as a leader those of others: who makes one
/// writes it, the file server shows others its hashes, and once the merge has a digest its bytes are a part of that. Thread-safe.
class shard_board {
public:
  /// The run of `count` chunks from `first` on of the merge of `inputs`, which are measured to `totals`, as far as it is made. Those of others, and of
  /// the same first chunk and another length, are dropped. Fails when there is no room for it.
  result<std::shared_ptr<merge::shard_file>> begin(merge::model_store& store,
                                                   const std::vector<rounds::merge_input>& inputs,
                                                   const std::vector<hash32>& totals,
                                                   std::uint64_t model_size, std::uint64_t first,
                                                   std::uint64_t count);
  using runs = std::map<std::uint64_t, std::shared_ptr<merge::shard_file>>; ///< by first chunk
  /// Parts of contributions, in place of those before: they stay open between the task that fills them and the one that needs them.
  void hold(std::vector<std::shared_ptr<merge::model_part>> parts);
  /// Those that are here, complete or not.
  runs all() const;
  /// The one that begins with this chunk, once it is complete; null otherwise.
  std::shared_ptr<const merge::shard_file> find(std::uint64_t first) const;

private:
  mutable std::mutex mutex_;
  std::vector<rounds::merge_input> inputs_;
  std::vector<hash32> totals_;
  runs runs_;
  std::vector<std::shared_ptr<merge::model_part>> held_;
};

} // namespace swarm::actors
