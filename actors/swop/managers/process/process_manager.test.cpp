#include "actors/swop/managers/process/process_manager.hpp"

#include "actors/swop/managers/process/program_folder.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "actors/swop/managers/process/testing/program_room.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

namespace process_manager_test {

// Lives and deaths of programs, shims and managers, with real ones.

using namespace swarm;
using namespace swarm::managers;
using namespace swarm::managers::testing;
using swarm::testing::wording;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds soon{200};

shim_state state_of(const program_room& room, const std::string& name = "p") {
  auto out = program_folder(room.folder(name)).state();
  REQUIRE(out);
  return *out;
}

shim_state::running running_in(const program_room& room, const std::string& name = "p") {
  const auto state = state_of(room, name);
  REQUIRE(std::holds_alternative<shim_state::running>(state.phase));
  return std::get<shim_state::running>(state.phase);
}

bool is_gone(const process_id& id) {
  const auto there = open_process(id);
  return !there || has_ended(*there);
}

/// The processes of a program's sandbox, as the host sees them: those in the namespace of its first one.
std::vector<process_id> processes_of(const program_room& room, const std::string& name = "p") {
  const auto space_of = [](int pid) {
    std::error_code problem;
    return fs::read_symlink(fmt::format("/proc/{}/ns/pid", pid), problem).string();
  };
  const auto init = running_in(room, name).init;
  // Its first process shows nothing of itself; its child does.
  std::vector<process_id> out{init};
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", init.pid));
  int main = 0;
  if (!(children >> main)) return out;
  const auto space = space_of(main);
  for (const auto& each : fs::directory_iterator("/proc")) {
    const auto text = each.path().filename().string();
    if (text.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = std::stoi(text);
    if (const auto id = process_of(pid); id && *id != init && !space.empty() && space_of(pid) == space)
      out.push_back(*id);
  }
  return out;
}

/// A disk of 256 KiB over a folder.
struct small_disk {
  fs::path where;
  bool is_there;
  explicit small_disk(fs::path over)
      : where(std::move(over)),
        is_there(::geteuid() == 0
                 && ::mount("tmpfs", where.c_str(), "tmpfs", 0, "size=256k,mode=0700") == 0) {}
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (is_there) ::umount2(where.c_str(), MNT_DETACH);
  }
};

} // namespace

TEST_CASE("a program that ends says with what") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto good = room.run(room.shell("echo out; echo err >&2; exit 7"));
  CHECK(good.how->cause == ending_cause::itself);
  CHECK(good.how->exit_code == 7);
  CHECK(!good.how->signal);
  CHECK(good.started_ms > 0);
  CHECK(good.ended_ms >= good.started_ms);
  CHECK(room.output() == std::vector<std::string>{"out", "err"});
  const auto killed = room.run(room.shell("kill -9 $$", "q"));
  CHECK(killed.how->cause == ending_cause::itself);
  CHECK(killed.how->signal == SIGKILL);
  CHECK(!killed.how->exit_code);
  // What looks like a signal and is none.
  CHECK(room.run(room.shell("exit 137", "r")).how->exit_code == 137);
  CHECK(room.manager().programs().size() == 3);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1); // no shim is left to be waited for
}

TEST_CASE("what cannot be started leaves nothing behind and says why") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto fails = [&](const std::function<void(program_spec&)>& change) {
    auto spec = room.shell("true");
    change(spec);
    const auto done = room.manager().start(spec);
    REQUIRE_FALSE(done);
    CHECK(room.manager().programs().empty());
    return done.error();
  };
  const auto command = fails([](auto& spec) { spec.argv = {"pyhton3"}; });
  CHECK(command.is(manager_errc::no_such_command));
  CHECK(wording(command).contains("pyhton3"));
  CHECK(fails([](auto& spec) { spec.argv = {"/etc/passwd"}; }).is(manager_errc::no_such_command));
  const auto folder = fails([](auto& spec) { spec.working_directory = "/usr/nowhere"; });
  CHECK(folder.is(manager_errc::not_started));
  CHECK(wording(folder).contains("/usr/nowhere"));
  CHECK(fails([](auto& spec) { spec.argv.clear(); }).is(manager_errc::bad_spec));
  // A mount point that cannot be made in what is read-only.
  const auto outer = room.host_folder("outer"), inner = room.host_folder("inner");
  const auto mounts = fails([&](auto& spec) {
    spec.mounts = {{outer.string(), "/data", false}, {inner.string(), "/data/below", true}};
  });
  CHECK(mounts.is(manager_errc::not_started));
  CHECK(wording(mounts).contains("below"));
}

