#pragma once

#include "actors/swop/managers/kubernetes/api.hpp"
#include "actors/swop/managers/kubernetes/manifest.hpp"
#include "actors/swop/managers/manager.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace swarm::managers {

/// Where in the cluster a program runs.
struct pod_place {
  std::string pod;                   ///< of all that run side by side the same word
  std::string container = "program"; ///< its name among them
  std::size_t members = 1;           ///< how many they are: a pod is made when the last of them is to start
};

struct kubernetes_manager_options {
  std::shared_ptr<const kubernetes::api> api;
  std::filesystem::path folder; ///< where programs are kept, one folder each; made with 0700
  std::string owner; ///< the SWOP's account, in the labels of its Jobs: no other one is ever touched
  /// As of the manager PROCESS.
  std::vector<std::filesystem::path> hidden, shown;
  std::function<pod_place(const std::string& name)> place_of;
  kubernetes::mount_places places;
  std::string own_pod; ///< in which this process is, if it is: what that has mounted programs can have, too
  std::chrono::milliseconds start_patience{30'000};
  std::chrono::milliseconds image_patience{
      120'000};                          ///< for an image that cannot be had: registries have bad minutes
  std::function<void(std::string)> tell; ///< what people are to know, one line each
};

/// The manager KUBERNETES: programs in containers of pods of a cluster, each pod in a Job of its own that is never tried again.
/// The first program of a pair is `starting` until the second one is to start, as a pod cannot be given more containers later.
/// So is one for which there is no room, or whose image is not there yet. To stop one program ends its pod, so the others of
/// it as well. What ended in a way that the cluster cannot tell (a node that went down, an eviction) is lost, by name.
result<std::unique_ptr<manager>>
make_kubernetes_manager(kubernetes_manager_options options,
                        std::function<void(const std::string& name)> on_change);

} // namespace swarm::managers
