#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace swarm {

/// Why a file could not be used. Messages name the path, what was wrong and what to do.
enum class file_errc {
  not_found = 1,
  exists,     ///< although it must not
  denied,     ///< by owner, mode, or a file system that is read-only
  wrong_kind, ///< a folder, FIFO or link where a regular file is wanted
  too_large,  ///< larger than the caller allows
  no_room,    ///< on the disk, or in the user's share of it
  locked,     ///< by another process
  io,
};
constexpr std::string_view error_category(file_errc) {
  return "file";
}

/// Owns a file descriptor, whatever it stands for: a file, a folder, a pipe.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& from) noexcept {
    unique_fd old(std::exchange(fd_, std::exchange(from.fd_, -1)));
    return *this;
  }
  ~unique_fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// What `file::open` takes.
enum class open_as {
  regular,  ///< regular files, also by way of symbolic links; never waits for a FIFO
  no_links, ///< the same without the links
  stream,   ///< anything with bytes in it: pipes and terminals too, which may have to be waited for
};

/// An open file. It keeps the path that it was opened with, for messages.
class file {
public:
  /// Opens a file for reading.
  static result<file> open(std::filesystem::path path, open_as what = open_as::regular);
  /// Makes a new file, to be read and written. Fails with file_errc::exists when the name is taken, even by a
  /// dangling link. `mode` is subject to the umask.
  static result<file> create(std::filesystem::path path, unsigned mode = 0600);
  /// Opens or makes `path` and locks it for this process as long as the object lives. Fails with
  /// file_errc::locked when another process has it.
  static result<file> lock(std::filesystem::path path, unsigned mode = 0600);

  const std::filesystem::path& path() const { return path_; }
  int fd() const { return fd_.get(); }
  /// Permission bits, as chmod takes them.
  result<unsigned> mode() const;
  result<std::uint64_t> size() const;
  /// Fills `to` from the current place on. Returns how many bytes were read; fewer than its size means that
  /// the file has ended.
  result<std::size_t> read(std::span<std::uint8_t> to) const;
  result<> write_at(std::uint64_t offset, bytes_view data) const;
  /// Makes the file `size` bytes long and, where the file system can, reserves the room on the disk.
  result<> reserve(std::uint64_t size) const;
  /// When this returns, what was written is on the disk. The name of a new file is not yet:
  /// see `sync_folder`.
  result<> sync() const;

private:
  file(std::filesystem::path path, unique_fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  unique_fd fd_;
};

/// Reads a whole file. Fails with file_errc::too_large when it has more than `bytes_max` bytes.
result<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max,
                              open_as what = open_as::regular);

/// Puts `content` under the name `path`, in place of what was there. Even after a power cut the name stands
/// for all of the old or all of the new content, and for the new one once this has returned. The content is
/// written to `path` with ".new" appended first, so a path may have only one writer at a time. A symbolic
/// link is replaced, not followed.
result<> replace_file(const std::filesystem::path& path, bytes_view content, unsigned mode = 0600);

/// The same for a name that is not taken yet. Several callers may try at once: the first one wins, the others
/// get file_errc::exists.
result<> create_file(const std::filesystem::path& path, bytes_view content, unsigned mode = 0600);

/// Gives a file another name, in place of what was there. The change is durable after `sync_folder`.
result<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes a file; false when there is none. The change is durable after `sync_folder`.
result<bool> remove_file(const std::filesystem::path& path);

/// When this returns, everything made, renamed or removed in `folder` so far is durable.
result<> sync_folder(const std::filesystem::path& folder);

/// Makes `folder` with `mode`, and missing folders above it with 0777, both subject to the umask. They are
/// durable when this returns. A folder that exists stays as it is.
result<> make_folders(const std::filesystem::path& folder, unsigned mode = 0777);

} // namespace swarm
