#pragma once

#include "base/file.hpp"
#include "transport/ml_channel/pipe_access.hpp"

#include <sys/stat.h>

#include <string>

/// FIFOs as files: making, opening, sizing. Private to this folder.
namespace swarm::ml {

/// Makes the FIFO for those whom `access` names, whatever the umask, or takes the one that exists: one of
/// this user's gets these rights too, one of somebody else's stays as it is when it can be used. The
/// descriptor only names it (O_PATH), so that this FIFO is opened later, whatever happens to the path.
result<unique_fd> prepare_fifo(const std::string& path, const pipe_access& access);

/// Gives a FIFO, or a socket beside it, the rights that it is to have. `named` names it, `info` is of before.
result<> set_rights(const std::string& path, const unique_fd& named, const struct stat& info,
                    const pipe_access& access);

/// Opens the FIFO that `name` names; waits for the other side unless `flags` has O_NONBLOCK or is O_RDWR.
/// Returns a negative errno on failure.
int open_fifo(const unique_fd& name, int flags);

/// Makes the pipe as large as the system allows, and read and write non-blocking.
void tune_pipe(const unique_fd& fd);

/// The largest size that F_SETPIPE_SZ may be asked for.
int pipe_size_max();

} // namespace swarm::ml
