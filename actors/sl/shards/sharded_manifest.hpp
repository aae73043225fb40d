#pragma once

#include "actors/sl/files/model_fetch.hpp"
#include "merge/model/manifest.hpp"

namespace swarm::actors {

/// Puts the manifest of the model `digest` of `size` bytes together from what the makers of its runs say, this node among them.
/// `shards` are all of them. `done` runs once, on an io thread or inside the call, with what
/// each maker did wrong otherwise: errc::unavailable, or fetch_errc::unreachable when none has answered.
void fetch_sharded_manifest_async(std::shared_ptr<const sl_context> context,
                                  std::shared_ptr<fetch_counters> counters, const hash32& digest,
                                  std::uint64_t size, const std::vector<rounds::shard_run>& shards,
                                  std::function<void(result<merge::manifest>)> done);

} // namespace swarm::actors
