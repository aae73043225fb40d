#pragma once

#include "actors/supervision/child_spec.hpp"
#include "config/options.hpp"
#include "transport/io_runtime.hpp"

#include <memory>

namespace swarm::actors {

/// The subtree /ui of a management page; see README.md. Prints the link to log in with.
result<child_spec> make_ui(const config::ui_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io);

} // namespace swarm::actors
