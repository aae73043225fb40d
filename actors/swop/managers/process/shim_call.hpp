#pragma once

#include "actors/swop/managers/manager.hpp"
#include "base/file.hpp"

#include <sys/un.h>

#include <filesystem>

namespace swarm::managers {

/// Both sides of what a manager and a shim say to each other.

/// The descriptor on which a shim finds the pipe for its one report: the program runs, or why not.
constexpr int report_fd = 3;
std::string write_report(const result<>& how);
/// Fails as the report says; with manager_errc::io when it says nothing that can be read.
result<> read_report(std::string_view text);

/// How long a shim is there.
enum class shim_life {
  for_its_report,
  as_long_as_its_program, ///< whoever watches it waits for it as a child; without this process the system does
};

/// Starts `shim` with these arguments in a session of its own and waits for its report. A shim that reports a failure, or
/// nothing in time (manager_errc::timeout), is gone when this returns, and what it started with it.
result<> run_shim(const std::filesystem::path& shim, const std::vector<std::string>& arguments,
                  shim_life what, std::chrono::milliseconds patience);

/// The program swarm-shim, which lies beside this one.
std::filesystem::path shim_beside_this_program();

/// The words of a command that runs a program in a sandbox and ends with it: its output and its exit code, 128 and the
/// number of a signal as in a shell, are those of the command. The program's environment is that of the command, not
/// that of `spec`; its output has no bounds. When the thread that has started the command ends, or the command itself
/// does, the sandbox ends with it.
result<std::vector<std::string>> tied_words(const std::filesystem::path& shim, program_spec spec);

/// The address of the socket in an open folder, however long the folder's path is.
result<sockaddr_un> control_address(int folder);
std::string write_stop(std::chrono::milliseconds grace);
std::optional<std::chrono::milliseconds> read_stop(std::string_view text);
/// Tells the shim in `folder` to stop its program. Fails when none answers within a second.
result<> tell_stop(const std::filesystem::path& folder, std::chrono::milliseconds grace);

} // namespace swarm::managers
