#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/files: serves the models of the store to other SLs over HTTPS, fetches theirs.
///   GET /models/<digest>            the safetensors file, ranges allowed
///   GET /models/<digest>/manifest   its chunk digests (merge/model/manifest.hpp)
///   GET /merge                      "<round> <term> <progress>" of the merge this node leads, for those who
///   wait
start_function files_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
