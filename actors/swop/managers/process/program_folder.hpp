#pragma once

#include "actors/swop/managers/process/state.hpp"
#include "base/file.hpp"

#include <filesystem>
#include <optional>

namespace swarm::managers {

/// The folder of one program, below the manager's. Whatever moment its makers were killed at, it can be read.
///
/// | file | by | what it is |
/// |---|---|---|
/// | `spec.json` | the manager, first of all | the specification |
/// | `lock` | the shim | locked as long as the shim lives: the kernel's word, which cannot be out of date |
/// | `state.json` | the shim | `shim_state`, replaced as a whole |
/// | `reserve` | the shim | room on the disk for the last state, should there be no other by then |
/// | `control` | the shim | a socket that takes `stop` |
/// | `output.log...` | the shim | unless the specification has another folder |
class program_folder {
public:
  explicit program_folder(std::filesystem::path where) : where_(std::move(where)) {}

  const std::filesystem::path& where() const { return where_; }
  std::filesystem::path spec_file() const { return where_ / "spec.json"; }
  std::filesystem::path state_file() const { return where_ / "state.json"; }
  std::filesystem::path lock_file() const { return where_ / "lock"; }
  static constexpr const char* control_name = "control";
  static constexpr const char* stop_name =
      "stop"; ///< a file that says the same, by a manager on another host

  /// Makes the folder (0700) and the specification in it. Fails with manager_errc::name_taken when there is one.
  result<> make(const program_spec& spec) const;
  result<program_spec> spec() const;
  result<shim_state> state() const;
  result<> write(const shim_state& state) const;
  /// Takes room on the disk that `free_room` gives back, so that the last state can be written whatever else was.
  result<> put_room_aside() const;
  void free_room() const;
  /// Whether a shim lives that has this folder.
  bool has_shim() const;
  std::filesystem::path output(const program_spec& spec) const;
  /// Deletes the files that belong here, and the folder if that is all there was in it.
  result<> remove() const;

private:
  std::filesystem::path where_;
};

/// What a folder says of its program. Without a shim there is nobody left who watches it: what has not ended by its
/// state has ended all the same, and nobody knows how.
program program_in(const program_folder& folder, const std::string& name);

/// The processes of a program that a shim left behind: those of its state that are still the same.
std::optional<unique_fd> left_behind(const shim_state& state);

} // namespace swarm::managers
