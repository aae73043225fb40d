#pragma once

#include "actors/swop/plan/host_paths.hpp"

/// What SLs and SNs have in common as programs of a manager.
namespace swarm::actors {

// What a node finds in its world.
inline constexpr std::string_view node_data_target = "/var/lib/swarm";
inline constexpr std::string_view bin_target = "/opt/swarm/bin";

/// Those with a value.
std::map<std::string, std::string> environment_of(const tasks::environment& from);
managers::program_limits limits_of(const tasks::resource_limits& from);
/// A path as a program sees it, without "." and a slash at the end.
std::string target_of(const std::string& text);
/// swarmd and what belongs to it, as they are beside this process, below `bin_target`.
void add_own_programs(managers::program_spec& to);
/// A part of the node's identity, which the profile names: its mount and its flag.
result<> add_identity(const tasks::identity_mount& part, const host_paths& paths, managers::program_spec& to);

} // namespace swarm::actors
