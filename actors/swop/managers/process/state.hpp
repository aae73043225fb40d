#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/process_id.hpp"

#include <variant>

namespace swarm::managers {

/// A cgroup that was made for one program.
struct cgroup_id {
  std::string path; ///< of its folder
  std::uint64_t inode = 0;

  bool operator==(const cgroup_id&) const = default;
};

/// What a shim writes down about its program, each time it changes.
struct shim_state {
  struct starting {
    bool operator==(const starting&) const = default;
  };
  struct running {
    process_id init; ///< the first process of the sandbox: all others end with it
    std::uint64_t started_ms = 0;
    bool operator==(const running&) const = default;
  };
  struct ended {
    std::uint64_t started_ms = 0; ///< 0 when it never ran
    std::uint64_t ended_ms = 0;
    ending how;
    bool operator==(const ended&) const = default;
  };

  std::string boot; ///< `boot_id` when the shim started; process numbers mean nothing after another one
  process_id shim;
  std::optional<cgroup_id> cgroup;
  std::variant<starting, running, ended> phase;

  bool operator==(const shim_state&) const = default;
};

constexpr std::uint64_t state_bytes_max = 16 * 1024;

std::string write_state(const shim_state& state);
/// The way back, as strict as `read_spec`. Fails with errc::corrupt.
result<shim_state> read_state(std::string_view text);

/// A cause's word in the state file.
std::string_view name_of(ending_cause cause);

} // namespace swarm::managers
