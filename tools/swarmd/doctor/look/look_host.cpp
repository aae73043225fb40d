#include "actors/node/data_dir.hpp"
#include "actors/node/key_file.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "tools/swarmd/doctor/look/look.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace swarm::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t syncs_max = 16;
constexpr std::chrono::milliseconds syncing_max{500};

/// Who serves the admin socket of a node that runs with this directory.
std::optional<int> running_with(const fs::path& process_dir) {
  const auto socket = (process_dir / "admin.sock").native();
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (socket.size() >= sizeof at.sun_path) return std::nullopt;
  std::memcpy(at.sun_path, socket.c_str(), socket.size() + 1);
  const unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return std::nullopt;
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return 0;
  return who.pid;
}

/// The folder itself, or the nearest one above it that is there.
fs::path nearest(const fs::path& dir) {
  std::error_code failure;
  auto at = fs::absolute(dir, failure);
  while (!fs::exists(at, failure) && at.has_parent_path() && at != at.parent_path())
    at = at.parent_path();
  return at;
}

/// A file without a name; where the file system has none, its name goes at once.
unique_fd nameless_file(const fs::path& folder) {
  unique_fd out(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (out || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return out;
  auto name = (folder / ".swarmd-doctor-XXXXXX").native();
  out = unique_fd(::mkostemp(name.data(), O_CLOEXEC));
  if (out) ::unlink(name.c_str());
  return out;
}

/// The median time that a page takes to be on the disk.
std::optional<double> sync_time(int fd) {
  const std::array<char, page_bytes> page{};
  std::vector<double> times;
  const auto begin = std::chrono::steady_clock::now();
  while (times.size() < syncs_max) {
    const auto before = std::chrono::steady_clock::now();
    if (before - begin > syncing_max) break;
    const auto at = static_cast<off_t>(times.size() * page_bytes);
    if (::pwrite(fd, page.data(), page.size(), at) != static_cast<ssize_t>(page.size())
        || ::fdatasync(fd) != 0)
      break;
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
  }
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

void try_writing(folder_facts& into, const fs::path& folder) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    into.trouble = fmt::format("data directory {}: {} is no folder", into.path, folder.native());
    return;
  }
  const auto file = nameless_file(folder);
  if (!file && errno != ENOSPC) {
    into.trouble = fmt::format("data directory {}: nothing can be written to {}: {}", into.path,
                               folder.native(), std::strerror(errno));
    return;
  }
  if (file) into.sync_ms = sync_time(file.get());
}

std::optional<std::uint64_t> number_in(const fs::path& path) {
  const auto text = read_file(path, 64);
  std::uint64_t out = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), out).ec != std::errc{})
    return std::nullopt;
  return out;
}

/// A line of /proc/meminfo, "MemTotal:  16303428 kB", in bytes.
std::uint64_t line_of_meminfo(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + name.size());
  text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out * 1024;
}

} // namespace

folder_facts look_at_folder(const fs::path& dir, const fs::path& process_dir) {
  folder_facts out;
  std::error_code failure;
  out.path = dir.native();
  out.there = fs::exists(dir, failure);
  out.running = running_with(process_dir);
  for (const auto& each : {process_dir, dir}) {
    if (!out.trouble.empty() || !fs::exists(each, failure)) continue;
    if (const auto safe = actors::check_data_dir(each); !safe) out.trouble = safe.error().message;
  }
  const auto folder = nearest(dir);
  if (out.trouble.empty()) try_writing(out, folder);
  struct statvfs room {};
  if (::statvfs(folder.c_str(), &room) == 0) out.free_bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
  const auto key = dir / "node.key";
  if (fs::exists(key, failure))
    if (const auto loaded = actors::load_key(key.native()); !loaded) out.key_trouble = loaded.error().message;
  return out;
}

memory_facts look_at_memory() {
  memory_facts out;
  const auto text = read_file("/proc/meminfo", 64 * 1024).value_or("");
  out.bytes = line_of_meminfo(text, "MemTotal:");
  out.available_bytes = line_of_meminfo(text, "MemAvailable:");
  const fs::path group = "/sys/fs/cgroup"; // in a container that is its own
  const auto most = number_in(group / "memory.max");
  if (!most || *most >= out.bytes) return out;
  out.bytes = *most;
  const auto used = number_in(group / "memory.current").value_or(0);
  out.available_bytes = std::min(out.available_bytes, *most - std::min(*most, used));
  return out;
}

} // namespace swarm::doctor
