#pragma once

#include "actors/swop/managers/process/process_manager.hpp"
#include "actors/swop/managers/testing/manager_room.hpp"
#include "base/testing/temporary_folder.hpp"

namespace swarm::managers::testing {

/// A folder with a manager of sandboxes in it, that is gone after the test with all that the manager started.
class program_room final : public manager_room {
public:
  /// `before` is called with the manager's folder and a specification before there is a manager.
  using prologue = std::function<void(const std::filesystem::path&, const program_spec&)>;
  explicit program_room(const prologue& before = {});
  ~program_room() override;

  /// Whether sandboxes can be made on this host. Says so once when not; a test returns then.
  static bool has_sandboxes();

  const std::filesystem::path& where() const override { return where_; }
  /// The folder of a program.
  std::filesystem::path folder(const std::string& name = "p") const { return where_ / "programs" / name; }
  void restart() override;
  /// Lets the manager start another shim from here on.
  void use_shim(const std::filesystem::path& shim);

  program_spec shell(std::string command, std::string name = "p") const override;
  program_spec words(std::vector<std::string> argv, std::string name = "p") const override;

private:
  void make_manager(const std::filesystem::path& shim);

  swarm::testing::temporary_folder folder_;
  const std::filesystem::path& where_ = folder_.path();
};

} // namespace swarm::managers::testing
