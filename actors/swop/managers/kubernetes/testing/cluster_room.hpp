#pragma once

#include "actors/swop/managers/kubernetes/kubernetes_manager.hpp"
#include "actors/swop/managers/kubernetes/testing/cluster.hpp"
#include "actors/swop/managers/testing/manager_room.hpp"

namespace swarm::managers::testing {

/// A manager of pods in a cluster, that is gone after the test with all that it started. Names such as `a.sl` and `a.ml` are
/// a pair.
class cluster_room final : public manager_room {
public:
  explicit cluster_room(kubernetes::testing::cluster& in, std::string owner = "test-owner");
  ~cluster_room() override;

  void restart() override;
  program_spec shell(std::string command, std::string name = "p") const override;
  program_spec words(std::vector<std::string> argv, std::string name = "p") const override;
  const std::filesystem::path& where() const override { return folder_.path(); }

  void patience(std::chrono::milliseconds start, std::chrono::milliseconds image);
  /// From now on as if this process were in a pod of this name.
  void be_in(std::string pod);
  /// Below it are the pipes of pairs.
  std::filesystem::path channels() const { return where() / "parts"; }
  /// What the manager told people.
  std::vector<std::string> told() const;

private:
  swarm::testing::temporary_folder folder_;
  std::shared_ptr<const kubernetes::api> api_;
  std::string owner_, own_pod_;
  std::chrono::milliseconds start_patience_{10'000}, image_patience_{100};
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
};

} // namespace swarm::managers::testing
