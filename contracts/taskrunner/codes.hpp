#pragma once

#include <cstdint>
#include <string_view>

/// The codes of interfaces/ITaskrunner.sol and the words that people read for them. New ones come last. What `number`
/// says with a code stands behind it.
namespace swarm::contracts {

enum class taskrunner_state : std::uint8_t { idle, enrolling, running, complete, error };
enum class assign_mode : std::uint8_t { with_peers, all_peers, target };
/// How far a SWOP is with its part in a run, or one of its pairs.
enum class part_status : std::uint8_t {
  none,    ///< it takes no part
  invited, ///< it has to enrol, as `assignTo` named it
  active,
  complete,
  failed
};

enum class task_step : std::uint8_t {
  enrolled, ///< nothing begun yet
  waiting_for_prerequisite,
  preparing_volumes,
  pulling_image,
  building,    ///< step of the build
  downloading, ///< MiB so far
  extracting,
  starting_sl,
  waiting_for_sl,
  starting_ml,
  waiting_for_session, ///< ML runs and has not opened its session yet
  training,            ///< round
  waiting_for_peers,   ///< round
  waiting_for_end,     ///< the training is over, ML still runs
  ended,
  stopping,
  // Since version 3 of the chain's rules:
  starting_sn,
  waiting_for_sn ///< to be a member; the newest block that it has
};

/// Why a SWOP's part, or a pair, failed.
enum class task_failure : std::uint8_t {
  none,
  program_exited, ///< exit code
  program_killed, ///< signal
  out_of_memory,
  sl_exited, ///< exit code
  cannot_start,
  sandbox_forbidden, ///< the host forbids namespaces
  path_not_allowed,
  path_missing,
  volume_missing,
  prerequisite_missing,
  task_not_valid,
  needs_container_engine,
  build_failed,    ///< step of the build
  download_failed, ///< HTTP status, or below 100 the code of libcurl, or 0
  too_large,
  wrong_checksum,
  archive_refused, ///< broken, or it would leave its folder
  disk_failed,
  gpu_missing,
  time_limit,     ///< seconds
  processes_lost, ///< a restarted SWOP did not find them again
  swop_stopped,
  swop_failed,
  left,        ///< the SWOP listens no longer; only the contract sets this
  not_allowed, ///< the SWOP's policy does not take tasks of this organisation
  // Since version 3 of the chain's rules:
  node_not_offered,   ///< the SWOP's profile has no such node for tasks to start
  certificate_refused ///< that of a node which a task starts: of another organisation or role, or none
};

constexpr taskrunner_state last_value(taskrunner_state) {
  return taskrunner_state::error;
}
constexpr assign_mode last_value(assign_mode) {
  return assign_mode::target;
}
constexpr part_status last_value(part_status) {
  return part_status::failed;
}
constexpr task_step last_value(task_step) {
  return task_step::waiting_for_sn;
}
constexpr task_failure last_value(task_failure) {
  return task_failure::certificate_refused;
}

/// The version of the chain's rules with which a report in these codes came.
constexpr std::uint64_t rules_of(task_step step, task_failure failure) {
  return step > task_step::stopping || failure > task_failure::not_allowed ? 3 : 1;
}

/// "IDLE", "ENROLLING", "RUNNING", "COMPLETE", "ERROR".
std::string_view to_string(taskrunner_state state);
/// "WITH PEERS", "WITH ALL PEERS", "TARGET".
std::string_view to_string(assign_mode mode);
/// "NONE", "INVITED", "ACTIVE", "COMPLETE", "FAILED".
std::string_view to_string(part_status status);
/// For example "waiting for the prerequisite".
std::string_view to_string(task_step step);
/// For example "the program exited"; "none" for none.
std::string_view to_string(task_failure failure);

/// What `number` counts with this code, for example "round"; empty when it says nothing.
std::string_view number_word(task_step step);
std::string_view number_word(task_failure failure, std::uint64_t number);

} // namespace swarm::contracts
