#pragma once

#include "actors/swop/managers/manager.hpp"

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

namespace swarm::managers::testing {

/// A manager with a place on this host, whatever starts its programs. Those that derive from it make and end both.
class manager_room {
public:
  manager_room(const manager_room&) = delete;
  manager_room& operator=(const manager_room&) = delete;
  virtual ~manager_room() = default;

  managers::manager& manager() { return *manager_; }
  /// A manager that knows nothing of the one before, as after a restart.
  virtual void restart() = 0;
  /// A specification that runs `command` in a shell.
  virtual program_spec shell(std::string command, std::string name = "p") const = 0;
  /// The same for any words.
  virtual program_spec words(std::vector<std::string> argv, std::string name = "p") const = 0;
  /// A folder on the host that the program's user can write to.
  std::filesystem::path host_folder(const std::string& name) const;
  virtual const std::filesystem::path& where() const = 0;

  /// Runs a program to its end.
  program run(const program_spec& spec);
  /// Waits for a program to have ended; fails the test after 30 seconds.
  program wait(const std::string& name = "p");
  /// Its output, line by line.
  std::vector<std::string> output(const std::string& name = "p");
  /// Waits until its output has this line.
  void wait_for_line(const std::string& line, const std::string& name = "p");

protected:
  manager_room() = default;
  /// Takes what the manager tells.
  std::function<void(const std::string&)> listener();
  /// Ends and removes all programs.
  void clean_up();

  std::unique_ptr<managers::manager> manager_;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multiset<std::string> told_; ///< names that the manager said something has changed with
};

/// Waits for something to become true; false when it does not within 20 seconds.
bool eventually(const std::function<bool()>& what);

/// As which a program runs in tests: somebody else than root when the test is root.
std::uint32_t program_uid();

} // namespace swarm::managers::testing
