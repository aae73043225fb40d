#include "actors/swop/managers/process/testing/program_room.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace swarm::managers::testing {

namespace fs = std::filesystem;

namespace {
std::string message_of(const result<>& of) {
  return of ? "" : of.error().message;
}
} // namespace

bool eventually(const std::function<bool()>& what) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!what()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::uint32_t program_uid() {
  return ::geteuid() == 0 ? 12345 : ::geteuid();
}

program_room::program_room(const prologue& before) {
  REQUIRE(::chmod(where_.c_str(), 0755) == 0);
  if (before) before(where_ / "programs", shell("exec sleep 600"));
  make_manager({});
}

program_room::~program_room() {
  for (const auto& each : manager_->programs())
    if (each.phase != program_phase::ended)
      std::ignore = manager_->stop(each.name, std::chrono::milliseconds(0));
  eventually([&] {
    return std::ranges::all_of(manager_->programs(),
                               [](const program& each) { return each.phase == program_phase::ended; });
  });
  for (const auto& each : manager_->programs())
    std::ignore = manager_->remove(each.name); // with its cgroup, which lies elsewhere
}

void program_room::make_manager(const fs::path& shim) {
  manager_.reset();
  process_manager_options options;
  options.folder = where_ / "programs";
  options.shim = shim;
  options.hidden = {where_ / "data"};
  options.volumes = {where_ / "data" / "volumes"};
  options.uid = options.gid = program_uid();
  auto made = make_process_manager(std::move(options), [this](const std::string& name) {
    const std::lock_guard lock(mutex_);
    told_.insert(name);
    changed_.notify_all();
  });
  REQUIRE(made);
  manager_ = std::move(*made);
}

bool program_room::has_sandboxes() {
  static const bool there = [] {
    program_room room;
    const auto can = room.manager().check();
    if (!can) MESSAGE("not tried: no sandboxes on this host: ", can.error().message);
    return can.has_value();
  }();
  return there;
}

void program_room::restart() {
  make_manager({});
}

void program_room::use_shim(const fs::path& shim) {
  make_manager(shim);
}

program_spec program_room::shell(std::string command, std::string name) const {
  program_spec out;
  out.name = std::move(name);
  out.argv = {"/bin/sh", "-c", std::move(command)};
  out.working_directory = "/tmp";
  out.uid = out.gid = program_uid();
  return out;
}

fs::path program_room::host_folder(const std::string& name) const {
  const auto out = where_ / name;
  fs::create_directories(out);
  REQUIRE(::chmod(out.c_str(), 0777) == 0);
  return out;
}

program program_room::run(const program_spec& spec) {
  const auto started = manager_->start(spec);
  REQUIRE_MESSAGE(started, message_of(started));
  return wait(spec.name);
}

program program_room::wait(const std::string& name) {
  std::unique_lock lock(mutex_);
  REQUIRE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return told_.contains(name); }));
  told_.erase(told_.find(name));
  lock.unlock();
  const auto out = manager_->look(name);
  REQUIRE(out);
  REQUIRE(out->phase == program_phase::ended);
  REQUIRE(out->how);
  return *out;
}

std::vector<std::string> program_room::output(const std::string& name) {
  auto out = manager_->last_lines(name, output_lines_max);
  REQUIRE(out);
  return *out;
}

void program_room::wait_for_line(const std::string& line, const std::string& name) {
  REQUIRE_MESSAGE(eventually([&] { return std::ranges::count(output(name), line) > 0; }), line);
}

} // namespace swarm::managers::testing
