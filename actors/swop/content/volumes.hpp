#pragma once

#include "actors/swop/content/errors.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::content {

/// A name of a task as the name of a folder: what is not a letter, digit or one of "_.-" becomes %XX, a name that is
/// too long for that ends in its digest. Different names give different folders.
std::string folder_name(std::string_view name);

/// The volumes of a host: folders, named by tasks or put there by the operator. A volume may have a copy for each SL
/// node, which is then what that node gets.
///
///     <root>/<name>           the volume
///     <root>/<name>@<idx>     the copy of the SL node idx of the profile
///     <root>/.made/<name>     says that a task made it, and so another may replace it
///     <root>/.work/           what is being made
class volumes {
public:
  explicit volumes(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  /// Where the volume lies, there or not.
  std::filesystem::path path_of(std::string_view name, std::optional<std::uint64_t> node = {}) const;
  /// Where the SL node `node`, or a build (none), finds the volume.
  result<std::filesystem::path> find(std::string_view name, std::optional<std::uint64_t> node = {}) const;
  /// Fails with content_errc::volume_in_use when something is there that no task has made.
  result<> check_replaceable(std::string_view name) const;
  /// Puts folders in the place of the volume and all of its copies: one without a number, or one for each of `nodes`.
  /// `made` are on the same file system and on the disk. An interrupted call leaves old or new copies, each whole.
  result<> install(std::string_view name, const std::vector<std::uint64_t>& nodes,
                   const std::vector<std::filesystem::path>& made) const;
  std::filesystem::path work() const { return root_ / ".work"; }

private:
  std::filesystem::path mark_of(std::string_view name) const;
  result<std::vector<std::filesystem::path>> copies_of(std::string_view name) const;

  std::filesystem::path root_;
};

} // namespace swarm::content
