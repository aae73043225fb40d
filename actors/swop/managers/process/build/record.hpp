#pragma once

#include "actors/swop/managers/process/build/environment.hpp"

namespace swarm::build {

/// What is known of a finished environment.
struct record_entry {
  std::string digest;
  std::filesystem::path folder;
  variables environment;
  std::string working_folder;

  built_environment built() const {
    return {folder / "venv/bin/python", folder, folder / "root", environment, working_folder};
  }
};

/// The file that says which folder an environment's name stands for. An environment cannot be moved once pip has
/// written paths into it, so each is built in a folder of its own, and the name changes hands when it is finished.
class record {
public:
  record(std::filesystem::path environments, std::string_view name);

  std::optional<record_entry> read() const;
  result<> write(const record_entry& entry) const;
  result<std::filesystem::path> new_folder() const;
  /// Removes all other folders of this name: older ones, and those of builds that were killed.
  void drop_others(const std::filesystem::path& than) const;

private:
  std::filesystem::path environments_;
  std::string name_;
};

} // namespace swarm::build