TEST_CASE("a stop that is not minded ends all processes of the program") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell(
      "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo up; while :; do sleep 1; done",
      "deaf")));
  room.wait_for_line("up", "deaf");
  const auto all = processes_of(room, "deaf");
  CHECK(all.size() >= 3);
  REQUIRE(room.manager().stop("deaf", soon));
  const auto killed = room.wait("deaf");
  CHECK(killed.how->cause == ending_cause::told);
  CHECK(killed.how->signal == SIGKILL);
  CHECK(std::ranges::all_of(all, is_gone));
}

TEST_CASE("what a program started in the background ends with it, however it hid") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const std::string daemon =
      "import os, time\n"
      "if os.fork() == 0:\n"
      "    os.setsid()\n"
      "    if os.fork() == 0:\n"
      "        print('daemon', flush=True)\n"
      "        time.sleep(600)\n"
      "    os._exit(0)\n"
      "os.wait()\n"
      "input_end, output_end = os.pipe()\n"
      "for i in range(50):\n" // orphans, for the first process to wait for
      "    if os.fork() == 0:\n"
      "        if os.fork() == 0: os._exit(0)\n"
      "        os._exit(0)\n"
      "    os.wait()\n"
      "while any(open(f'/proc/{p}/stat').read().split(')')[-1].split()[0] == 'Z' for p in "
      "os.listdir('/proc')\n"
      "          if p.isdigit() and os.path.exists(f'/proc/{p}/stat')): time.sleep(0.01)\n"
      "print('no zombies', flush=True)\n"
      "import signal; signal.sigwait([signal.SIGTERM])\n";
  auto spec = room.shell("");
  spec.argv = {"/usr/bin/python3", "-c", daemon};
  REQUIRE(room.manager().start(spec));
  room.wait_for_line("daemon");
  room.wait_for_line("no zombies");
  const auto all = processes_of(room);
  CHECK(all.size() >= 3);
  // The program itself ends; nobody tells the daemon anything.
  REQUIRE(::kill(all.at(1).pid, SIGKILL) == 0);
  const auto ended = room.wait();
  CHECK(ended.how->cause == ending_cause::itself);
  CHECK(ended.how->signal == SIGKILL);
  CHECK(std::ranges::all_of(all, is_gone));
}

TEST_CASE("a program outlives its manager, and the next one finds it") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell("echo up; while ! test -e /tmp/never; do sleep 0.05; done")));
  room.wait_for_line("up");
  room.run(room.shell("exit 4", "done"));
  room.restart();
  const auto found = room.manager().programs();
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "done");
  CHECK(found[0].how->exit_code == 4);
  CHECK(found[1].name == "p");
  CHECK(found[1].phase == program_phase::running);
  CHECK(room.output() == std::vector<std::string>{"up"});
  REQUIRE(room.manager().stop("p", milliseconds(10'000)));
  const auto ended = room.wait(); // the new manager is told
  CHECK(ended.how->cause == ending_cause::told);
  CHECK(ended.how->signal == SIGTERM);
}

TEST_CASE("when the shim is killed its program ends, and nobody claims to know how") {
  if (!program_room::has_sandboxes()) return;
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    program_room room;
    REQUIRE(room.manager().start(room.shell("trap '' TERM HUP; sleep 600 & echo up; wait")));
    room.wait_for_line("up");
    const auto all = processes_of(room);
    const auto shim = state_of(room).shim;
    if (restarted) room.restart();
    REQUIRE(::kill(shim.pid, SIGKILL) == 0);
    const auto ended = room.wait();
    CHECK(ended.how->cause == ending_cause::lost);
    CHECK(!ended.how->exit_code);
    CHECK(!ended.how->signal);
    CHECK(eventually([&] { return std::ranges::all_of(all, is_gone); }));
    CHECK(room.manager().stop("p", soon));
    const auto cgroup = state_of(room).cgroup;
    CHECK(room.manager().remove("p"));
    CHECK(room.manager().programs().empty());
    if (cgroup) CHECK(!fs::exists(cgroup->path));
  }
}

TEST_CASE("a manager that is killed at any moment of a start leaves what the next one can tell and end") {
  if (!program_room::has_sandboxes()) return;
  int found = 0, running = 0;
  for (int wait_ms = 0; wait_ms < 60; wait_ms += 4) {
    CAPTURE(wait_ms);
    program_room room([wait_ms](const fs::path& folder, const program_spec& spec) {
      const auto child = ::fork(); // before this process has threads
      if (child == 0) {
        process_manager_options options;
        options.folder = folder;
        auto manager = make_process_manager(std::move(options), {});
        if (manager) std::ignore = (*manager)->start(spec);
        ::pause();
      }
      std::this_thread::sleep_for(milliseconds(wait_ms));
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    });
    // What is under way comes to be something within the moment that a start takes.
    CHECK(eventually([&] {
      const auto all = room.manager().programs();
      return all.empty() || all.front().phase != program_phase::starting;
    }));
    for (const auto& each : room.manager().programs()) {
      ++found;
      running += each.phase == program_phase::running;
      CHECK(eventually(
          [&] { return room.manager().stop("p", milliseconds(0)) && room.manager().remove("p"); }));
    }
    CHECK(room.manager().programs().empty());
  }
  CHECK(found > 0);
  CHECK(running > 0);
}

TEST_CASE("a program whose folder is taken away does not live on unseen") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell("echo up; sleep 600")));
  room.wait_for_line("up");
  const auto all = processes_of(room);
  fs::remove_all(room.folder());
  CHECK(eventually([&] { return std::ranges::all_of(all, is_gone); }));
}

