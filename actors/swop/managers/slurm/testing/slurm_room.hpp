#pragma once

#include "actors/swop/managers/slurm/slurm_manager.hpp"
#include "actors/swop/managers/testing/manager_room.hpp"
#include "base/testing/temporary_folder.hpp"

namespace swarm::managers::testing {

/// A folder with a manager of Slurm jobs in it, that is gone after the test with all that the manager started. All rooms of a
/// process have one Slurm of this host, which is started with the first.
class slurm_room final : public manager_room {
public:
  slurm_room();
  ~slurm_room() override;

  /// Whether there can be a Slurm here, with sandboxes. Says so once when not; a test returns then.
  static bool has_slurm();

  const std::filesystem::path& where() const override { return where_; }
  void restart() override;
  program_spec shell(std::string command, std::string name = "p") const override;
  program_spec words(std::vector<std::string> argv, std::string name = "p") const override;

  /// How long a start waits for a job that is in the queue.
  void patience(std::chrono::milliseconds most);
  /// Below it are the pipes of pairs.
  std::filesystem::path channels() const { return where_ / "parts"; }
  /// What a command says.
  static std::string said_by(const std::string& command);

private:
  swarm::testing::temporary_folder folder_;
  const std::filesystem::path& where_ = folder_.path();
  std::chrono::milliseconds patience_{30'000};
};

} // namespace swarm::managers::testing
