#pragma once

#include "actors/swop/plan/pair_plan.hpp"

namespace swarm::actors {

/// Which paths of this host programs may be given. A profile is the operator's own and may name any path; a task comes
/// from the chain, so what it names has to lie in the user directory, in the profile's folder, in what the profile
/// names, or in `--allow-path`, once symbolic links are followed.
class host_paths {
public:
  enum class said_by { profile, task };

  explicit host_paths(const swop_context& context);

  /// Where the source of `wanted` lies on this host, for the SL node `node`: a volume, or a path. In a path
  /// `/platform/swarm/usr` stands for the user directory. Where there are containers a volume is the engine's, and its
  /// name is what comes back: of NODE's own copy, if it has one; in pods a claim's, where the operator has named it. A task may use those that tasks made, `sl-cli-lib`, what
  /// the profile names and `--allow-volume`.
  result<std::filesystem::path> source_of(const tasks::mount& wanted, std::optional<std::uint16_t> node,
                                          said_by whom) const;
  /// The same for a path that this process is to read itself.
  result<std::filesystem::path> here(const std::string& source, said_by whom) const;
  /// A path of this process as the engine has it, for mounts; the same one unless this process is in a container.
  result<std::filesystem::path> on_host(const std::filesystem::path& here) const;
  const std::vector<std::filesystem::path>& allowed() const { return allowed_; }

private:
  result<std::filesystem::path> path_elsewhere(const std::filesystem::path& path, said_by whom) const;
  bool is_named_volume(const std::string& name) const;
  result<std::filesystem::path> volume_of_engine(const std::string& name, std::optional<std::uint16_t> node,
                                                 said_by whom) const;

  const swop_context& context_;
  std::vector<std::filesystem::path> allowed_; ///< canonical
  std::vector<std::filesystem::path> named_;   ///< the same as they were said
};

} // namespace swarm::actors
