#pragma once

#include "actors/swop/managers/kubernetes/manifest.hpp"
#include "actors/swop/managers/manager.hpp"

#include <map>
#include <optional>

namespace swarm::kubernetes {

/// What a cluster says of one container of a pod.
struct container_facts {
  bool runs = false, ended = false;
  int exit_code = 0, signal = 0;
  std::uint64_t started_ms = 0, ended_ms = 0;
  std::string reason, message; ///< why it waits, or how it ended
};

/// What a cluster says of a pod.
struct pod_facts {
  std::string name, job, node;
  std::string phase;           ///< Pending, Running, Succeeded, Failed
  std::string reason, message; ///< why it failed: Evicted, DeadlineExceeded, ...
  std::string waits_for;       ///< why no node takes it
  bool is_ending = false;      ///< it is to be deleted
  bool is_gone = false;        ///< it is not there any more
  std::map<std::string, container_facts, std::less<>> containers;

  /// Whether all containers run, or ended after they did.
  bool all_started() const;
};

pod_facts read_pod(const json::object& from);

/// Why a job that has no pod will never have one; empty when it may.
std::string failure_of_job(const json::object& job);

/// A program in a container of that pod. `told`: this manager has told it to end.
managers::program program_in(const std::string& name, std::string_view container, const pod_facts& pod,
                             bool told);

/// Why a container does not start, as long as it is so: no image, no command. Clusters try again for ever.
std::optional<error> trouble_of(const pod_facts& pod, std::string_view container);
/// The first one of all its containers.
std::optional<error> trouble_of(const pod_facts& pod);

/// What the pod of this process has mounted, from what the cluster says of it.
std::vector<own_volume> volumes_in(const json::object& own_pod);

} // namespace swarm::kubernetes
