#pragma once

#include "actors/swop/managers/process/build/child.hpp"

namespace swarm::build {

/// Puts a program into the sandbox that training programs have, with the command's mounts, made by `shim`, the program
/// swarm-shim. It ends with this process, however that ends: nothing is left of a build whose SWOP was killed. For
/// `build_request::confine`.
result<child_command> confined(const std::filesystem::path& shim, child_command what);

/// The paths that exist among those which the variables of pip and of TLS libraries name, and pip's own settings.
std::vector<std::filesystem::path>
paths_named_by(const std::map<std::string, std::string, std::less<>>& variables);

} // namespace swarm::build
