#include "actors/swop/managers/process/sandbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace swarm::managers {

namespace {

/// A place in the sandbox that is a mount of its own.
struct place {
  std::string target;
  const mount* from = nullptr; ///< nullptr for a folder in memory
  std::uint64_t bytes = 0;     ///< of a folder in memory
};

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

/// Slashes sort before everything else, so that a folder comes right before what is in it.
bool before(const place& a, const place& b) {
  return std::ranges::lexicographical_compare(
      a.target, b.target, {}, [](char c) { return c == '/' ? '\0' : c; },
      [](char c) { return c == '/' ? '\0' : c; });
}

std::string home_of(const program_spec& spec) {
  if (const auto own = spec.environment.find("HOME"); own != spec.environment.end() && own->second.size() > 1)
    return own->second;
  return spec.uid == 0 ? "/root" : "/home/swarm";
}

/// A home can be anything that a user writes; as a mount it has to be a path that bubblewrap makes.
bool can_be_made(std::string_view path) {
  return path.starts_with('/') && path.find("/.") == std::string_view::npos && !path.ends_with('/')
         && path.find("//") == std::string_view::npos;
}

std::vector<place> places_of(const program_spec& spec, const host_facts& host) {
  const auto half = host.memory_bytes / 2;
  const auto scratch = spec.limits.scratch_bytes.value_or(spec.limits.memory_bytes.value_or(half));
  const auto shared = spec.limits.shared_memory_bytes.value_or(spec.limits.memory_bytes.value_or(half));
  std::vector<place> out;
  for (const auto& each : spec.mounts)
    out.push_back({each.target, &each});
  const auto own = [&](std::string target, std::uint64_t bytes) {
    const auto covered = std::ranges::any_of(out, [&](const place& p) { return p.target == target; });
    if (!covered) out.push_back({std::move(target), nullptr, std::max<std::uint64_t>(bytes, 4096)});
  };
  own("/tmp", scratch);
  own("/dev/shm", shared);
  const auto home = home_of(spec);
  const auto within = std::ranges::any_of(out, [&](const place& p) { return is_below(home, p.target); });
  if (!within && can_be_made(home) && !is_below(home, "/usr")) own(home, scratch);
  std::ranges::sort(out, before);
  return out;
}

std::string accounts_of(const program_spec& spec) {
  const std::string nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
  const auto own = fmt::format("{}:x:{}:{}::{}:/bin/sh\n", spec.uid == 0 ? "root" : "swarm", spec.uid,
                               spec.gid, home_of(spec));
  return spec.uid == 65534 ? own : own + nobody;
}

std::string groups_of(const program_spec& spec) {
  const auto own = fmt::format("{}:x:{}:\n", spec.gid == 0 ? "root" : "swarm", spec.gid);
  return spec.gid == 65534 ? own : own + "nogroup:x:65534:\n";
}

std::string hosts_of(const program_spec& spec, const host_facts& host) {
  auto out = host.hosts.empty() ? std::string("127.0.0.1 localhost\n::1 localhost\n") : host.hosts;
  if (out.back() != '\n') out += '\n';
  // Many programs ask for the address of their own host name.
  if (!spec.host_name.empty()) out += fmt::format("127.0.1.1 {}\n", spec.host_name);
  return out;
}

std::string resolver_of(const program_spec& spec) {
  std::string out;
  for (const auto& each : spec.dns)
    out += fmt::format("nameserver {}\n", each);
  return out;
}

class builder {
public:
  explicit builder(const program_spec& spec) : spec_(spec) {}

  template <class... Words>
  void option(const Words&... words) {
    (out_.options.emplace_back(words), ...);
  }

  void file(std::string_view path, std::string content) {
    const auto fd = sandbox_fd::files + static_cast<int>(out_.files.size());
    option("--perms", "0644", "--ro-bind-data", fmt::format("{}", fd), path);
    out_.files.push_back({fd, std::move(content)});
  }

  void isolate(const host_facts& host) {
    option("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup");
    if (host.nested_can_be_forbidden) option("--disable-userns");
    option("--die-with-parent", "--new-session", "--as-pid-1");
    option("--uid", fmt::format("{}", spec_.uid), "--gid", fmt::format("{}", spec_.gid));
    if (!spec_.host_name.empty()) option("--hostname", spec_.host_name);
    option("--clearenv");
  }

  void system(const host_facts& host) {
    for (auto& word : show_system(host.root_folders))
      out_.options.push_back(std::move(word));
    for (const auto& each : host.etc)
      if (each != "/etc/resolv.conf" || spec_.dns.empty()) option("--ro-bind-try", each, each);
    file("/etc/passwd", accounts_of(spec_));
    file("/etc/group", groups_of(spec_));
    file("/etc/hosts", hosts_of(spec_, host));
    if (!spec_.host_name.empty()) file("/etc/hostname", spec_.host_name + "\n");
    if (!spec_.dns.empty()) file("/etc/resolv.conf", resolver_of(spec_));
    option("--proc", "/proc", "--dev", "/dev");
    for (const auto& each : host.devices)
      option("--ro-bind-try", each, each);
    option("--dir", "/run", "--symlink", "../run", "/var/run", "--symlink", "../tmp", "/var/tmp");
  }

  void gpus(const host_facts& host) {
    if (!spec_.gpus) return;
    for (const auto& each : host.gpu_devices)
      option("--dev-bind-try", each, each);
    for (const auto& each : host.gpu_folders)
      option("--ro-bind-try", each, each);
  }

  void places(const std::vector<place>& all) {
    for (const auto& each : all) {
      if (each.from != nullptr)
        option(each.from->writable ? "--bind" : "--ro-bind", each.from->source, each.target);
      else
        option("--perms", each.target == home_of(spec_) ? "0700" : "1777", "--size",
               fmt::format("{}", each.bytes), "--tmpfs", each.target);
    }
    // Within a mount the folder is there already or is the business of whoever has it.
    const auto covered = std::ranges::any_of(all, [&](const place& p) {
      return p.from != nullptr && is_below(spec_.working_directory, p.target);
    });
    if (!covered && spec_.working_directory != "/" && !is_below(spec_.working_directory, "/usr"))
      option("--dir", spec_.working_directory);
    // What is left is the memory that holds these places: nothing of it is to be filled.
    option("--remount-ro", "/dev", "--remount-ro", "/");
  }

  sandbox take() { return std::move(out_); }

private:
  const program_spec& spec_;
  sandbox out_;
};

} // namespace

sandbox sandbox_of(const program_spec& spec, const host_facts& host) {
  builder out(spec);
  out.isolate(host);
  out.system(host);
  out.gpus(host);
  out.places(places_of(spec, host));
  return out.take();
}

std::map<std::string, std::string> environment_of(const program_spec& spec) {
  auto out = spec.environment;
  out.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  out.emplace("HOME", home_of(spec));
  if (!spec.host_name.empty()) out.emplace("HOSTNAME", spec.host_name);
  if (spec.gpus) out.emplace("CUDA_VISIBLE_DEVICES", *spec.gpus);
  return out;
}

std::vector<std::string> show_system(const std::vector<host_facts::root_folder>& folders) {
  std::vector<std::string> out{"--ro-bind", "/usr", "/usr"};
  for (const auto& each : folders)
    if (each.link.empty())
      out.insert(out.end(), {"--ro-bind", each.path, each.path});
    else
      out.insert(out.end(), {"--symlink", each.link, each.path});
  return out;
}

} // namespace swarm::managers