TEST_CASE("when the sandbox is killed from outside, that is what is said") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell("echo up; sleep 600")));
  room.wait_for_line("up");
  const auto all = processes_of(room);
  REQUIRE(::kill(all.front().pid, SIGKILL) == 0);
  const auto ended = room.wait();
  CHECK(ended.how->cause == ending_cause::lost);
  CHECK(ended.ended_ms > 0);
  CHECK(std::ranges::all_of(all, is_gone));
}

TEST_CASE("SIGTERM to the shim stops the program; SIGSTOP does not keep it alive") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell("echo up; exec sleep 600")));
  room.wait_for_line("up");
  REQUIRE(::kill(state_of(room).shim.pid, SIGTERM) == 0);
  CHECK(room.wait().how->signal == SIGTERM);

  REQUIRE(room.manager().start(room.shell("echo up; exec sleep 600", "q")));
  room.wait_for_line("up", "q");
  const auto all = processes_of(room, "q");
  REQUIRE(::kill(state_of(room, "q").shim.pid, SIGSTOP) == 0);
  REQUIRE(room.manager().stop("q", soon));
  CHECK(room.wait("q").how->cause == ending_cause::lost);
  CHECK(eventually([&] { return std::ranges::all_of(all, is_gone); }));
}

TEST_CASE("a program ends at its deadline") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto spec = room.shell("exec sleep 600");
  spec.run_time_max = std::chrono::seconds(1);
  const auto ended = room.run(spec);
  CHECK(ended.how->cause == ending_cause::deadline);
  CHECK(ended.how->signal == SIGTERM);
  CHECK(ended.ended_ms - ended.started_ms >= 1000);
}

TEST_CASE("limits: memory, processor time, file size, open files, processes, what is in /tmp") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const auto python = [&](const std::string& text, const std::function<void(program_limits&)>& change,
                          std::uint32_t uid = program_uid()) {
    auto spec = room.shell("");
    spec.argv = {"/usr/bin/python3", "-c", text};
    spec.uid = spec.gid = uid;
    change(spec.limits);
    auto out = room.run(spec);
    const auto output = room.output();
    out.how->message += output.empty() ? "" : "|" + output.back();
    REQUIRE(room.manager().remove("p"));
    return *out.how;
  };
  constexpr std::uint64_t mib = 1024 * 1024;
  const auto memory = python("x = bytearray(600 * 1024 * 1024)", [](auto& l) { l.memory_bytes = 200 * mib; });
  CHECK((memory.exit_code == 1 || memory.cause == ending_cause::out_of_memory));
  CHECK(python("x = bytearray(50 * 1024 * 1024)", [](auto& l) { l.memory_bytes = 200 * mib; }).exit_code
        == 0);
  CHECK(python("while True: pass", [](auto& l) { l.cpu_seconds = 1; }).signal == SIGKILL);
  CHECK(python("import os; print(len(os.sched_getaffinity(0)))", [](auto& l) {
          l.cpu_percent = 100;
        }).message.ends_with("|1"));
  const auto writes = python("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
                             "open('/tmp/x', 'wb').write(bytes(10**6))",
                             [](auto& l) { l.file_bytes = 1000; });
  CHECK(writes.message.find("File too large") != std::string::npos);
  const auto full =
      python("open('/tmp/x', 'wb').write(bytes(10**6))", [](auto& l) { l.scratch_bytes = 8192; });
  CHECK(full.message.find("No space left") != std::string::npos);
  const auto opens =
      python("f = [open('/dev/null') for i in range(100)]", [](auto& l) { l.open_files = 20; });
  CHECK(opens.message.find("Too many open files") != std::string::npos);
  const std::string forks = "import os, time\n"
                            "for n in range(500):\n"
                            "    try:\n"
                            "        if os.fork() == 0: time.sleep(600)\n"
                            "    except BlockingIOError: break\n"
                            "print(n)\n";
  CHECK(python(forks, [](auto& l) { l.processes = 20; }).message.ends_with("|19")); // and itself
}

