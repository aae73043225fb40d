#include "actors/swop/managers/process/testing/program_room.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <ostream>

namespace sandbox_world_test {

// What a program sees of its host, with real sandboxes.

using namespace swarm;
using namespace swarm::managers;
using namespace swarm::managers::testing;
using swarm::testing::wording;
namespace fs = std::filesystem;

namespace {

/// With a stringification, unlike a vector: a check that fails shows it.
struct lines {
  std::vector<std::string> each;
  lines(std::initializer_list<std::string> from) : each(from) {}
  explicit lines(std::vector<std::string> from) : each(std::move(from)) {}
  bool operator==(const lines&) const = default;
  friend std::ostream& operator<<(std::ostream& to, const lines& from) {
    for (const auto& line : from.each)
      to << line << "\\n";
    return to;
  }
};

void put(const fs::path& path, std::string_view text) {
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What `command` prints in a sandbox.
lines said(program_room& room, const std::string& command,
           const std::function<void(program_spec&)>& change = {}) {
  auto spec = room.shell(command);
  if (change) change(spec);
  const auto ended = room.run(spec);
  lines out(room.output());
  INFO(ended.how->message);
  CHECK(ended.how->exit_code == 0);
  REQUIRE(room.manager().remove("p"));
  return out;
}

lines sorted(lines from) {
  std::ranges::sort(from.each);
  return from;
}

} // namespace

TEST_CASE("a program has the user, host name, working directory and environment that it was given, no more") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto id = std::to_string(program_uid());
  CHECK(said(room, "id -u; id -g; id -un; hostname; pwd; tty; getent hosts user1 | cut -d' ' -f1",
             [](program_spec& spec) {
               spec.host_name = "user1";
               spec.working_directory = "/tmp/test";
             })
        == lines{id, id, "swarm", "user1", "/tmp/test", "not a tty", "127.0.1.1"});
  ::setenv("SWARM_SECRET_OF_NODE", "x", 1);
  CHECK(sorted(said(room, "",
                    [](program_spec& spec) {
                      spec.argv = {"env"};
                      spec.environment = {{"MIN_PEERS", "2"}, {"EMPTY", ""}, {"odd name", "a=b c"}};
                      spec.gpus = "0,2";
                    }))
        == sorted({"MIN_PEERS=2", "EMPTY=", "odd name=a=b c", "HOME=/home/swarm", "CUDA_VISIBLE_DEVICES=0,2",
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
}

TEST_CASE("mounts nest, and are what they say: writable or not, folders or files") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto mine = room.host_folder("private"), shared = room.host_folder("shared");
  put(mine / "data.csv", "1,2\n");
  put(shared / "mnist.py", "print(1)\n");
  put(room.where() / "key.pem", "secret\n");
  const auto mounted = [&](program_spec& spec) {
    // The deeper one first: the order is the manager's business.
    spec.mounts = {{shared.string(), "/tmp/test/model", false},
                   {mine.string(), "/tmp/test", true},
                   {(room.where() / "key.pem").string(), "/platform/swarm/key.pem", false}};
    spec.working_directory = "/tmp/test";
  };
  CHECK(said(room, "ls; cat model/mnist.py /platform/swarm/key.pem; echo done > result", mounted)
        == lines{"data.csv", "model", "print(1)", "secret"});
  CHECK(text_of(mine / "result") == "done\n");
  const auto refused =
      said(room,
           "for f in model/x /platform/swarm/key.pem /usr/x /etc/x /x /dev/x; do "
           "(echo > $f) 2>/dev/null && echo $f; done; touch /tmp/x ~/x /dev/shm/x && echo written",
           mounted);
  CHECK(refused == lines{"written"});
  CHECK(!fs::exists(shared / "x"));
}

TEST_CASE("a program sees of the host what it needs, and nothing of the node or of other people") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  CHECK(said(room, "ls /") == sorted([] {
          lines out{"bin", "dev", "etc", "home", "proc", "run", "sbin", "sys", "tmp", "usr", "var"};
          for (const char* each : {"/lib", "/lib32", "/lib64", "/libx32"})
            if (fs::exists(each)) out.each.emplace_back(each + 1);
          return out;
        }()));
  CHECK(said(room,
             "ls -A /tmp /run /home /dev/shm; cat /etc/passwd | wc -l; test -e /etc/shadow || echo none; "
             "test -r /etc/resolv.conf -a -d /etc/ssl/certs -a -r /etc/ld.so.cache && echo essentials")
        == lines{"/dev/shm:", "", "/home:", "swarm", "", "/run:", "", "/tmp:", "2", "none", "essentials"});
  CHECK(said(room, "ls /dev")
        == lines{"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
                 "tty", "urandom", "zero"});
  // Itself and the process that waits for it; no host's.
  CHECK(said(room, "set -- /proc/[0-9]*; echo $#; readlink /proc/1/exe || echo hidden")
        == lines{"2", "hidden"});
}

TEST_CASE("a program gains no rights, and finds nothing open that it was not given") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  for (const auto uid : {program_uid(), std::uint32_t{0}}) {
    CAPTURE(uid);
    CHECK(said(room, "grep -E 'NoNewPrivs|CapEff|CapPrm' /proc/self/status | tr -d '\\t'; ls /proc/self/fd",
               [&](program_spec& spec) { spec.uid = spec.gid = uid; })
          == lines{"CapPrm:0000000000000000", "CapEff:0000000000000000", "NoNewPrivs:1", "0", "1", "2", "3"});
  }
  // Only where this host's bubblewrap can forbid it; where it cannot, the kernel's own rules hold.
  const auto nested = said(room, "unshare -U true 2>/dev/null && echo nested; true");
  CHECK(nested.each.size() <= 1);
}

TEST_CASE("another's environment and arguments are not to be seen from the host's process list") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto spec = room.shell("echo up; exec sleep 60");
  spec.environment = {{"TOKEN", "very-secret-token"}};
  REQUIRE(room.manager().start(spec));
  room.wait_for_line("up");
  for (const auto& each : fs::directory_iterator("/proc")) {
    const auto words = text_of(each.path() / "cmdline");
    CHECK(words.find("very-secret-token") == std::string::npos);
  }
  REQUIRE(room.manager().stop("p", std::chrono::milliseconds(2000)));
  CHECK(room.wait().how->cause == ending_cause::told);
}

