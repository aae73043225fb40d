#pragma once

#include "base/file.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace swarm::managers {

/// A process, told apart from a later one with the same number by when it started (clock ticks since boot). Two
/// boots may have the same pair, so whoever stores one stores `boot_id` with it.
struct process_id {
  int pid = 0;
  std::uint64_t start = 0;

  bool operator==(const process_id&) const = default;
};

/// The kernel's name for the time since the last boot.
std::string boot_id();

/// What process `pid` is now; nothing when there is none.
std::optional<process_id> process_of(int pid);

/// A pidfd of exactly this process, running or not yet waited for; nothing when it is gone, whatever has its
/// number now.
std::optional<unique_fd> open_process(const process_id& id);

/// Whether the process of a pidfd has ended.
bool has_ended(const unique_fd& pidfd);

/// Waits for a process that has ended, if it is a child of this one's.
void reap(const unique_fd& pidfd);

/// False when it has ended or is not ours to signal.
bool send_signal(const unique_fd& pidfd, int signal);

/// "Folder" of `fd` for paths that are too long for a socket's address.
std::string path_of_fd(int fd);

} // namespace swarm::managers
