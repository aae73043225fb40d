#pragma once

#include "config/tasks/environment.hpp"
#include "config/tasks/reading.hpp"
#include "config/tasks/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::tasks {

enum class manager_type { docker, process, slurm, kubernetes };

/// "DOCKER" and so on.
std::string_view name_of(manager_type type);

enum class identity_part { key, cert, cacert, capath, spiffe_socket_path };

/// One part of an SL's identity, and where the SL sees it.
struct identity_mount {
  identity_part part = identity_part::key;
  mount where;
  std::optional<std::string> sub_path; ///< below where.target
};

struct private_data {
  std::string source; ///< a path of the host (bind) or a volume's name
  mount_type type = mount_type::bind;
};

/// What one program may use up.
struct resource_limits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
};

/// A label of a container, or an option of the engine, with its values as text; a label without a value has none.
struct named_values {
  std::string name;
  std::vector<std::string> values;
};

/// What the profile says of an SL, or of the training program beside it.
struct program_definition {
  std::optional<std::string> host_name;
  environment variables;
  std::vector<named_values> labels;
  std::optional<std::string> network_ip; ///< a fixed address in the container network
  resource_limits limits;
};

/// A pair of an SL and a training program.
struct node_definition {
  std::uint16_t index = 0; ///< no two nodes of a profile have the same
  std::vector<identity_mount> identity;
  program_definition sl;
  std::optional<std::string> sl_host_ip;
  std::optional<std::uint16_t> sl_port; ///< nothing: not published
  std::optional<std::string> sl_fs_service;
  program_definition user;
  std::vector<named_values> user_options; ///< of the container engine: "gpus", "device", ...
  std::optional<private_data> data;
};

/// An SN that RUN_NODE tasks may start on this host.
struct sn_definition {
  std::string name; ///< of the node, one word; no two of a profile have the same
  std::vector<identity_mount> identity;
  std::optional<std::string> host_ip; ///< nothing: the SWOP's own
  std::uint16_t api_port = 30304;
  std::uint16_t p2p_port = 30303;
  environment variables;
  resource_limits limits;
  std::uint32_t patience_seconds = 600; ///< until it has to be a member
};

/// Where the SN's API is, as far as the profile says it.
struct sn_locator {
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  std::optional<std::string> service;
};

/// Where the API server of a cluster is, as far as the profile says it.
struct cluster_locator {
  std::string server, name_space, token_file, ca_file;
};

struct swop_profile {
  std::string group_name;
  std::string taskrunner;
  std::optional<std::string> policy; ///< the file of rules that policyuri names; none: all tasks are taken
  manager_type manager = manager_type::docker;
  cluster_locator cluster;            ///< of KUBERNETES
  std::optional<std::string> network; ///< of containers
  sn_locator sn;
  environment variables; ///< of every SL
  std::vector<std::string> dns;
  std::vector<node_definition> nodes;
  std::vector<sn_definition> sns; ///< none: no task may start one

  /// The SN of this name, or nothing.
  const sn_definition* sn_of(std::string_view name) const;
};

/// Reads the text of a SWOP profile; `name` is the file's, for messages.
reading<swop_profile> read_swop_profile(std::string_view text, std::string_view name);

} // namespace swarm::tasks
