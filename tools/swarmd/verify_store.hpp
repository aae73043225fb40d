#pragma once

#include <filesystem>

namespace swarm {

/// Checks the chain in `dir`, after repairing it if asked to. Progress goes to standard error; every finding
/// and one last line with the verdict to standard output. The process's exit code: 0 when the chain is sound.
int verify_store(const std::filesystem::path& dir, bool repair);

} // namespace swarm