TEST_CASE("a Python environment works at its own path") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto venv = room.host_folder("venv").string();
  REQUIRE(std::system(("/usr/bin/python3 -m venv --without-pip " + venv).c_str()) == 0);
  CHECK(said(room, "python -c 'import sys, ssl, socket; print(sys.prefix); print(socket.gethostname())'",
             [&](program_spec& spec) {
               spec.mounts = {{venv, venv, false}};
               spec.environment = {{"PATH", venv + "/bin:/usr/bin:/bin"}};
               spec.host_name = "ml1";
             })
        == lines{venv, "ml1"});
}

TEST_CASE("name servers and the home of one's own") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  CHECK(said(room, "cat /etc/resolv.conf; cd && pwd && touch x && echo written",
             [](program_spec& spec) {
               spec.dns = {"10.0.0.1", "fd00::1"};
               spec.environment = {{"HOME", "/platform/home"}};
             })
        == lines{"nameserver 10.0.0.1", "nameserver fd00::1", "/platform/home", "written"});
}

TEST_CASE("the network is the host's: a program reaches what listens on loopback") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto server = room.shell("exec python3 -c \"import socket; s = socket.create_server(('127.0.0.1', 0)); "
                           "print(s.getsockname()[1], flush=True); s.accept()[0].sendall(b'hello')\"",
                           "server");
  REQUIRE(room.manager().start(server));
  REQUIRE(eventually([&] { return room.output("server").size() == 1; }));
  const auto port = room.output("server").front();
  CHECK(said(room, "exec python3 -c \"import socket; print(socket.create_connection(('127.0.0.1', " + port
                       + ")).recv(9).decode())\"")
        == lines{"hello"});
  CHECK(room.wait("server").how->exit_code == 0);
}

TEST_CASE("what is not there cannot be mounted, and what is the node's own is not") {
  program_room room;
  room.host_folder("data/volumes/vol1");
  const auto start_with = [&](const fs::path& source) {
    auto spec = room.shell("true");
    spec.mounts = {{source.string(), "/data", true}};
    const auto done = room.manager().start(spec);
    REQUIRE_FALSE(done);
    CHECK(room.manager().programs().empty());
    return done.error();
  };
  const auto missing = start_with(room.where() / "nowhere");
  CHECK(missing.is(manager_errc::path_missing));
  CHECK(wording(missing).contains("wants it as /data"));
  CHECK(start_with(room.where()).is(manager_errc::path_not_allowed));
  CHECK(start_with(room.where().parent_path()).is(manager_errc::path_not_allowed));
  CHECK(start_with(room.where() / "data").is(manager_errc::path_not_allowed));
  CHECK(start_with(room.where() / "data" / "volumes").is(manager_errc::path_not_allowed));
  CHECK(start_with(room.where() / "programs").is(manager_errc::path_not_allowed));
  fs::create_directory_symlink(room.where() / "data", room.where() / "innocent");
  CHECK(start_with(room.where() / "innocent").is(manager_errc::path_not_allowed));
  if (!program_room::has_sandboxes()) return;
  CHECK(said(room, "touch /data/x && echo written",
             [&](program_spec& spec) {
               spec.mounts = {{(room.where() / "data" / "volumes" / "vol1").string(), "/data", true}};
             })
        == lines{"written"});
}

TEST_CASE("all of this holds for a plain user, too") {
  if (::geteuid() != 0 || std::getenv("SWARM_AS_PLAIN_USER") != nullptr) return;
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto own = room.host_folder("own");
  for (const auto& name : {fs::path("swarm-shim"), fs::read_symlink("/proc/self/exe").filename()})
    fs::copy_file(fs::read_symlink("/proc/self/exe").parent_path() / name, room.where() / name);
  const auto self = room.where() / fs::read_symlink("/proc/self/exe").filename();
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("TMPDIR", own.c_str(), 1);
    ::setenv("SWARM_AS_PLAIN_USER", "1", 1);
    if (::setgid(23456) != 0 || ::setuid(23456) != 0) ::_exit(3);
    ::execl(self.c_str(), self.c_str(), "--minimal", static_cast<char*>(nullptr));
    ::_exit(4);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

} // namespace sandbox_world_test
