#pragma once

#include "actors/swop/managers/process/process_manager.hpp"
#include "base/testing/temporary_folder.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

namespace swarm::managers::testing {

/// A folder with a manager in it, that is gone after the test with all that the manager started.
class program_room {
public:
  /// `before` is called with the manager's folder and a specification before there is a manager.
  using prologue = std::function<void(const std::filesystem::path&, const program_spec&)>;
  explicit program_room(const prologue& before = {});
  program_room(const program_room&) = delete;
  program_room& operator=(const program_room&) = delete;
  ~program_room();

  /// Whether sandboxes can be made on this host. Says so once when not; a test returns then.
  static bool has_sandboxes();

  managers::manager& manager() { return *manager_; }
  const std::filesystem::path& where() const { return where_; }
  /// The folder of a program.
  std::filesystem::path folder(const std::string& name = "p") const { return where_ / "programs" / name; }
  /// A manager that knows nothing of the one before, as after a restart.
  void restart();
  /// Lets the manager start another shim from here on.
  void use_shim(const std::filesystem::path& shim);

  /// A specification that runs `command` in a shell.
  program_spec shell(std::string command, std::string name = "p") const;
  /// A folder on the host that the program's user can write to.
  std::filesystem::path host_folder(const std::string& name) const;

  /// Runs a program to its end.
  program run(const program_spec& spec);
  /// Waits for a program to have ended; fails the test after 30 seconds.
  program wait(const std::string& name = "p");
  /// Its output, line by line.
  std::vector<std::string> output(const std::string& name = "p");
  /// Waits until its output has this line.
  void wait_for_line(const std::string& line, const std::string& name = "p");

private:
  void make_manager(const std::filesystem::path& shim);

  swarm::testing::temporary_folder folder_;
  const std::filesystem::path& where_ = folder_.path();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multiset<std::string> told_; ///< names that the manager said something has changed with
  std::unique_ptr<managers::manager> manager_;
};

/// Waits for something to become true; false when it does not within 20 seconds.
bool eventually(const std::function<bool()>& what);

/// As which a program runs in tests: somebody else than root when the test is root.
std::uint32_t program_uid();

} // namespace swarm::managers::testing
