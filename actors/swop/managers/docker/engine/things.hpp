#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::engine {

using label_map = std::map<std::string, std::string>;

struct version_facts {
  std::string product; ///< "Docker" or "Podman"
  std::string version;
  std::string api; ///< the version of the interface that is spoken
};

struct image_facts {
  std::string id;
  std::vector<std::string> names;
  label_map labels;
};

struct volume_facts {
  std::string name;
  label_map labels;
};

struct network_facts {
  std::string id, name, driver;
  std::vector<std::string> subnets, gateways;
};

/// Whether a container's network is one that every engine brings along, or "container:ID" and its like, which is none.
/// Such know no names, and an engine is not asked for them.
bool is_engines_own(std::string_view network);

struct build_wanted {
  std::string name;       ///< of the image, with its tag
  std::string dockerfile; ///< a path in the context
  label_map labels;
  std::map<std::string, std::string> arguments; ///< proxies
  std::string network;                          ///< of RUN steps; empty for the engine's own
};

struct container_mount {
  std::string source; ///< a path of the engine's host, or the name of a volume
  std::string target;
  bool writable = false;

  bool is_volume() const { return !source.starts_with('/'); }
};

struct published_port {
  std::uint16_t host = 0, container = 0;

  bool operator==(const published_port&) const = default;
};

struct bounded_use {
  std::string name; ///< "nofile", as ulimit has them
  std::uint64_t most = 0;
};

/// Options of `docker run`, by their names there.
struct host_options {
  std::vector<std::string> devices; ///< HOST[:CONTAINER[:rwm]]
  std::string gpus;                 ///< "all", how many, or "device=0,1"
  std::string ipc;
  std::vector<std::string> group_add, cap_add, security_opt;
  bool privileged = false;

  bool operator==(const host_options&) const = default;
};

struct container_wanted {
  std::string image;
  std::vector<std::string> entrypoint; ///< empty: the image's own
  std::vector<std::string> command;    ///< empty: the image's own, where `entrypoint` is empty as well
  std::map<std::string, std::string> environment;
  label_map labels;
  std::string working_directory, user, host_name;
  std::vector<container_mount> mounts;
  std::vector<std::string> dns;
  std::string network; ///< "host", "none" or a network's name; empty for the engine's own
  std::string address; ///< a fixed one in that network
  std::vector<published_port> ports;
  std::optional<std::uint64_t> memory_bytes, cpu_percent, processes, shared_memory_bytes, scratch_bytes;
  std::vector<bounded_use> uses;
  std::uint64_t log_bytes = 10 * 1024 * 1024; ///< of each file
  std::uint64_t log_files = 3;
  host_options options;
};

struct container_facts {
  std::string id, name, image;
  label_map labels;
  std::string state; ///< "created", "running", "exited" and what else an engine says
  int exit_code = 0;
  bool out_of_memory = false;     ///< Docker says it, Podman does not
  std::uint64_t memory_bytes = 0; ///< that it may have; 0: any number
  std::string error;              ///< why it could not be started
  std::uint64_t started_ms = 0;   ///< since 1970; 0: never
  std::uint64_t ended_ms = 0;     ///< since 1970; 0: never, or it runs
  std::string address;            ///< in its first network
  std::vector<container_mount>
      mounts; ///< of volumes as well, with the path that they have on the engine's host
};

/// What a list of containers says of one.
struct container_entry {
  std::string id, state;
  label_map labels;
};

struct container_event {
  std::string action; ///< "die", "start", ...
  std::string id;
  label_map labels;
};

} // namespace swarm::engine
