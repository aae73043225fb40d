#pragma once

#include "actors/swop/managers/program_spec.hpp"

#include <string>
#include <vector>

namespace swarm::managers {

/// What there is on a host and how, as far as a sandbox is concerned; `host_facts.hpp` finds it out.
struct host_facts {
  /// A folder that every program needs beside /usr: /bin, /lib64. Where the host has a symbolic link, its target.
  struct root_folder {
    std::string path;
    std::string link;
    bool operator==(const root_folder&) const = default;
  };
  std::vector<root_folder> root_folders;
  std::vector<std::string> etc;     ///< files and folders that programs read, without accounts and secrets
  std::vector<std::string> devices; ///< folders of /sys from which programs learn of processors
  std::vector<std::string> gpu_devices; ///< below /dev
  std::vector<std::string> gpu_folders; ///< what drivers need beside them
  std::string hosts;                    ///< content of /etc/hosts
  std::uint64_t memory_bytes = 0;       ///< of the whole host
  bool nested_can_be_forbidden = false; ///< user namespaces within the sandbox, by `bwrap --disable-userns`
};

/// Options of bubblewrap that show /usr and these folders, read only.
std::vector<std::string> show_system(const std::vector<host_facts::root_folder>& folders);

/// A file that only exists within a sandbox; bubblewrap reads it from a descriptor.
struct sandbox_file {
  int fd = -1;
  std::string content;
};

/// Descriptors that the first process of a sandbox finds open, and bubblewrap before it.
namespace sandbox_fd {
constexpr int options =
    3;                   ///< of bubblewrap, with zero bytes between them, so that no other user can read them
constexpr int init = 4;  ///< the executable of the sandbox's first process
constexpr int shim = 5;  ///< the socket to the shim
constexpr int spec = 6;  ///< the specification
constexpr int files = 7; ///< the first of `sandbox::files`
} // namespace sandbox_fd

/// How bubblewrap is to be called.
struct sandbox {
  std::vector<std::string> options;
  std::vector<sandbox_file> files;
};

/// The sandbox of a program: /usr and what belongs to it, read-only; /tmp, the home, /dev and /proc of its own; the
/// mounts of `spec`, those below others after them. Process, ipc, host name, cgroup and user namespaces are new; the
/// network is the host's, as programs and SLs meet on its loopback.
sandbox sandbox_of(const program_spec& spec, const host_facts& host);

/// The whole environment of the program: that of `spec`, and PATH, HOME, HOSTNAME and CUDA_VISIBLE_DEVICES where
/// it has none.
std::map<std::string, std::string> environment_of(const program_spec& spec);

} // namespace swarm::managers
