#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/program_folder.hpp"

namespace swarm::managers {

/// What managers have in common that keep a folder for each of their programs, called as the program is: what is listed,
/// looked at, read and forgotten. How a program stands, each knows itself.
class folder_manager : public manager {
public:
  std::vector<program> programs() final;
  result<program> look(const std::string& name) final;
  result<std::vector<std::string>> last_lines(const std::string& name, std::size_t count) override;
  result<> remove(const std::string& name) final;

protected:
  /// `folder` is there.
  explicit folder_manager(std::filesystem::path folder) : folder_(std::move(folder)) {}

  program_folder folder_of(const std::string& name) const { return program_folder(folder_ / name); }
  std::vector<std::string> names() const;
  /// Fails with manager_errc::no_such_program.
  result<> check_there(const std::string& name) const;

  /// Of one whose folder is there, or was a moment ago.
  virtual program program_of(const std::string& name) = 0;
  /// Deletes what there is of a program that has ended.
  virtual result<> forget(const program_folder& folder) = 0;

private:
  std::filesystem::path folder_;
};

} // namespace swarm::managers
