#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::managers::slurm {

struct job_fact {
  std::string state; ///< in Slurm's words, such as RUNNING or NODE_FAIL
  std::string node;  ///< on which it runs or has run
  bool operator==(const job_fact&) const = default;
};

/// What Slurm says of this user's jobs, by their names. One that ended long ago (MinJobAge) is in it no more.
using job_states = std::map<std::string, job_fact>;

/// The lines of `squeue --format=%T|%N|%j`; the last one of a name counts. What is no such line is passed over.
job_states read_jobs(std::string_view text);

/// Whether a job in this state has processes, or may get some. A word that is not known here is taken for such a one.
bool is_live(std::string_view state);
bool is_waiting(std::string_view state);

/// Some nodes of a partition, those in one state; both words are Slurm's own.
struct partition {
  std::string name;
  bool is_default = false;
  bool is_up = false; ///< it takes jobs
  std::uint64_t nodes = 0;
  std::string state; ///< of these nodes, such as idle, mix or down*
  std::string host;  ///< their name
  bool operator==(const partition&) const = default;
};
/// The lines of `sinfo --format=%P|%a|%D|%t|%n`; what is no such line is passed over.
std::vector<partition> read_partitions(std::string_view text);
/// Whether nodes in this state run jobs, now or when there is room.
bool takes_jobs(std::string_view node_state);

struct job_request {
  std::string name;
  std::filesystem::path script;
  std::vector<std::string> arguments;
  std::filesystem::path output;
};

// The commands of Slurm, which are found by PATH and configured by the environment (SLURM_CONF, SBATCH_PARTITION, ...).
// Each fails with manager_errc::not_installed, timeout, or io and what the command said.

/// Whether the scheduler answers.
result<> check_scheduler();
/// What this user may use of the cluster.
result<std::vector<partition>> partitions();
/// The version that `sbatch` says, such as "slurm-wlm 22.05.8".
result<std::string> version();
/// Gives a job of one node to the scheduler, which never starts it a second time.
result<> submit(const job_request& what);
/// Those of this user whose names begin so.
result<job_states> jobs_named(std::string_view prefix, const std::stop_token& stop = {});
/// Ends a job of this user by its whole name. One that has ended already is no error.
result<> cancel(const std::string& name);

} // namespace swarm::managers::slurm
