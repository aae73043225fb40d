#pragma once

#include "base/file.hpp"

#include <string>

/// FIFOs as files: making, opening, sizing. Private to this folder.
namespace swarm::ml {

/// Makes the FIFO with mode 0777 whatever the umask, or takes the one that is there. The descriptor only
/// names it (O_PATH): what is opened later is this FIFO, whatever happens to the path.
result<unique_fd> prepare_fifo(const std::string& path);

/// Opens the FIFO that `name` names; waits for the other side unless `flags` has O_NONBLOCK or is O_RDWR. An
/// errno as a negative descriptor on failure.
int open_fifo(const unique_fd& name, int flags);

/// As much room in the pipe as the system allows, and no more waiting in read and write.
void tune_pipe(const unique_fd& fd);

/// What F_SETPIPE_SZ may be asked for.
int pipe_size_max();

} // namespace swarm::ml
