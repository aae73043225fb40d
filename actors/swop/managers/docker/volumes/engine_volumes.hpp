#pragma once

#include "actors/swop/managers/docker/engine/client.hpp"

#include <filesystem>

namespace swarm::engine {

enum class volume_errc {
  none = 1, ///< there is no volume of this name
  in_use,   ///< the name belongs to a volume that no task has made, or programs use it
};
constexpr std::string_view error_category(volume_errc) {
  return "volume";
}

/// A volume of the engine, as tasks name it.
struct named_volume {
  std::string name; ///< the engine's
  bool made_by_task = false;
};

/// The volume NAME, or the copy of it that the SL node `node` has, which is `NAME-<node>`. Fails with volume_errc::none,
/// also where no volume can have this name.
result<named_volume> find_volume(client& of, const std::string& name, std::optional<std::uint64_t> node = {});

/// Files come and go through containers that have a volume and never run. `owner` is in their label `swarmd.helper`, so
/// that those that a SWOP left behind when it was killed are found and removed.
void remove_helpers(client& of, const std::string& owner);

/// Copies folders of this host into the place of the volume NAME and of all of its copies: one without a number, or one
/// for each of `nodes`. Everything in them belongs to `uid` and `gid`. What was there goes; a call that fails leaves the
/// volume without it. One SWOP at a time replaces a volume; of its copies only those go that it made itself. Fails with
/// volume_errc::in_use.
result<> fill_volumes(client& of, const std::string& owner, const std::string& name,
                      const std::vector<std::uint64_t>& nodes,
                      const std::vector<std::filesystem::path>& folders, std::uint32_t uid, std::uint32_t gid,
                      const std::stop_token& stop);

/// Gives all that a volume has as an archive of tar, in pieces.
result<> read_volume(client& of, const std::string& owner, const std::string& name, const body_sink& sink,
                     const std::stop_token& stop);

} // namespace swarm::engine
