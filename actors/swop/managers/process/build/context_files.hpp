#pragma once

#include "actors/swop/content/extract/confined_folder.hpp"
#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "base/bytes.hpp"
#include "base/hash.hpp"

#include <filesystem>
#include <stop_token>

namespace swarm::build {

/// A file of a build context, and where it goes.
struct context_file {
  std::filesystem::path from;
  std::string to; ///< path in the image
};

/// The files that a COPY means, patterns in sources resolved, in a stable order. Nothing outside of the context is
/// read, whatever links say. `missing` gets the sources that match nothing.
result<std::vector<context_file>> files_of(const copy_files& what, const std::filesystem::path& context,
                                           std::vector<std::string>& missing);

/// Files in the folder `root` of an image that a path with a pattern means; the path itself if there are none.
std::vector<std::filesystem::path> matches_of(const std::filesystem::path& root, std::string_view path);

/// Adds paths and contents to a digest.
result<> digest_files(const std::vector<context_file>& files, sha256_stream& to, const std::stop_token& stop);

/// The folder that stands for an image. What a build's programs left in it may be links to anywhere: none is followed
/// when something is written. Paths are those of the image.
class image_folder {
public:
  static result<image_folder> open(const std::filesystem::path& root);

  result<> make_folders(std::string_view path) const;
  result<> write(std::string_view path, std::string_view text) const;
  result<> place(const context_file& what) const;
  /// A second name for a file of the image.
  result<> link(std::string_view path, std::string_view existing) const;

private:
  explicit image_folder(content::confined_folder folder) : folder_(std::move(folder)) {}

  content::confined_folder folder_;
};

} // namespace swarm::build
