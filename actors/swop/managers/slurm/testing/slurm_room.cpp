#include "actors/swop/managers/slurm/testing/slurm_room.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace swarm::managers::testing {

namespace fs = std::filesystem;

namespace {

constexpr const char* own_slurm = SWARM_SOURCE_DIR "/actors/swop/managers/slurm/testing/own-slurm";

/// What a Slurm needs of a host; empty when all is there.
std::string why_none() {
  if (::geteuid() != 0) return "a Slurm of one's own needs root";
  for (const char* each : {"/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"})
    if (!fs::exists(each)) return fmt::format("{} is not there: install slurm-wlm and munge", each);
  return {};
}

/// Two ports that nobody listens on, with a comma between them.
std::string free_ports() {
  std::array<int, 2> held{};
  std::string out;
  for (auto& each : held) {
    each = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(::bind(each, address, size) == 0);
    REQUIRE(::getsockname(each, address, &size) == 0);
    out += fmt::format("{}{}", out.empty() ? "" : ",", ntohs(at.sin_port));
  }
  for (const int each : held)
    ::close(each);
  return out;
}

/// The Slurm of this process.
class one_node_slurm {
public:
  one_node_slurm() {
    const auto command = fmt::format("{} start {} {} 2>&1", own_slurm, folder_.path().native(), free_ports());
    said_ = slurm_room::said_by(command + " && echo up");
    ::setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  }
  ~one_node_slurm() { slurm_room::said_by(fmt::format("{} stop {}", own_slurm, folder_.path().native())); }
  one_node_slurm(const one_node_slurm&) = delete;
  one_node_slurm& operator=(const one_node_slurm&) = delete;
  bool is_up() const { return said_.ends_with("up\n"); }
  const std::string& said() const { return said_; }

private:
  swarm::testing::temporary_folder folder_;
  std::string said_;
};

one_node_slurm& the_slurm() {
  static one_node_slurm out;
  return out;
}

} // namespace

std::string slurm_room::said_by(const std::string& command) {
  std::string out;
  auto* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr)
    out += part.data();
  ::pclose(pipe);
  return out;
}

bool slurm_room::has_slurm() {
  static const bool there = [] {
    if (const auto why = why_none(); !why.empty()) {
      MESSAGE("not tried: no Slurm on this host: ", why);
      return false;
    }
    REQUIRE_MESSAGE(the_slurm().is_up(), the_slurm().said());
    return true;
  }();
  return there;
}

slurm_room::slurm_room() {
  REQUIRE(::chmod(where_.c_str(), 0755) == 0);
  fs::create_directories(channels() / "one" / "channel");
  restart();
}

slurm_room::~slurm_room() {
  clean_up();
}

void slurm_room::restart() {
  manager_.reset();
  slurm_manager_options options;
  options.folder = where_ / "programs";
  options.owner = where_.filename().string();
  options.hidden = {where_ / "data"};
  options.volumes = {where_ / "data" / "volumes"};
  // A pair has a job of its own; all others share one, which takes a second or two to start.
  options.allocation_of = [](const std::string& name) {
    const auto end = name.find('.');
    return end == std::string::npos ? std::string("all") : name.substr(0, end);
  };
  options.channels = channels();
  options.start_patience = patience_;
  auto made = make_slurm_manager(std::move(options), listener());
  REQUIRE(made);
  manager_ = std::move(*made);
}

void slurm_room::patience(std::chrono::milliseconds most) {
  patience_ = most;
  restart();
}

program_spec slurm_room::words(std::vector<std::string> argv, std::string name) const {
  program_spec out;
  out.name = std::move(name);
  out.argv = std::move(argv);
  out.working_directory = "/tmp";
  out.uid = out.gid = program_uid();
  return out;
}

program_spec slurm_room::shell(std::string command, std::string name) const {
  return words({"/bin/sh", "-c", std::move(command)}, std::move(name));
}

} // namespace swarm::managers::testing
