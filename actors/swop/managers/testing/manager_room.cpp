#include "actors/swop/managers/testing/manager_room.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace swarm::managers::testing {

namespace fs = std::filesystem;

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

std::function<void(const std::string&)> manager_room::listener() {
  return [this](const std::string& name) {
    const std::lock_guard lock(mutex_);
    told_.insert(name);
    changed_.notify_all();
  };
}

void manager_room::clean_up() {
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

fs::path manager_room::host_folder(const std::string& name) const {
  const auto out = where() / name;
  fs::create_directories(out);
  REQUIRE(::chmod(out.c_str(), 0777) == 0);
  return out;
}

program manager_room::run(const program_spec& spec) {
  const auto started = manager_->start(spec);
  REQUIRE_MESSAGE(started, (started ? std::string() : started.error().message));
  return wait(spec.name);
}

program manager_room::wait(const std::string& name) {
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

std::vector<std::string> manager_room::output(const std::string& name) {
  auto out = manager_->last_lines(name, output_lines_max);
  REQUIRE(out);
  return *out;
}

void manager_room::wait_for_line(const std::string& line, const std::string& name) {
  REQUIRE_MESSAGE(eventually([&] { return std::ranges::count(output(name), line) > 0; }), line);
}

} // namespace swarm::managers::testing
