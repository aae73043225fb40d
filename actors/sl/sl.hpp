#pragma once

#include "actors/supervision/child_spec.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

namespace swarm::actors {

/// A Swarm Learning node as a subtree. Its actors are started anew one by one: what the program waits for
/// outlives them all (channel/program_link.hpp), and the follower sees to it that each of its siblings is
/// told again what it has to know. Opens identity, key and model store; makes the data directory (0700).
/// `name`: of the subtree.
result<child_spec> make_sl(const config::sl_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
