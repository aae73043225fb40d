#pragma once

#include "actors/sl/files/model_fetch.hpp"

namespace swarm::actors {

/// Carries out `fetch_model_async` for a model that is not in the store: the manifest of the first holder that gives it, which
/// must hash to the digest, then chunks as a `chunk_plan` says.
void gather_model(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                  wanted_model what, std::function<void(result<hash32>)> done);

} // namespace swarm::actors
