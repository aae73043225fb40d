#pragma once

#include "actors/supervision/child_spec.hpp"
#include "base/result.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

namespace swarm::actors {

/// The subtree of one SWOP. Reads its profile, makes its data directory and looks whether programs can be started here;
/// fails with what the operator has to mend.
result<child_spec> make_swop(const config::swop_options& options, std::string name,
                             std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
