#include "actors/swop/managers/process/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <thread>

namespace swarm::managers {

namespace fs = std::filesystem;

namespace {

bool put(const fs::path& path, std::string_view text) {
  const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Where the unified hierarchy is mounted; the first one if there are several.
std::optional<fs::path> cgroup_root() {
  std::istringstream lines(read_file("/proc/self/mounts", 1024 * 1024).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string source, target, type;
    words >> source >> target >> type;
    if (type == "cgroup2") return fs::path(target);
  }
  return std::nullopt;
}

std::optional<std::string> own_path() {
  std::istringstream lines(read_file("/proc/self/cgroup", 64 * 1024).value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::/")) return line.substr(4);
  return std::nullopt;
}

bool is_marked(const fs::path& folder) {
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

std::optional<std::uint64_t> inode_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
  return info.st_ino;
}

} // namespace

std::optional<fs::path> delegated_cgroup() {
  const auto root = cgroup_root();
  const auto own = own_path();
  if (!root || !own || own->find("..") != std::string::npos) return std::nullopt;
  auto folder = own->empty() ? *root : *root / *own;
  if (!own->empty() && !is_marked(folder)) return std::nullopt;
  if (::access((folder / "cgroup.procs").c_str(), W_OK) != 0 || ::access(folder.c_str(), W_OK) != 0)
    return std::nullopt;
  return folder;
}

result<program_cgroup> make_cgroup(const fs::path& parent, std::string_view name,
                                   const program_limits& limits) {
  // Each alone: a kernel without one of them still limits by the others.
  for (const std::string_view each : {"+memory", "+pids", "+cpu"})
    std::ignore = put(parent / "cgroup.subtree_control", each);
  program_cgroup out;
  const auto folder = parent / fmt::format("swop-{}-{}", name, ::getpid());
  if (::mkdir(folder.c_str(), 0755) != 0)
    return fail(errc::denied, "{}: cannot be made: {}", folder.native(), std::strerror(errno));
  out.id = {folder.string(), inode_of(folder).value_or(0)};
  if (limits.memory_bytes) {
    out.limits_memory = put(folder / "memory.max", fmt::format("{}", *limits.memory_bytes));
    std::ignore = put(folder / "memory.swap.max", "0");
    std::ignore =
        put(folder / "memory.oom.group", "1"); // a program without one of its processes is of no use
  }
  // The sandbox has two processes of its own.
  if (limits.processes)
    out.limits_processes = put(folder / "pids.max", fmt::format("{}", *limits.processes + 2));
  if (limits.cpu_percent)
    out.limits_cpu = put(folder / "cpu.max",
                         fmt::format("{} 100000", std::max<std::uint64_t>(*limits.cpu_percent, 1) * 1000));
  return out;
}

bool ran_out_of_memory(const cgroup_id& id) {
  std::istringstream lines(read_file(fs::path(id.path) / "memory.events", 4096).value_or(""));
  std::string word;
  for (std::uint64_t count = 0; lines >> word >> count;)
    if (word == "oom_kill" && count > 0) return true;
  return false;
}

bool remove_cgroup(const cgroup_id& id) {
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    const auto inode = inode_of(id.path);
    if (!inode || *inode != id.inode || ::rmdir(id.path.c_str()) == 0) return true;
    // What was killed takes a moment to be gone.
    if (i == 0)
      std::ignore = put(fs::path(id.path) / "cgroup.kill", "1");
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

} // namespace swarm::managers
