#include "actors/swop/managers/slurm/slurm_manager.hpp"

#include "actors/swop/managers/mount_rules.hpp"
#include "actors/swop/managers/names_starting.hpp"
#include "actors/swop/managers/process/folder_manager.hpp"
#include "actors/swop/managers/process/output_log.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "actors/swop/managers/process/spec_json.hpp"
#include "actors/swop/managers/slurm/allocation.hpp"
#include "actors/swop/managers/slurm/job_watch.hpp"
#include "actors/swop/managers/slurm/jobs.hpp"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <thread>

namespace swarm::managers {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds look_every{50};
constexpr milliseconds kill_patience{15'000}; ///< beyond the grace of a stop: then the job is ended
constexpr std::size_t name_bytes_max = 4096;
// What this manager has in a program's folder besides what a shim knows of.
constexpr const char* allocation_file = "allocation";
constexpr const char* stop_file = program_folder::stop_name;
constexpr const char* report_file = "report";
constexpr const char* gone_file = "shim-gone";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

class slurm_manager final : public folder_manager {
public:
  slurm_manager(slurm_manager_options options, mount_rules rules,
                std::function<void(const std::string&)> on_change)
      : folder_manager(options.folder), options_(std::move(options)), rules_(std::move(rules)),
        jobs_("swarm-" + options_.owner + "-"),
        watch_([this] { return programs(); }, [this](const std::string& name) { end_overdue(name); },
               std::move(on_change)) {}

  result<> check() override { return slurm::check_scheduler(); }

  result<> start(const program_spec& spec) override {
    if (spec.container)
      return fail(manager_errc::bad_spec, "{}: is a container, and mgrtype SLURM starts none", spec.name);
    if (const auto good = read_spec(write_spec(spec)); !good)
      return fail(manager_errc::bad_spec, "{}", good.error().message);
    for (const auto& each : spec.mounts)
      SWARM_CHECK(rules_.check(each));
    const auto folder = folder_of(spec.name);
    if (is_there(folder.where()))
      return fail(manager_errc::name_taken, "{}: there is such a program already; remove it first",
                  spec.name);
    const names_starting::mark mark(starting_, spec.name);
    SWARM_TRY(const auto place, allocation_for(spec.name));
    auto started = start_in(place, folder, spec);
    if (started)
      watch_.expect(spec.name);
    else if (!started.error().is(manager_errc::name_taken))
      std::ignore = forget(folder);
    return started;
  }

  result<> stop(const std::string& name, milliseconds grace) override {
    SWARM_CHECK(check_there(name));
    if (program_of(name).phase == program_phase::ended) return {};
    const auto folder = folder_of(name);
    SWARM_CHECK(replace_file(folder.where() / stop_file, as_bytes(write_stop(grace))));
    watch_.end_after(name, grace + kill_patience);
    // On the same host at once; on another one the shim looks each second.
    std::ignore = tell_stop(folder.where(), grace);
    if (slurm::is_waiting(jobs_.state(job_name(folder)))) return slurm::cancel(job_name(folder));
    return {};
  }

private:
  fs::path allocations() const { return options_.folder / "allocations@"; } // no program's name

  std::optional<slurm::allocation> allocation_of(const program_folder& folder) const {
    const auto name = read_file(folder.where() / allocation_file, name_bytes_max);
    if (!name) return std::nullopt;
    return slurm::allocation(allocations() / *name);
  }
  std::string job_name(const program_folder& folder) const {
    const auto place = allocation_of(folder);
    return place ? jobs_.prefix() + place->name() : std::string();
  }

  /// The one that what belongs together has already, or a new one, whose job is in the queue when this returns.
  result<slurm::allocation> allocation_for(const std::string& name) {
    const std::lock_guard lock(mutex_);
    SWARM_CHECK(make_folders(allocations(), 0700));
    const auto wanted = options_.allocation_of(name);
    std::error_code problem;
    for (const auto& each : fs::directory_iterator(allocations(), problem)) {
      const slurm::allocation there(each.path());
      if (there.name().substr(0, there.name().rfind('@')) != wanted) continue;
      const auto state = jobs_.state(jobs_.prefix() + there.name());
      if (!state.empty() && slurm::is_live(state) && !there.is_closed()) return there;
    }
    SWARM_TRY(auto made, slurm::allocation::make(allocations(), wanted));
    auto given = slurm::submit({.name = jobs_.prefix() + made.name(),
                                .script = made.script(),
                                .arguments = {made.where().native(), options_.shim.native(),
                                              disk_of(made).native(), std::string(node_address_word)},
                                .output = made.output()});
    jobs_.ask_anew();
    if (given) return made;
    made.remove();
    return tl::unexpected(std::move(given).error());
  }

  /// On the node's own disk.
  fs::path disk_of(const slurm::allocation& place) const {
    return options_.local / (jobs_.prefix() + place.name());
  }

  result<> start_in(const slurm::allocation& place, const program_folder& folder, program_spec spec) {
    for (auto& each : spec.mounts)
      if (!options_.channels.empty() && each.source.starts_with(options_.channels.native() + "/"))
        each.source = (disk_of(place) / "channel").native();
    SWARM_CHECK(folder.make(spec));
    SWARM_CHECK(create_file(folder.where() / allocation_file, as_bytes(place.name())));
    SWARM_CHECK(place.want(spec.name, folder.where()));
    const auto until = std::chrono::steady_clock::now() + options_.start_patience;
    while (std::chrono::steady_clock::now() < until) {
      if (const auto text = read_file(folder.where() / report_file, state_bytes_max))
        return read_report(*text);
      if (is_there(folder.where() / gone_file))
        return fail(manager_errc::not_started,
                    "{}: swarm-shim cannot be run on its node: {} has to be there, too", spec.name,
                    options_.shim.native());
      const auto state = jobs_.state(jobs_.prefix() + place.name());
      if (!state.empty() && !slurm::is_live(state))
        return fail(manager_errc::not_started, "{}: Slurm has ended its job ({}): {}", spec.name, state,
                    log_of(place));
      std::this_thread::sleep_for(look_every);
    }
    return {}; // its job is in the queue
  }

  static std::string log_of(const slurm::allocation& place) {
    const auto said = last_lines_of(read_file(place.output(), 64 * 1024).value_or(""), 1);
    return said.empty() ? "it has said nothing" : said.front();
  }

  program program_of(const std::string& name) override {
    if (starting_.contains(name)) return {.name = name};
    const auto folder = folder_of(name);
    program out{.name = name};
    auto noted = folder.state();
    std::string state;
    bool can_run = false;
    // Who has ended is asked for no more.
    if (!noted || !std::holds_alternative<shim_state::ended>(noted->phase)) {
      const bool shim_gone = is_there(folder.where() / gone_file);
      if (!shim_gone) state = jobs_.state(job_name(folder));
      can_run = !shim_gone && (state.empty() ? jobs_.may_live() : slurm::is_live(state));
      noted = folder.state(); // after all others: what the shim wrote last is in it
    }
    const auto* ended = noted ? std::get_if<shim_state::ended>(&noted->phase) : nullptr;
    const auto* running = noted ? std::get_if<shim_state::running>(&noted->phase) : nullptr;
    if (running != nullptr) out.started_ms = running->started_ms;
    if (ended == nullptr && can_run) {
      out.phase = running == nullptr ? program_phase::starting : program_phase::running;
      return out;
    }
    out.phase = program_phase::ended;
    const bool told = is_there(folder.where() / stop_file);
    if (ended == nullptr) {
      out.how = how_it_was_cut(state, told, running != nullptr);
      return out;
    }
    out.started_ms = ended->started_ms;
    out.ended_ms = ended->ended_ms;
    out.how = ended->how;
    // Who ends a job sends the same signal to a shim as this manager does. And its other processes may be killed
    // a moment before their shim, which then can still write down what it has seen: SIGKILL.
    const bool killed = ended->how.cause == ending_cause::itself && ended->how.signal == SIGKILL;
    if ((ended->how.cause == ending_cause::told || killed) && !told) {
      out.how->cause = ending_cause::lost;
      out.how->message = "Slurm has ended its job";
    }
    return out;
  }

  static ending how_it_was_cut(const std::string& state, bool told, bool ran) {
    if (told) return {.cause = ending_cause::told, .message = "with its job"};
    if (state == "OUT_OF_MEMORY")
      return {.cause = ending_cause::out_of_memory, .message = "Slurm says OUT_OF_MEMORY"};
    auto why =
        state.empty() ? std::string("its job is gone") : fmt::format("Slurm has ended its job ({})", state);
    return {.cause = ran ? ending_cause::lost : ending_cause::not_started, .message = std::move(why)};
  }

  /// Of a program that does not end although it was told to: its whole job.
  void end_overdue(const std::string& name) {
    const auto folder = folder_of(name);
    if (const auto job = job_name(folder); !job.empty() && program_of(name).phase != program_phase::ended)
      std::ignore = slurm::cancel(job);
  }

  /// Deletes what there is of a program, and its allocation if it was the last one in it.
  result<> forget(const program_folder& folder) override {
    const auto place = allocation_of(folder);
    for (const auto* each : {stop_file, report_file, gone_file, allocation_file})
      std::ignore = remove_file(folder.where() / each);
    auto done = folder.remove();
    // A shim that has written down the end needs a moment more for its own.
    for (int tries = 0; !done && tries < 200; ++tries) {
      std::this_thread::sleep_for(milliseconds(10));
      for (const auto* each : {stop_file, report_file, gone_file, "report.new"})
        std::ignore = remove_file(folder.where() / each);
      done = folder.remove();
    }
    if (!done || !place) return done;
    std::error_code problem;
    for (const auto& each : fs::directory_iterator(options_.folder, problem))
      if (const auto other = allocation_of(program_folder(each.path()));
          other && other->name() == place->name())
        return done;
    if (const auto state = jobs_.state(jobs_.prefix() + place->name());
        state.empty() || !slurm::is_live(state))
      place->remove();
    else
      place->close();
    return done;
  }

  slurm_manager_options options_;
  mount_rules rules_;
  std::mutex mutex_; ///< of the choice of an allocation
  names_starting starting_;
  slurm::job_cache jobs_;
  slurm::job_watch watch_; ///< last: its thread calls the others
};

} // namespace

result<std::unique_ptr<manager>> make_slurm_manager(slurm_manager_options options,
                                                    std::function<void(const std::string&)> on_change) {
  SWARM_CHECK(make_folders(options.folder, 0700));
  if (options.shim.empty()) options.shim = shim_beside_this_program();
  options.hidden.push_back(options.folder);
  SWARM_TRY(auto rules, mount_rules::make(options.hidden, options.volumes));
  std::error_code problem;
  options.folder = fs::canonical(options.folder, problem);
  return std::make_unique<slurm_manager>(std::move(options), std::move(rules), std::move(on_change));
}

} // namespace swarm::managers
