#pragma once

#include "actors/sl/rounds/actions.hpp"

namespace swarm::actors {

/// A model that is to be fetched (model_fetch.hpp).
struct wanted_model {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<rounds::holder> holders; ///< whom to ask, the first one first
  /// A merge is for all peers of its training: they are given what is here of it while the rest comes.
  bool is_merge = false;
  std::vector<rounds::shard_run> shards{}; ///< how it was made, where that was not as a whole
  /// Chunks that this node makes to check them: nobody is asked for them while that is under way (`model_part::claim`).
  std::vector<std::uint64_t> made_here{};
};

} // namespace swarm::actors
