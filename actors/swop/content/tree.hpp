#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <stop_token>

namespace swarm::content {

/// Whether anything has this name, if only a link that leads nowhere.
bool is_there(const std::filesystem::path& path);

/// Removes a file, a link or a folder with all that is in it. Links are not followed. What is not there is fine.
result<> remove_tree(const std::filesystem::path& what);

/// Moves what is in the folder `from` into the folder `to`, which need not exist. Files replace files of the same
/// name, folders are joined; a folder is never put where a file or a link is.
result<> move_tree_into(const std::filesystem::path& from, const std::filesystem::path& to);

/// Copies the folder `from` to `to`, which must not exist. Links are copied as links.
result<> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::stop_token& stop);

/// When this returns, all that was written to the file system of `folder` is on the disk.
result<> sync_file_system(const std::filesystem::path& folder);

} // namespace swarm::content
