#pragma once

#include "actors/sl/files/model_fetch.hpp"
#include "merge/model/manifest.hpp"

/// Parts of models of other nodes, for whoever looks at some chunks of them only. Nothing is stored.
namespace swarm::actors {

/// Fetches the manifest of the model `digest` of `size` bytes from the first of `holders` that gives it. `done` runs once,
/// on an io thread or, without holders, inside the call; as `ask_in_turn` says when nobody has answered, with
/// errc::unavailable and what each holder did wrong otherwise.
void fetch_manifest_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                          const hash32& digest, std::uint64_t size, std::vector<rounds::holder> holders,
                          std::function<void(result<merge::manifest>)> done);

/// Fetches `count` chunks from chunk `first` on, each checked against `of`, as their bytes in a row. The rest as above.
void fetch_chunks_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                        std::shared_ptr<const merge::manifest> of, std::uint64_t first, std::uint64_t count,
                        std::vector<rounds::holder> holders, std::function<void(result<bytes>)> done);

} // namespace swarm::actors
