#include "actors/swop/managers/process/process_manager.hpp"

#include "actors/swop/managers/mount_rules.hpp"
#include "actors/swop/managers/names_starting.hpp"
#include "actors/swop/managers/process/cgroup.hpp"
#include "actors/swop/managers/process/detail/watcher.hpp"
#include "actors/swop/managers/process/folder_manager.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "actors/swop/managers/process/spec_json.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

namespace swarm::managers {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds check_patience{15'000};
constexpr milliseconds kill_patience{5'000};

class process_manager final : public folder_manager {
public:
  process_manager(process_manager_options options, mount_rules rules,
                  std::function<void(const std::string&)> on_change)
      : folder_manager(options.folder), options_(std::move(options)), rules_(std::move(rules)),
        watcher_(std::move(on_change)) {
    for (const auto& each : programs())
      if (each.phase != program_phase::ended) watch(each.name);
  }

  result<> check() override {
    return run_shim(options_.shim, {"check", std::to_string(options_.uid), std::to_string(options_.gid)},
                    shim_life::for_its_report, check_patience);
  }

  result<> start(const program_spec& spec) override {
    if (spec.container)
      return fail(manager_errc::bad_spec, "{}: is a container, and mgrtype PROCESS starts none", spec.name);
    if (const auto good = read_spec(write_spec(spec)); !good)
      return fail(manager_errc::bad_spec, "{}", good.error().message);
    for (const auto& each : spec.mounts)
      SWARM_CHECK(rules_.check(each));
    const auto folder = folder_of(spec.name);
    const names_starting::mark mark(starting_, spec.name);
    if (const auto made = folder.make(spec); !made) {
      if (!made.error().is(manager_errc::name_taken)) std::ignore = folder.remove();
      return made;
    }
    auto started = run_shim(options_.shim, {"run", folder.where().string()},
                            shim_life::as_long_as_its_program, options_.start_patience);
    if (started) {
      watch(spec.name);
      return {};
    }
    std::ignore = forget(folder);
    // Is it the specification, or can no sandbox be made here at all?
    if (started.error().is(manager_errc::not_started)) SWARM_CHECK(check_as(spec));
    return started;
  }

  result<> stop(const std::string& name, milliseconds grace) override {
    SWARM_CHECK(check_there(name));
    const auto folder = folder_of(name);
    if (!folder.has_shim()) return end_the_rest(folder), result<>{};
    const auto state = folder.state();
    // Whatever the shim does with it: it ends within the grace time, or is ended, and its program with it.
    watcher_.kill_after(name, grace + kill_patience);
    if (tell_stop(folder.where(), grace)) return {};
    if (const auto pidfd = state ? open_process(state->shim) : std::nullopt;
        pidfd && state->boot == boot_id())
      send_signal(*pidfd, SIGTERM);
    return {};
  }

private:
  program program_of(const std::string& name) override {
    if (starting_.contains(name)) return {.name = name};
    return program_in(folder_of(name), name);
  }

  void watch(const std::string& name) {
    const auto folder = folder_of(name);
    watcher_.watch(name, folder);
  }

  result<> check_as(const program_spec& spec) const {
    return run_shim(options_.shim, {"check", std::to_string(spec.uid), std::to_string(spec.gid)},
                    shim_life::for_its_report, check_patience);
  }

  /// What a shim that was killed left behind, which is nothing as a rule: a sandbox ends with its shim.
  static void end_the_rest(const program_folder& folder) {
    const auto state = folder.state();
    if (!state) return;
    if (const auto init = left_behind(*state)) send_signal(*init, SIGKILL);
    if (state->cgroup && state->boot == boot_id()) std::ignore = remove_cgroup(*state->cgroup);
  }

  result<> forget(const program_folder& folder) override {
    end_the_rest(folder);
    // A shim that has written down the end needs a moment more for its own.
    auto done = folder.remove();
    for (int tries = 0; !done && done.error().is(manager_errc::still_running) && tries < 200; ++tries) {
      std::this_thread::sleep_for(milliseconds(10));
      done = folder.remove();
    }
    return done;
  }

  process_manager_options options_;
  mount_rules rules_;
  names_starting starting_; ///< those without a shim get one
  detail::watcher watcher_;
};

} // namespace

result<std::unique_ptr<manager>> make_process_manager(process_manager_options options,
                                                      std::function<void(const std::string&)> on_change) {
  SWARM_CHECK(make_folders(options.folder, 0700));
  if (options.shim.empty()) options.shim = shim_beside_this_program();
  options.hidden.push_back(options.folder);
  SWARM_TRY(auto rules, mount_rules::make(options.hidden, options.volumes));
  std::error_code problem;
  options.folder = fs::canonical(options.folder, problem);
  return std::make_unique<process_manager>(std::move(options), std::move(rules), std::move(on_change));
}

} // namespace swarm::managers
