#pragma once

#include "config/options.hpp"
#include "tools/swarmd/doctor/command_line.hpp"
#include "tools/swarmd/doctor/report.hpp"

namespace swarm::doctor {

/// Looks at all that each role of a process needs, and judges it. What concerns the whole host stands in a report of its
/// own, the last one.
std::vector<node_report> examine(const config::process_config& config, const command_line& how);

} // namespace swarm::doctor
