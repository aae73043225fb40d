#include "base/file.hpp"

#include "base/disk_observer.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <vector>

namespace swarm {

namespace fs = std::filesystem;

namespace {

using change = disk_change_kind;

std::atomic<disk_observer*> observer = nullptr;

void note(const disk_change& made) {
  if (auto* who = observer.load(std::memory_order_acquire)) who->on_change(made);
}

file_errc code_of(int reason) {
  switch (reason) {
  case ENOENT:
  case ENOTDIR:
    return file_errc::not_found;
  case EEXIST:
    return file_errc::exists;
  case EACCES:
  case EPERM:
  case EROFS:
    return file_errc::denied;
  case EISDIR:
  case ELOOP:
  case ENXIO: // a FIFO that nobody reads
    return file_errc::wrong_kind;
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return file_errc::no_room;
  default:
    return file_errc::io;
  }
}

std::string_view remedy_of(int reason) {
  switch (reason) {
  case EACCES:
  case EPERM:
    return "; check owner and mode of it and of its folder";
  case EROFS:
    return "; choose a place on a file system that can be written";
  case ENOTDIR:
    return "; a part of the path is no folder, correct it";
  case ELOOP:
    return "; it is a symbolic link, which is not followed here";
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return "; make room or choose another disk";
  default:
    return "";
  }
}

/// `done` completes "cannot be ...", `reason` is an errno.
tl::unexpected<error> failure(const fs::path& path, std::string_view done, int reason) {
  return fail(code_of(reason), "{}: cannot be {}: {}{}", path.native(), done, std::strerror(reason),
              remedy_of(reason));
}

/// The error of a call that should have made a new name.
tl::unexpected<error> cannot_make(const fs::path& path, int reason) {
  if (reason == ENOENT)
    return fail(file_errc::not_found, "{}: cannot be made: its folder does not exist; make it first",
                path.native());
  return failure(path, "made", reason);
}

fs::path folder_of(const fs::path& path) {
  auto folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

result<> write_draft(const file& draft, bytes_view content) {
  SWARM_CHECK(draft.write_at(0, content));
  return draft.sync();
}

/// Gives the finished file `from` the name `to`, unless that name is taken.
result<> publish_new(const fs::path& from, const fs::path& to) {
  int failed = ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (failed == 0) {
    ::unlink(from.c_str());
  } else if (failed != EEXIST) { // some file systems have no hard links, but can rename without replacing
    failed = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  }
  if (failed != 0) return cannot_make(to, failed);
  note({.kind = change::rename, .path = from, .to = &to});
  return {};
}

} // namespace

void observe_disk(disk_observer* who) {
  observer.store(who, std::memory_order_release);
}

unique_fd::~unique_fd() {
  if (fd_ >= 0) ::close(fd_);
}

result<file> file::open(fs::path path, open_as what) {
  int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
  if (what != open_as::stream) flags |= O_NONBLOCK;
  if (what == open_as::no_links) flags |= O_NOFOLLOW;
  unique_fd fd(::open(path.c_str(), flags));
  if (!fd) return failure(path, "opened", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return failure(path, "examined", errno);
  if (S_ISDIR(info.st_mode)) return fail(file_errc::wrong_kind, "{}: is a folder, not a file", path.native());
  if (what != open_as::stream && !S_ISREG(info.st_mode))
    return fail(file_errc::wrong_kind, "{}: is not a regular file", path.native());
  return file(std::move(path), std::move(fd));
}

result<file> file::create(fs::path path, unsigned mode) {
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<::mode_t>(mode)));
  if (!fd) return cannot_make(path, errno);
  note({.kind = change::create, .path = path});
  return file(std::move(path), std::move(fd));
}

result<file> file::lock(fs::path path, unsigned mode) {
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, static_cast<::mode_t>(mode)));
  if (!fd) return cannot_make(path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(file_errc::locked, "{}: another process has it", path.native());
    return failure(path, "locked", errno);
  }
  return file(std::move(path), std::move(fd));
}

result<unsigned> file::mode() const {
  struct stat info {};
  if (::fstat(fd(), &info) != 0) return failure(path_, "examined", errno);
  return info.st_mode & 07777U;
}

