#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace swarm::managers::slurm {

/// The folder of one allocation, by which this host and the job's script speak.
///
/// | file | by | what it is |
/// |---|---|---|
/// | `job.sh`, `job.log` | this host, Slurm | the script, and what it says |
/// | `NAME.wanted` | this host | the folder of a program that is to run; `.taken` once it does |
/// | `closed` | this host | nothing more is wanted |
///
/// In the folder of a program the script puts `report`, what its shim reports, and `shim-gone` once that has ended.
class allocation {
public:
  explicit allocation(std::filesystem::path where) : where_(std::move(where)) {}

  /// A new folder with the script, below `folder`, by a name that begins so and is given to no other one.
  static result<allocation> make(const std::filesystem::path& folder, const std::string& name);

  const std::filesystem::path& where() const { return where_; }
  std::string name() const { return where_.filename().string(); }
  std::filesystem::path script() const { return where_ / "job.sh"; }
  std::filesystem::path output() const { return where_ / "job.log"; }

  result<> want(const std::string& name, const std::filesystem::path& folder) const;
  bool is_closed() const;
  void close() const;
  /// Once its job has ended: the script removes it otherwise.
  void remove() const;

private:
  std::filesystem::path where_;
};

} // namespace swarm::managers::slurm
