#pragma once

#include "base/file.hpp"

#include <string>
#include <vector>

namespace swarm::content {

/// A folder that is only changed below itself: every part of a path is opened on its own, and none that is a
/// symbolic link. Paths are parts without "." and "..", as `split_path` gives them.
class confined_folder {
public:
  static result<confined_folder> open(std::filesystem::path path);

  result<> make_folders(const std::vector<std::string>& path) const;
  /// A new file for writing, in place of a file or link that was there. Missing folders are made.
  result<unique_fd> make_file(const std::vector<std::string>& path, bool executable) const;
  result<> make_symlink(const std::vector<std::string>& path, const std::string& target) const;
  /// Gives the regular file `existing` a second name. Returns its size.
  result<std::uint64_t> make_hard_link(const std::vector<std::string>& path,
                                       const std::vector<std::string>& existing) const;
  const std::filesystem::path& path() const { return path_; }

private:
  confined_folder(std::filesystem::path path, unique_fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  /// The folder with the first `count` parts of `path`.
  result<unique_fd> walk(const std::vector<std::string>& path, std::size_t count, bool make) const;
  /// The same for the folder in which `path` lies, with nothing but a folder left under its name.
  result<unique_fd> place_for(const std::vector<std::string>& path) const;

  std::filesystem::path path_;
  unique_fd fd_;
};

} // namespace swarm::content
