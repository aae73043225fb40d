#pragma once

#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// Exit codes of `run_process` beyond those that roles choose.
inline constexpr int exit_ok = 0;      ///< all roles ended well, or SIGTERM / SIGINT was obeyed
inline constexpr int exit_gave_up = 1; ///< the root gave up: the last log line says why
inline constexpr int exit_stuck = 3;   ///< an actor did not stop in time: the last log line names it

struct process_options {
  std::string log_source = "swarm";           ///< dotted name for the log lines of the root
  std::chrono::milliseconds stop_limit{5000}; ///< from the order to stop until the hard exit
  unsigned threads = 0;                       ///< CAF workers, 0: one per core, at least 4
  /// Is told of each SIGINT first; true: it was meant for something else than the process.
  std::function<bool()> on_interrupt;
  bool handle_signals = true; ///< SIGTERM and SIGINT stop in order, a second one at once; SIGPIPE is ignored
  /// Called once before the root starts, for wiring that needs the directory (asio services, admin methods).
  std::function<void(const std::shared_ptr<environment>&)> prepare;
};

/// Starts the tree under `root` (named "root"), waits for its end and returns the exit code. The tree ends
/// when SIGTERM or SIGINT comes, when the root gives up, when `end_process` is sent to it, or when every role
/// has ended; one line in the log says which. When actors are still stuck after `stop_limit`, it does not
/// return but ends the process with `exit_stuck` and a line that names them. Only one run at a time may
/// handle signals. A service manager is told when all children have been started, when the stop begins, and, by the root,
/// that the actors' threads are free (`service_notices`).
int run_process(supervisor_spec root, process_options options);

/// For `main`: runs `body` and turns an exception that reaches the top into one line on standard error and
/// `exit_gave_up`.
///   int main(int argc, char** argv) { return run_main("swarmd", [&] { return real_main(argc, argv); }); }
int run_main(std::string_view program, const std::function<int()>& body);

} // namespace swarm::actors
