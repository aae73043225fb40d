#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/result.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::kubernetes {

namespace json = boost::json;

// Labels of all that a SWOP makes in a cluster. What has not both is not its own.
inline constexpr std::string_view owner_label = "swarmd.owner", job_label = "swarmd.job";

/// What this process's own pod sees below a path: programs get the same volume.
struct own_volume {
  std::filesystem::path path;
  json::object source; ///< as a pod's spec has it, without its name
  std::string sub_path;
};

/// What becomes of the sources of mounts.
struct mount_places {
  std::filesystem::path
      channels;                  ///< below it: a folder that the programs of a pod share, the pipes of a pair
  std::filesystem::path scratch; ///< below it: a folder of the program's own, which ends with its pod
  bool is_in_pod = false;        ///< this process is in a pod: paths here are not those of the nodes
  std::vector<own_volume> volumes;
};

/// What a program brings to its pod: its container, volumes, the texts of its secret. Fails with manager_errc::bad_spec for
/// what no cluster can give it, path_missing or path_not_allowed. It reads the files that go along as a secret.
result<json::object> part_of(const managers::program_spec& spec, std::string_view container,
                             const mount_places& places);

/// The Job of the programs whose parts these are. It is never tried again, and the cluster forgets it an hour after its end.
json::object job_of(std::string_view name, std::string_view owner, const std::vector<json::object>& parts);

/// What they have as a secret, which goes with the Job that has this identifier. Empty when there is nothing of it.
json::object secret_of(std::string_view name, std::string_view owner, std::string_view job_uid,
                       const std::vector<json::object>& parts);

} // namespace swarm::kubernetes
