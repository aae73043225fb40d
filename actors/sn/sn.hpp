#pragma once

#include "actors/supervision/child_spec.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

namespace swarm::actors {

/// A Swarm Network node as a subtree (README.md). This opens identity and key and makes the data directory
/// (0700). The chain actor opens the ledger, so that a damaged or foreign one ends the process with its
/// own message.
result<child_spec> make_sn(const config::sn_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
