#pragma once

#include "base/file.hpp"

#include <string>

/// FIFOs as files: making, opening, sizing. Private to this folder.
namespace swarm::ml {

/// Makes the FIFO with mode 0777 whatever the umask, or takes the one that exists. The descriptor only names
/// it (O_PATH), so that this FIFO is opened later, whatever happens to the path.
result<unique_fd> prepare_fifo(const std::string& path);

/// Opens the FIFO that `name` names; waits for the other side unless `flags` has O_NONBLOCK or is O_RDWR.
/// Returns a negative errno on failure.
int open_fifo(const unique_fd& name, int flags);

/// Makes the pipe as large as the system allows, and read and write non-blocking.
void tune_pipe(const unique_fd& fd);

/// The largest size that F_SETPIPE_SZ may be asked for.
int pipe_size_max();

} // namespace swarm::ml
