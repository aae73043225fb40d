#include "actors/swop/managers/process/host_facts.hpp"

#include "actors/swop/managers/manager.hpp"
#include "base/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace swarm::managers {

namespace fs = std::filesystem;

namespace {

/// Runs bubblewrap with `arguments` and the command true. Whether it went well; what it said goes to `said`.
bool tried(const fs::path& bwrap, std::vector<std::string> arguments, std::string* said = nullptr) {
  arguments.insert(arguments.begin(), bwrap.string());
  arguments.emplace_back("/usr/bin/true");
  std::vector<char*> words;
  for (auto& each : arguments)
    words.push_back(each.data());
  words.push_back(nullptr);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  const unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
  std::array<char*, 1> environment{nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, bwrap.c_str(), &actions, nullptr, words.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  write_end = {};
  if (failed != 0) return false;
  std::array<char, 1024> text{};
  pollfd one{read_end.get(), POLLIN, 0};
  while (::poll(&one, 1, 5000) == 1) {
    const auto count = ::read(read_end.get(), text.data(), text.size());
    if (count <= 0) break;
    if (said != nullptr && said->size() < 1000) said->append(text.data(), static_cast<std::size_t>(count));
  }
  ::kill(pid, SIGKILL); // has ended unless it hangs
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Arguments of a sandbox that sees programs and libraries alone: what other programs mount and unmount elsewhere at the
/// same time, as container engines do, would make bubblewrap fail that has to see all of the host.
std::vector<std::string> namespaces(const std::vector<host_facts::root_folder>& folders) {
  auto out = show_system(folders);
  out.insert(out.begin(), {"--unshare-user", "--unshare-pid"});
  return out;
}

std::vector<std::string> with(std::vector<std::string> all, std::initializer_list<std::string> more) {
  all.insert(all.end(), more);
  return all;
}

/// A number that the kernel shows below /proc/sys; nothing where this kernel has no such setting.
std::optional<std::string> kernel_setting(std::string_view name) {
  auto text = read_file(fmt::format("/proc/sys/{}", name), 100);
  if (!text) return std::nullopt;
  return first_line(*text);
}

bool is_in_container() {
  std::error_code ignored;
  return fs::exists("/.dockerenv", ignored) || fs::exists("/run/.containerenv", ignored);
}

std::string remedy() {
  if (kernel_setting("user/max_user_namespaces") == "0")
    return "user namespaces are switched off; as root: sysctl -w user.max_user_namespaces=15000";
  if (kernel_setting("kernel/unprivileged_userns_clone") == "0")
    return "they are reserved for root; as root: sysctl -w kernel.unprivileged_userns_clone=1";
  if (kernel_setting("kernel/apparmor_restrict_unprivileged_userns") == "1")
    return "AppArmor restricts them; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or "
           "give "
           "bwrap a profile that allows userns";
  if (is_in_container())
    return "the container's engine forbids them; start the container with --security-opt seccomp=unconfined "
           "--security-opt apparmor=unconfined --security-opt systempaths=unconfined";
  return "allow user namespaces (sysctl user.max_user_namespaces), make bwrap setuid root (chmod u+s), or in "
         "a "
         "container use --security-opt seccomp=unconfined --security-opt systempaths=unconfined";
}

bool exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::vector<std::string> those_that_exist(std::initializer_list<std::string_view> paths) {
  std::vector<std::string> out;
  for (const auto each : paths)
    if (exists(each)) out.emplace_back(each);
  return out;
}

std::vector<host_facts::root_folder> root_folders() {
  std::vector<host_facts::root_folder> out;
  std::error_code problem;
  for (const std::string_view path : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    if (fs::is_symlink(path, problem))
      out.push_back({std::string(path), fs::read_symlink(path, problem).string()});
    else if (exists(path))
      out.push_back({std::string(path), ""});
  }
  return out;
}

std::vector<std::string> gpu_devices() {
  auto out = those_that_exist({"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools",
                               "/dev/nvidia-modeset", "/dev/nvidia-caps", "/dev/kfd", "/dev/dri"});
  for (int i = 0; exists(fmt::format("/dev/nvidia{}", i)); ++i)
    out.push_back(fmt::format("/dev/nvidia{}", i));
  return out;
}

} // namespace

host_facts look_at_host(const fs::path& bwrap) {
  host_facts out;
  out.root_folders = root_folders();
  out.etc = those_that_exist({"/etc/alternatives", "/etc/ca-certificates", "/etc/crypto-policies",
                              "/etc/fonts",        "/etc/gai.conf",        "/etc/host.conf",
                              "/etc/ld.so.cache",  "/etc/ld.so.conf",      "/etc/ld.so.conf.d",
                              "/etc/localtime",    "/etc/mime.types",      "/etc/nsswitch.conf",
                              "/etc/OpenCL",       "/etc/pki/ca-trust",    "/etc/pki/tls/certs",
                              "/etc/protocols",    "/etc/resolv.conf",     "/etc/services",
                              "/etc/ssl/certs",    "/etc/ssl/openssl.cnf", "/etc/timezone"});
  out.devices = those_that_exist({"/sys/devices/system/cpu", "/sys/devices/system/node"});
  out.gpu_devices = gpu_devices();
  if (!out.gpu_devices.empty())
    out.gpu_folders = those_that_exist({"/sys/bus/pci", "/sys/class/drm", "/sys/class/kfd", "/sys/dev",
                                        "/sys/devices", "/sys/module", "/opt/rocm"});
  out.hosts = read_file("/etc/hosts", 64 * 1024).value_or("");
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) out.memory_bytes = std::uint64_t{info.totalram} * info.mem_unit;
  out.nested_can_be_forbidden = tried(bwrap, with(namespaces(out.root_folders), {"--disable-userns"}));
  return out;
}

result<fs::path> find_bwrap() {
  for (const std::string_view each : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
    if (::access(std::string(each).c_str(), X_OK) == 0) return fs::path(each);
  return fail(manager_errc::not_installed, "bubblewrap is not installed, which keeps programs apart from "
                                           "this host; install the package bubblewrap");
}

result<> try_sandbox(const fs::path& bwrap) {
  const auto arguments = namespaces(root_folders());
  std::string said;
  if (!tried(bwrap, arguments, &said))
    return fail(manager_errc::forbidden, "this host forbids sandboxes of its own namespaces ({}): {}",
                first_line(said), remedy());
  said.clear();
  if (!tried(bwrap, with(arguments, {"--proc", "/proc"}), &said))
    return fail(
        manager_errc::forbidden,
        "this host forbids a sandbox its own /proc ({}): in a container, start it with --security-opt "
        "systempaths=unconfined",
        first_line(said));
  return {};
}

} // namespace swarm::managers
