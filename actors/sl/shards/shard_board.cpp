#include "actors/sl/shards/shard_board.hpp"

namespace swarm::actors {

result<std::shared_ptr<merge::shard_file>> shard_board::begin(merge::model_store& store,
                                                              const std::vector<rounds::merge_input>& inputs,
                                                              const std::vector<hash32>& totals,
                                                              std::uint64_t model_size, std::uint64_t first,
                                                              std::uint64_t count) {
  const std::lock_guard guard(mutex_);
  if (inputs_ != inputs || totals_ != totals) runs_.clear(); // their room may be needed
  inputs_ = inputs;
  totals_ = totals;
  if (const auto known = runs_.find(first); known != runs_.end() && known->second->count() == count)
    return known->second;
  runs_.erase(first);
  SWARM_TRY(auto run, store.shard(model_size, first, count));
  return runs_.emplace(first, std::move(run)).first->second;
}

void shard_board::hold(std::vector<std::shared_ptr<merge::model_part>> parts) {
  const std::lock_guard guard(mutex_);
  held_.swap(parts);
}

shard_board::runs shard_board::all() const {
  const std::lock_guard guard(mutex_);
  return runs_;
}

std::shared_ptr<const merge::shard_file> shard_board::find(std::uint64_t first) const {
  const std::lock_guard guard(mutex_);
  const auto found = runs_.find(first);
  return found != runs_.end() && found->second->is_complete() ? found->second : nullptr;
}

} // namespace swarm::actors
