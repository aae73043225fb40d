#pragma once

#include "actors/supervision/child_spec.hpp"
#include "actors/swci/console.hpp"
#include "base/result.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

#include <memory>

namespace swarm::actors {

/// The subtree of the command interface, whose session speaks through `console`, or in web mode through one of its own.
result<child_spec> make_swci(const config::swci_options& options, std::string name,
                             std::shared_ptr<transport::io_runtime> io,
                             std::shared_ptr<swci::console> console);

} // namespace swarm::actors
