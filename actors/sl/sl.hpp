#pragma once

#include "actors/supervision/child_spec.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

namespace swarm::actors {

/// A Swarm Learning node as a subtree called `name`. Its actors can be restarted one by one: what the program
/// waits for outlives them all (channel/program_link.hpp), and the follower tells each restarted sibling what
/// it must know. This opens identity, key and model store and makes the data directory (0700).
result<child_spec> make_sl(const config::sl_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