TEST_CASE("fork bombs end, whoever lit them") {
  if (!program_room::has_sandboxes()) return;
  for (const auto uid : {program_uid(), std::uint32_t{0}}) {
    CAPTURE(uid);
    program_room room;
    auto spec = room.shell("bomb() { bomb | bomb & }; bomb; sleep 600");
    spec.uid = spec.gid = uid;
    spec.limits.processes = 50;
    spec.run_time_max = std::chrono::seconds(3);
    const auto ended = room.run(spec);
    CHECK(ended.how->cause != ending_cause::lost);
    CHECK(ended.how->cause != ending_cause::not_started);
  }
}

TEST_CASE("who counts the processes of the host's root runs before them") {
  if (!program_room::has_sandboxes() || ::geteuid() != 0) return;
  // Not every host lets its root do so.
  sched_param lowest{};
  lowest.sched_priority = 1;
  bool allowed = false;
  std::thread([&] { allowed = ::sched_setscheduler(0, SCHED_FIFO, &lowest) == 0; }).join();
  program_room room;
  auto spec = room.shell("echo here; sleep 600");
  spec.uid = spec.gid = 0;
  REQUIRE(room.manager().start(spec));
  room.wait_for_line("here");
  const auto all = processes_of(room);
  REQUIRE(all.size() > 1);
  CHECK(::sched_getscheduler(all[0].pid) == (allowed ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER));
  CHECK(::sched_getscheduler(all[1].pid) == SCHED_OTHER);
}

TEST_CASE("output: floods stay within bounds, and what was written last is there") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto spec = room.shell("seq 1 300000; echo last; echo without newline | tr -d '\\n'");
  spec.output = {.folder = {}, .file_bytes = 64 * 1024, .files = 3};
  CHECK(room.run(spec).how->exit_code == 0);
  std::uint64_t bytes = 0, files = 0;
  for (const auto& each : fs::directory_iterator(room.folder()))
    if (each.path().filename().string().starts_with("output.log")) bytes += each.file_size(), ++files;
  CHECK(files == 3);
  CHECK(bytes <= 3 * 64 * 1024);
  CHECK(bytes > 64 * 1024);
  const auto lines = room.manager().last_lines("p", 4);
  REQUIRE(lines);
  CHECK(*lines == std::vector<std::string>{"299999", "300000", "last", "without newline"});
  CHECK(room.output().size() == output_lines_max);
  CHECK(room.output().front() == "299003");
}

TEST_CASE("output goes to a folder of one's own, and stays there when the program is removed") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto spec = room.shell("echo kept");
  spec.output.folder = (room.where() / "logs" / "p").string();
  room.run(spec);
  CHECK(room.output() == std::vector<std::string>{"kept"});
  REQUIRE(room.manager().remove("p"));
  CHECK(fs::exists(room.where() / "logs" / "p" / "output.log"));
}

TEST_CASE("a full disk costs output, not the program or the truth about it") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  const small_disk disk(room.where() / "programs");
  if (!disk.is_there) {
    MESSAGE("not tried: this user may not mount a small disk");
    return;
  }
  auto spec = room.shell("seq 1 200000; exit 5");
  spec.output = {.folder = {}, .file_bytes = 1024 * 1024, .files = 3};
  const auto ended = room.run(spec);
  CHECK(ended.how->cause == ending_cause::itself);
  CHECK(ended.how->exit_code == 5);
  CHECK(room.output().size() == output_lines_max);
  REQUIRE(room.manager().remove("p"));
}

TEST_CASE("a shim that cannot be started, or says nothing, is no program") {
  program_room room;
  room.use_shim("/nowhere/swarm-shim");
  const auto missing = room.manager().start(room.shell("true"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(manager_errc::not_installed));
  CHECK(room.manager().check().error().is(manager_errc::not_installed));
  room.use_shim("/bin/true");
  CHECK(room.manager().start(room.shell("true")).error().is(manager_errc::io));
  CHECK(room.manager().programs().empty());
}

TEST_CASE("who asks a shim for nonsense, or asks nothing, holds up nobody") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  REQUIRE(room.manager().start(room.shell("echo up; exec sleep 600")));
  room.wait_for_line("up");
  for (const char* bad :
       {"stop", "stop ", "stop -1", "stop 1x", "stop 99999999999999999999", "go", "stop 3600001"})
    CHECK(!read_stop(bad));
  CHECK(read_stop("stop 3600000"));
  REQUIRE(tell_stop(room.folder(), milliseconds(5000)));
  CHECK(room.wait().how->cause == ending_cause::told);
  CHECK(tell_stop(room.folder(), soon).error().is(manager_errc::timeout)); // nobody is there any more
}

} // namespace process_manager_test
