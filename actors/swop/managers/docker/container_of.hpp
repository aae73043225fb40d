#pragma once

#include "actors/swop/managers/manager.hpp"

namespace swarm::managers {

// What a program is to an engine, and the reverse.

inline constexpr std::string_view owner_label = "swarmd.owner", program_label = "swarmd.program",
                                  run_time_label = "swarmd.run_time_max_s";

/// Checks the rules of `program_spec` as far as they hold for containers. Fails with manager_errc::bad_spec.
result<> check_container(const program_spec& spec);

/// `spec` has passed `check_container`.
engine::container_wanted container_of(const program_spec& spec, const std::string& owner);

/// Whether it is of this owner, and a program at all. Who reads a list believes no filter of the engine's.
std::optional<std::string> program_in(const engine::label_map& labels, const std::string& owner);

/// `noted`: why it was told to end, if it was. `is_starting`: this process is about to start it.
program program_of(const std::string& name, const engine::container_facts& facts,
                   const std::optional<ending_cause>& noted, bool is_starting);

} // namespace swarm::managers
