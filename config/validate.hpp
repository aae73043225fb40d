#pragma once

#include "config/raw.hpp"

namespace swarm::config {

/// The rules across settings: what each role cannot do without, and what excludes each other, within a role
/// and between the roles of one process. Every message names the roles as `node_name` says.
void validate(const process_config& config, problems& found);

/// Settings that are overruled by others of the same role, one line each.
std::vector<std::string> overruled(const process_config& config);

} // namespace swarm::config
