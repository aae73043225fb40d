#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sl/sl_context.hpp"

#include <functional>

namespace swarm::actors {

struct fetch_counters {
  std::atomic<std::uint64_t> bytes_received = 0;
};

/// Fetches the model `digest` of `size` bytes into the store of `context`, from the first of `holders` that
/// delivers it. Every chunk is checked; after a failure the next holder goes on where the last one stopped.
/// `done` runs once, on an io thread, with the model's layout digest or with what each holder did wrong.
void fetch_model_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                       const hash32& digest, std::uint64_t size, std::vector<rounds::holder> holders,
                       std::function<void(result<hash32>)> done);

} // namespace swarm::actors
