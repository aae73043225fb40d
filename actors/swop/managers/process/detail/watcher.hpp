#pragma once

#include "actors/swop/managers/process/program_folder.hpp"
#include "base/clock.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace swarm::managers::detail {

/// A thread that waits for shims to end, whoever started them, and ends those that do not when they should.
class watcher {
public:
  explicit watcher(std::function<void(const std::string&)> on_end);
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;
  ~watcher();

  void watch(const std::string& name, program_folder folder);
  /// Kills the shim, and with it the sandbox, if it is still there then.
  void kill_after(const std::string& name, std::chrono::milliseconds patience);

private:
  struct watched {
    program_folder folder;
    std::optional<unique_fd> shim; ///< nothing as long as the state does not say who it is
    std::optional<time_point> kill_at;
  };

  void run(const std::stop_token& stop);
  /// Those that have ended; they are no longer watched.
  std::vector<std::string> look();
  std::vector<int> descriptors();

  std::function<void(const std::string&)> on_end_;
  std::mutex mutex_;
  std::map<std::string, watched> watched_;
  unique_fd wake_;
  std::jthread thread_;
};

} // namespace swarm::managers::detail
