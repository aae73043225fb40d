#pragma once

#include "actors/supervision/child_spec.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

namespace swarm::actors {

/// A Swarm Learning node as a subtree: files, network, follower and channel, one failing takes those
/// started after it along. Opens identity, key and model store; makes the data directory (0700). `name`:
/// of the subtree.
result<child_spec> make_sl(const config::sl_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
