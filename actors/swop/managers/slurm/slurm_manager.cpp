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
#include <array>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

namespace swarm::managers {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds look_every{50};
constexpr milliseconds kill_patience{15'000}; ///< beyond the grace of a stop: then the job is ended
constexpr std::size_t name_bytes_max = 4096;
// What this manager has in a program's folder besides what a shim knows of.
constexpr const char* allocation_file = "allocation";
constexpr const char* stop_file = program_folder::stop_name;
constexpr const char* report_file = "report";
constexpr const char* gone_file = "shim-gone";
constexpr const char* lost_file = "lost"; ///< why, once it is known that Slurm has ended its job
constexpr std::array own_files{stop_file,    report_file, gone_file,      lost_file,
                               "report.new", "lost.new",  allocation_file};
// A job whose processes are told to end, or killed, has not ended for Slurm yet.
constexpr seconds patience_if_told{15}, patience_if_killed{5};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

class slurm_manager final : public folder_manager {
public:
  slurm_manager(slurm_manager_options options, mount_rules rules,
                std::function<void(const std::string&)> on_change)
      : folder_manager(options.folder), options_(std::move(options)), rules_(std::move(rules)),
        jobs_("swarm-" + options_.owner + "-", options_.tell),
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
    if (slurm::is_waiting(jobs_.fact(job_name(folder)).state)) return slurm::cancel(job_name(folder));
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
      const auto state = jobs_.fact(jobs_.prefix() + there.name()).state;
      if (!state.empty() && slurm::is_live(state) && !there.is_closed()) return there;
    }
    SWARM_TRY(auto made, slurm::allocation::make(allocations(), wanted));
    auto given = slurm::submit(
        {.name = jobs_.prefix() + made.name(),
         .script = made.script(),
         .arguments = {made.where().native(), options_.shim.native(), disk_of(made).native(),
                       (options_.local / jobs_.prefix()).native(), std::string(node_address_word)},
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
      const auto state = jobs_.fact(jobs_.prefix() + place.name()).state;
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
    auto noted = folder.state();
    slurm::job_fact job;
    bool can_run = false;
    const bool is_lost = is_there(folder.where() / lost_file);
    // Who has ended is asked for no more.
    if (!is_lost && (!noted || !std::holds_alternative<shim_state::ended>(noted->phase))) {
      const bool shim_gone = is_there(folder.where() / gone_file);
      if (!shim_gone) job = jobs_.fact(job_name(folder));
      can_run = !shim_gone && (job.state.empty() ? jobs_.may_live() : slurm::is_live(job.state));
      noted = folder.state(); // after all others: what the shim wrote last is in it
    }
    program out{.name = name};
    if (noted) add_times(*noted, out);
    if (const auto why = read_file(folder.where() / lost_file, state_bytes_max)) {
      out.phase = program_phase::ended;
      out.how = ending{.cause = ending_cause::lost, .message = *why};
      return out;
    }
    const auto* ended = noted ? std::get_if<shim_state::ended>(&noted->phase) : nullptr;
    if (ended != nullptr) return judged(folder, ended->how, std::move(out));
    const bool ran = noted && std::holds_alternative<shim_state::running>(noted->phase);
    if (can_run) {
      out.phase = ran ? program_phase::running : program_phase::starting;
      return out;
    }
    out.phase = program_phase::ended;
    out.how = how_it_was_cut(job, is_there(folder.where() / stop_file), ran);
    if (out.how->cause == ending_cause::lost) give_up(folder, out.how->message);
    return out;
  }

  static void add_times(const shim_state& from, program& to) {
    if (const auto* running = std::get_if<shim_state::running>(&from.phase))
      to.started_ms = running->started_ms;
    if (const auto* ended = std::get_if<shim_state::ended>(&from.phase)) {
      to.started_ms = ended->started_ms;
      to.ended_ms = ended->ended_ms;
    }
  }

  /// Of a program of which its shim says that it was told to end, or killed: who ends a job sends the same signals to both. A
  /// job ends some time after its processes, and then Slurm says why.
  program judged(const program_folder& folder, const ending& how, program out) {
    out.phase = program_phase::ended;
    out.how = how;
    const bool killed = how.cause == ending_cause::itself && how.signal == SIGKILL;
    if ((how.cause != ending_cause::told && !killed) || is_there(folder.where() / stop_file)) return out;
    const auto job = jobs_.fact(job_name(folder));
    const bool goes_on = job.state.empty() ? jobs_.may_live() : slurm::is_live(job.state);
    if (goes_on && !has_waited(out.name, killed ? patience_if_killed : patience_if_told)) {
      out.phase = program_phase::running;
      out.how.reset();
      return out;
    }
    // Somebody has killed this program alone.
    if (killed && (goes_on || job.state == "COMPLETED")) return out;
    out.how = ending{.cause = ending_cause::lost, .message = ended_by_slurm(job)};
    give_up(folder, out.how->message);
    return out;
  }

  /// Whether it was waited for so long since this program was seen to have ended.
  bool has_waited(const std::string& name, seconds patience) {
    const std::lock_guard lock(ended_mutex_);
    const auto now = std::chrono::steady_clock::now();
    return now >= seen_ended_.emplace(name, now).first->second + patience;
  }

  static std::string ended_by_slurm(const slurm::job_fact& job) {
    if (job.state.empty()) return "its job is gone";
    const auto word = slurm::is_live(job.state) ? std::string() : fmt::format(" ({})", job.state);
    return fmt::format("Slurm has ended its job{}{}", word, job.node.empty() ? "" : " on " + job.node);
  }

  static ending how_it_was_cut(const slurm::job_fact& job, bool told, bool ran) {
    if (told) return {.cause = ending_cause::told, .message = "with its job"};
    if (job.state == "OUT_OF_MEMORY")
      return {.cause = ending_cause::out_of_memory, .message = "Slurm says OUT_OF_MEMORY"};
    return {.cause = ran ? ending_cause::lost : ending_cause::not_started, .message = ended_by_slurm(job)};
  }

  /// From now on it is lost, whatever comes of it. On a node whose daemon alone is gone it may still run: its shim is told.
  static void give_up(const program_folder& folder, const std::string& why) {
    std::ignore = replace_file(folder.where() / lost_file, as_bytes(why));
    std::ignore = replace_file(folder.where() / stop_file, as_bytes(write_stop(milliseconds(0))));
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
    auto done = remove_all_of(folder);
    // A shim that has written down the end needs a moment more for its own; one that was given up, a second to see it.
    for (int tries = 0; !done && tries < 400; ++tries) {
      std::this_thread::sleep_for(milliseconds(10));
      done = remove_all_of(folder);
    }
    {
      const std::lock_guard lock(ended_mutex_);
      seen_ended_.erase(folder.where().filename().native());
    }
    if (!done || !place) return done;
    std::error_code problem;
    for (const auto& each : fs::directory_iterator(options_.folder, problem))
      if (const auto other = allocation_of(program_folder(each.path()));
          other && other->name() == place->name())
        return done;
    if (const auto state = jobs_.fact(jobs_.prefix() + place->name()).state;
        state.empty() || !slurm::is_live(state))
      place->remove();
    else
      place->close();
    return done;
  }

  static result<> remove_all_of(const program_folder& folder) {
    if (folder.has_shim())
      return fail(manager_errc::still_running, "{}: still runs", folder.where().filename().native());
    for (const auto* each : own_files)
      std::ignore = remove_file(folder.where() / each);
    return folder.remove();
  }

  slurm_manager_options options_;
  mount_rules rules_;
  std::mutex mutex_; ///< of the choice of an allocation
  std::mutex ended_mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> seen_ended_; ///< not by this manager
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
