#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/files, which serves the models of the store to other SLs over
/// HTTPS (model_server.hpp), fetches theirs (model_fetch.hpp), and asks leaders how far
/// they are (merge_progress.hpp).
start_function files_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
