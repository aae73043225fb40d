#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::managers {

/// Why a manager could not do what it was told. A task's failure code follows from it.
enum class manager_errc {
  bad_spec = 1,     ///< the specification breaks a rule
  name_taken,       ///< a program of this name is there; it has to be removed first
  no_such_program,  ///< there is no program of this name that is the manager's own
  still_running,    ///< it has to be stopped first
  path_missing,     ///< the source of a mount is not there
  path_not_allowed, ///< the source of a mount would show what is none of a program's business
  not_installed,    ///< a part that the manager needs is missing on this host
  forbidden,        ///< the host forbids what the manager needs; the message says what to enable
  not_started,      ///< the sandbox could not be made as the specification wants it
  image_missing,    ///< the image of a container is not there
  no_such_command,  ///< the program itself is not there, or cannot be executed
  timeout,          ///< the host did not answer in time
  io,
};
constexpr std::string_view error_category(manager_errc) {
  return "manager";
}

/// What ended a program.
enum class ending_cause {
  itself,          ///< it exited, or a signal of its own making ended it
  told,            ///< by `manager::stop`
  deadline,        ///< its `run_time_max` was over
  out_of_memory,   ///< the kernel ended it, as far as can be known
  process_limit,   ///< it had more processes than it may have
  not_started,     ///< the sandbox could not be made
  no_such_command, ///< there was nothing to execute
  lost,            ///< who watched it was killed, or the host went down: nobody knows how it ended
};

struct ending {
  ending_cause cause = ending_cause::lost;
  std::optional<int> exit_code; ///< when it exited
  std::optional<int> signal;    ///< when a signal ended it
  std::string message;          ///< more for a person; may be empty

  bool operator==(const ending&) const = default;
};

enum class program_phase {
  starting,
  running,
  ended,
};

/// What a manager knows of a program, after a restart as before.
struct program {
  std::string name;
  program_phase phase = program_phase::starting;
  std::uint64_t started_ms = 0; ///< since 1970; 0 when it never ran
  std::uint64_t ended_ms = 0;   ///< since 1970; 0 when it runs, or when nobody knows
  std::optional<ending> how;    ///< once it has ended

  bool operator==(const program&) const = default;
};

/// Starts and ends programs: a process in a sandbox, a container, a job of a cluster. Programs outlive the manager:
/// one made anew on the same folder has those of its predecessor. All calls may be made from any thread; each blocks
/// for seconds at most. What happens to a program by itself is told to the `listener` of whoever made the manager:
/// a hint to `look`, never a fact of its own.
class manager {
public:
  virtual ~manager() = default;

  /// Whether programs can be started here: fails with manager_errc::not_installed or forbidden, and says what to do.
  virtual result<> check() = 0;

  /// Starts a program; when this returns it runs. A program that could not be started leaves nothing behind.
  virtual result<> start(const program_spec& spec) = 0;

  /// All programs that are this manager's own, by name. What is not is not listed, and not touched.
  virtual std::vector<program> programs() = 0;
  virtual result<program> look(const std::string& name) = 0;

  /// Tells a program to end (SIGTERM to all its processes) and kills them all after `grace`. Returns when that is
  /// under way; a program that has ended already is no error.
  virtual result<> stop(const std::string& name, std::chrono::milliseconds grace) = 0;

  /// The last lines that a program wrote, at most `count`, fit to be shown: valid UTF-8, no control characters, at
  /// most `output_line_bytes_max` bytes each.
  virtual result<std::vector<std::string>> last_lines(const std::string& name, std::size_t count) = 0;

  /// Forgets a program that has ended, and deletes its output where the manager chose the folder.
  virtual result<> remove(const std::string& name) = 0;
};

constexpr std::size_t output_line_bytes_max = 2000;
constexpr std::size_t output_lines_max = 1000;

} // namespace swarm::managers
