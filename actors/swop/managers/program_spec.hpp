#pragma once

#include "actors/swop/managers/docker/engine/things.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace swarm::managers {

/// A file or folder of the host that a program sees under another path.
struct mount {
  std::string source; ///< absolute, or of a container also the name of a volume; has to exist
  std::string target; ///< absolute, without "." and ".."; one below another mount's target is fine
  bool writable = false;

  bool operator==(const mount&) const = default;
};

/// What a program may use up. What is not set is not limited.
struct program_limits {
  std::optional<std::uint64_t> memory_bytes;  ///< of all its processes where there is a cgroup, else of each
  std::optional<std::uint64_t> cpu_seconds;   ///< of each process
  std::optional<std::uint64_t> cpu_percent;   ///< 100 is one whole processor
  std::optional<std::uint64_t> processes;     ///< threads count as well
  std::optional<std::uint64_t> file_bytes;    ///< of each file it writes
  std::optional<std::uint64_t> open_files;    ///< of each process
  std::optional<std::uint64_t> scratch_bytes; ///< in /tmp, and as much in its home; both are memory
  std::optional<std::uint64_t> shared_memory_bytes; ///< in /dev/shm

  bool operator==(const program_limits&) const = default;
};

/// Where standard output and error go: `output.log`, and when that is full to `output.log.1` and so on.
struct output_bounds {
  std::string folder; ///< absolute; empty for the manager's own folder of this program
  std::uint64_t file_bytes = 10 * 1024 * 1024;
  std::uint64_t files = 3; ///< with the one that is written

  bool operator==(const output_bounds&) const = default;
};

/// What a program is beyond that in a container. The manager PROCESS starts no such program.
struct container_spec {
  std::string name;                    ///< of the container, for people; empty: made of the program's
  std::string image;                   ///< has to be there
  std::vector<std::string> entrypoint; ///< before `argv`; where it is empty the image's own counts
  std::map<std::string, std::string> labels;
  std::string network; ///< "host", "none" or a network's name; empty for the engine's own
  std::string address; ///< a fixed one in that network
  std::vector<engine::published_port> ports;
  engine::host_options options;
  /// Targets of mounts whose files go along as a secret, where nobody else has them: identities.
  std::vector<std::string> copied;

  bool operator==(const container_spec&) const = default;
};

/// A program as a task wants it: what it is started with, and the world that it finds.
struct program_spec {
  std::string name;              ///< one word, unique with its manager: group-task-u-idx
  std::vector<std::string> argv; ///< the first word is looked up in the program's own PATH
  std::map<std::string, std::string> environment;
  std::string working_directory; ///< absolute, as the program sees it
  std::vector<mount> mounts;
  std::string host_name; ///< empty for none of its own
  /// Name servers instead of the host's, as addresses.
  std::vector<std::string> dns;
  std::uint32_t uid = 0; ///< as which it runs; a manager that is not root keeps its own rights all the same
  std::uint32_t gid = 0;
  program_limits limits;
  std::optional<std::string> gpus; ///< CUDA_VISIBLE_DEVICES; without it no GPU is to be seen
  output_bounds output;
  std::optional<std::chrono::seconds> run_time_max; ///< then it is ended
  std::optional<container_spec> container;          ///< for managers that start containers

  bool operator==(const program_spec&) const = default;
};

} // namespace swarm::managers