result<std::uint64_t> file::size() const {
  struct stat info {};
  if (::fstat(fd(), &info) != 0) return failure(path_, "examined", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

result<std::size_t> file::read(std::span<std::uint8_t> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto got = ::read(fd(), to.data() + done, to.size() - done);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(path_, "read", errno);
    done += static_cast<std::size_t>(got);
  }
  return done;
}

result<> file::write_at(std::uint64_t offset, bytes_view data) const {
  const auto begin = offset;
  for (auto rest = data; !rest.empty();) {
    const auto count = ::pwrite(fd(), rest.data(), rest.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(path_, "written", errno);
    rest = rest.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  note({.kind = change::write, .path = path_, .offset = begin, .data = data});
  return {};
}

result<> file::reserve(std::uint64_t size) const {
  // On file systems without fallocate a full disk shows only at the write.
  if (::fallocate(fd(), 0, 0, static_cast<::off_t>(size)) == 0) {
    note({.kind = change::resize, .path = path_, .size = size});
    return {};
  }
  if (code_of(errno) == file_errc::no_room) return failure(path_, "given its room on the disk", errno);
  return {};
}

result<> file::sync() const {
  if (::fsync(fd()) != 0) return failure(path_, "brought to disk", errno);
  note({.kind = change::sync, .path = path_});
  return {};
}

result<std::string> read_file(const fs::path& path, std::uint64_t bytes_max, open_as what) {
  SWARM_TRY(const auto from, file::open(path, what));
  constexpr std::size_t step = 64 * 1024;
  std::string out;
  // Asks for one byte more than allowed: reading it shows that the file is too large, whatever
  // size it claims.
  while (out.size() <= bytes_max) {
    const auto before = out.size();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(step, bytes_max + 1 - before));
    out.resize(before + wanted);
    SWARM_TRY(const auto got, from.read({reinterpret_cast<std::uint8_t*>(out.data()) + before, wanted}));
    out.resize(before + got);
    if (got < wanted) return out;
  }
  return fail(file_errc::too_large, "{}: has more than {} bytes", path.native(), bytes_max);
}

result<> replace_file(const fs::path& path, bytes_view content, unsigned mode) {
  auto beside = path;
  beside += ".new";
  ::unlink(beside.c_str()); // a process that was killed may have left it
  SWARM_TRY(const auto draft, file::create(beside, mode));
  auto done = write_draft(draft, content);
  if (done) done = rename_file(beside, path);
  if (!done) {
    ::unlink(beside.c_str());
    return done;
  }
  return sync_folder(folder_of(path));
}

result<> create_file(const fs::path& path, bytes_view content, unsigned mode) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) return cannot_make(path, EEXIST);
  std::string name = path.native() + ".XXXXXX";
  const unique_fd reserved(::mkostemp(name.data(), O_CLOEXEC));
  if (!reserved) return cannot_make(path, errno);
  const fs::path beside = name;
  ::unlink(name.c_str()); // only an unused name was wanted
  SWARM_TRY(const auto draft, file::create(beside, mode));
  auto done = write_draft(draft, content);
  if (done) done = publish_new(beside, path);
  if (!done) {
    ::unlink(name.c_str());
    return done;
  }
  return sync_folder(folder_of(path));
}

result<> rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return failure(from, fmt::format("renamed to {}", to.native()), errno);
  note({.kind = change::rename, .path = from, .to = &to});
  return {};
}

result<bool> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return failure(path, "removed", errno);
  }
  note({.kind = change::remove, .path = path});
  return true;
}

result<> sync_folder(const fs::path& folder) {
  const unique_fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failure(folder, "opened", errno);
  if (::fsync(fd.get()) != 0) return failure(folder, "brought to disk", errno);
  note({.kind = change::sync_folder, .path = folder});
  return {};
}

result<> make_folders(const fs::path& folder, unsigned mode) {
  std::error_code problem;
  auto whole = fs::absolute(folder, problem).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path(); // the path ended in a slash
  std::vector<fs::path> missing;                          // the deepest first
  for (auto at = whole; at.has_relative_path() && !fs::exists(at, problem); at = at.parent_path())
    missing.push_back(at);
  for (auto& each : std::ranges::reverse_view(missing)) {
    const auto bits = static_cast<::mode_t>(each == whole ? mode : 0777);
    if (::mkdir(each.c_str(), bits) != 0 && errno != EEXIST) return cannot_make(each, errno);
  }
  if (!fs::is_directory(whole, problem))
    return fail(file_errc::wrong_kind, "{}: is not a folder; move it away or choose another path",
                folder.native());
  for (const auto& each : missing)
    SWARM_CHECK(sync_folder(each.parent_path()));
  // Another process may have made the folders above a moment ago without syncing them. Errors do not matter:
  // a folder that this process may not sync is not one that it made.
  auto above = missing.empty() ? whole.parent_path() : missing.back().parent_path().parent_path();
  for (int i = 0; i < 2 && above.has_relative_path(); ++i, above = above.parent_path())
    std::ignore = sync_folder(above);
  return {};
}

} // namespace swarm
