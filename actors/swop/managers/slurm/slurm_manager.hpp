#pragma once

#include "actors/swop/managers/manager.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace swarm::managers {

/// In the words of a program: stands for the address of the node on which it runs, which nobody knows beforehand.
inline constexpr std::string_view node_address_word = "SWARM_NODE_ADDRESS";

struct slurm_manager_options {
  /// Where programs are kept, one folder each; made with 0700. All nodes have this file system, and `shim`.
  std::filesystem::path folder;
  std::filesystem::path shim; ///< the program swarm-shim; empty for the one beside this program
  std::string owner;          ///< the SWOP's account, in the names of its jobs: no other job is ever touched
  /// As of the manager PROCESS.
  std::vector<std::filesystem::path> hidden, volumes;
  /// Programs that belong together are in one allocation, as soon as one of them runs. One word.
  std::function<std::string(const std::string& name)> allocation_of;
  /// What programs share below this folder is a folder of the node's own disk: the pipes of a pair.
  std::filesystem::path channels;
  std::filesystem::path local = "/tmp"; ///< where, on each node
  std::chrono::milliseconds start_patience{30'000};
  std::function<void(std::string)> tell; ///< what people are to know, one line each
};

/// The manager SLURM: programs in sandboxes on a node of the cluster, as those of PROCESS are on this host. An allocation is a
/// job, which runs a `swarm-shim` for each program and ends some seconds after the last of them. How large it is, and in
/// which partition, say Slurm's own variables (SBATCH_PARTITION, SBATCH_GPUS, ...) of this process. A program whose job waits
/// in the queue is `starting`, however long. One whose job Slurm has ended (its node failed, its time was over, another job took
/// its place, somebody cancelled it) is lost: Slurm's word for it and the node are in the message. What may still run of it, on a
/// node that Slurm hears no more of, ends as soon as it sees that.
result<std::unique_ptr<manager>> make_slurm_manager(slurm_manager_options options,
                                                    std::function<void(const std::string& name)> on_change);

} // namespace swarm::managers
