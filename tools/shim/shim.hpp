#pragma once

#include "actors/swop/managers/process/program_folder.hpp"

#include <filesystem>

namespace swarm::shim {

/// Runs the program of a folder to its end and writes down what becomes of it. `report` is told once whether it runs;
/// everything after that is for the state file. Returns the exit status of the process.
int run_shim(const std::filesystem::path& folder, unique_fd report);

} // namespace swarm::shim
