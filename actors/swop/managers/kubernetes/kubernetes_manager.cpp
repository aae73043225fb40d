#include "actors/swop/managers/kubernetes/kubernetes_manager.hpp"

#include "actors/swop/managers/docker/container_of.hpp"
#include "actors/swop/managers/kubernetes/log_keeper.hpp"
#include "actors/swop/managers/kubernetes/pod_watch.hpp"
#include "actors/swop/managers/mount_rules.hpp"
#include "actors/swop/managers/names_starting.hpp"
#include "actors/swop/managers/process/folder_manager.hpp"
#include "actors/swop/managers/process/output_log.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>

namespace swarm::managers {

namespace fs = std::filesystem;
using kubernetes::api_errc;
using kubernetes::kind;
using kubernetes::pod_facts;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds settle_every{500}; ///< should nothing be told
constexpr milliseconds ask_every{1'000};  ///< about one Job
constexpr milliseconds log_patience{30'000};
constexpr std::size_t part_bytes_max = 4 * 1024 * 1024;
// What a program's folder has besides its state and its output.
constexpr const char* wanted_file = "wanted"; ///< its part of a manifest, until its Job is made
constexpr const char* job_file = "job";       ///< the name of its Job, from before that is made
constexpr const char* stop_file = "stop";     ///< it was told to end, with so many seconds of grace

/// An API server's failure as a manager's.
error manager_error(error why) {
  const auto code = why.is(api_errc::nowhere)    ? manager_errc::not_installed
                    : why.is(api_errc::denied)   ? manager_errc::forbidden
                    : why.is(api_errc::away)     ? manager_errc::timeout
                    : why.is(api_errc::refused)  ? manager_errc::not_started
                    : why.is(api_errc::conflict) ? manager_errc::name_taken
                                                 : manager_errc::io;
  return make_error(code, std::move(why.message));
}

class kubernetes_manager final : public folder_manager {
public:
  kubernetes_manager(kubernetes_manager_options options, mount_rules rules,
                     std::function<void(const std::string&)> on_change)
      : folder_manager(options.folder), options_(std::move(options)), rules_(std::move(rules)),
        on_change_(std::move(on_change)), logs_(options_.api),
        pods_(
            options_.api, options_.owner, [this] { wake(); }, options_.tell) {
    settler_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  /// A server that has answered before and is away for a moment is asked again when something starts.
  result<> check() override {
    const auto said = api().get(kind::jobs, {}, {{"limit", "1"}});
    if (said || (said.error().is(api_errc::away) && pods_.has_answered())) return {};
    return tl::unexpected(manager_error(said.error()));
  }

  result<> start(const program_spec& spec) override {
    if (!spec.container)
      return fail(manager_errc::bad_spec, "{}: has no image, and mgrtype KUBERNETES starts nothing else",
                  spec.name);
    SWARM_CHECK(check_container(spec));
    for (const auto& each : spec.mounts)
      if (each.source.starts_with('/')) SWARM_CHECK(rules_.check(each));
    const auto place = options_.place_of(spec.name);
    SWARM_TRY(const auto places, places_now());
    SWARM_TRY(const auto part, kubernetes::part_of(spec, place.container, places));
    const names_starting::mark mark(starting_, spec.name);
    SWARM_CHECK(make_folder(spec.name, part));
    const auto job = name_job(place);
    if (job.empty()) return {}; // the rest of its pod is still to come
    const auto made = make_job(job);
    const auto started = made ? wait_for(job) : made;
    if (started) return {};
    undo(job, spec.name, started.error());
    return fail_with(started.error(), spec.name);
  }

  result<> stop(const std::string& name, milliseconds grace) override {
    SWARM_CHECK(check_there(name));
    if (program_of(name).phase == program_phase::ended) return {};
    std::string job;
    {
      const std::lock_guard lock(pairs_);
      job = job_of(name);
      if (job.empty()) {
        end(name, {}, {.cause = ending_cause::told, .message = "before its pod was made"});
        return {};
      }
    }
    const auto seconds = std::max<std::int64_t>(1, (grace.count() + 999) / 1000);
    for (const auto& each : members_of(job))
      if (program_of(each).phase != program_phase::ended)
        SWARM_CHECK(replace_file(folder_of(each).where() / stop_file, as_bytes(std::to_string(seconds))));
    // What does not succeed is tried again. As long as nothing is heard of pods nobody would hear how it ended.
    if (pods_.is_up_to_date()) end_pod(job);
    return {};
  }

  result<std::vector<std::string>> last_lines(const std::string& name, std::size_t count) override {
    SWARM_CHECK(check_there(name));
    const auto pod =
        program_of(name).phase == program_phase::ended ? std::nullopt : pods_.of_job(job_of(name));
    if (!pod) return folder_manager::last_lines(name, count);
    const auto text =
        logs_.last(pod->name, options_.place_of(name).container, std::min(count, output_lines_max));
    if (text) return last_lines_of(*text, count);
    if (text.error().is(api_errc::not_found) || text.error().is(api_errc::refused))
      return std::vector<std::string>(); // it does not run yet, or any more
    return tl::unexpected(manager_error(text.error()));
  }

private:
  const kubernetes::api& api() const { return *options_.api; }

  std::string job_of(const std::string& name) const {
    return read_file(folder_of(name).where() / job_file, 256).value_or("");
  }
  bool is_told(const std::string& name) const {
    std::error_code ignored;
    return fs::exists(folder_of(name).where() / stop_file, ignored);
  }
  std::optional<shim_state::ended> ending_of(const std::string& name) const {
    const auto state = folder_of(name).state();
    if (!state || !std::holds_alternative<shim_state::ended>(state->phase)) return std::nullopt;
    return std::get<shim_state::ended>(state->phase);
  }
  std::vector<std::string> members_of(const std::string& job) const {
    auto out = names();
    std::erase_if(out, [&](const std::string& each) { return job_of(each) != job; });
    return out;
  }

  program program_of(const std::string& name) override {
    program out{.name = name};
    if (const auto ended = ending_of(name)) {
      out.phase = program_phase::ended;
      out.started_ms = ended->started_ms;
      out.ended_ms = ended->ended_ms;
      out.how = ended->how;
      return out;
    }
    const auto pod = pods_.of_job(job_of(name));
    if (!pod) return out;
    const auto now = kubernetes::program_in(name, options_.place_of(name).container, *pod, is_told(name));
    out.started_ms = now.started_ms;
    // One that has ended is one as soon as its output is here and that is written down.
    const bool ran =
        now.phase == program_phase::running || (now.phase == program_phase::ended && now.started_ms > 0);
    out.phase = ran ? program_phase::running : program_phase::starting;
    return out;
  }

  // Starting

  /// What the own pod has mounted is asked for once, when it is needed first.
  result<kubernetes::mount_places> places_now() {
    const std::lock_guard lock(pairs_);
    if (options_.own_pod.empty()) return options_.places;
    const auto own = api().get(kind::pods, options_.own_pod);
    if (!own) return tl::unexpected(manager_error(own.error()));
    options_.places.is_in_pod = true;
    options_.places.volumes = kubernetes::volumes_in(*own);
    options_.own_pod.clear();
    return options_.places;
  }

  result<> make_folder(const std::string& name, const boost::json::object& part) const {
    const auto where = folder_of(name).where();
    if (::mkdir(where.c_str(), 0700) != 0) {
      if (errno == EEXIST)
        return fail(manager_errc::name_taken, "{}: there is such a program already; remove it first", name);
      return fail(manager_errc::io, "{}: cannot be made: {}", where.native(), std::strerror(errno));
    }
    auto done = create_file(where / wanted_file, as_bytes(boost::json::serialize(part)));
    if (!done) std::ignore = forget_files(folder_of(name));
    return done;
  }

  /// A name for the Job of all that belong together, once all of them are here; empty until then.
  std::string name_job(const pod_place& place) {
    const std::lock_guard lock(pairs_);
    auto members = names();
    std::erase_if(members, [&](const std::string& each) {
      return options_.place_of(each).pod != place.pod || !job_of(each).empty() || ending_of(each);
    });
    if (members.size() < place.members) return {};
    const auto unique =
        sha256(as_bytes(fmt::format("{} {} {}", options_.owner, place.pod, unix_milliseconds())));
    auto out = fmt::format("swarmd-{}", to_hex(unique.view(), false).substr(0, 20));
    starting_jobs_.insert(out);
    for (const auto& each : members)
      if (!create_file(folder_of(each).where() / job_file, as_bytes(out))) return {};
    return out;
  }

  /// The Job and its secret. A server that is away for a moment is asked again.
  result<> make_job(const std::string& job) {
    std::vector<boost::json::object> parts;
    for (const auto& each : members_of(job)) {
      const auto file = folder_of(each).where() / wanted_file;
      SWARM_TRY(const auto text, read_file(file, part_bytes_max));
      parts.push_back(boost::json::parse(text).as_object());
      std::ignore = remove_file(file); // there are keys in it
    }
    const auto until = steady::now() + options_.start_patience;
    SWARM_TRY(const auto made,
              create(kind::jobs, job, kubernetes::job_of(job, options_.owner, parts), until));
    const auto* meta = made.if_contains("metadata");
    const auto uid =
        meta != nullptr && meta->is_object() ? kubernetes::text_at(meta->as_object(), "uid") : std::string();
    const auto secret = kubernetes::secret_of(job, options_.owner, uid, parts);
    if (!secret.empty()) SWARM_CHECK(create(kind::secrets, job, secret, until));
    const std::lock_guard lock(pairs_);
    starting_jobs_.erase(job);
    return {};
  }

  result<boost::json::object> create(kind of, const std::string& name, const boost::json::object& what,
                                     steady::time_point until) {
    for (bool is_again = false;; is_again = true) {
      auto made = api().create(of, what);
      // The name is nobody else's: an answer was lost.
      if (!made && is_again && made.error().is(api_errc::conflict))
        made = of == kind::jobs ? api().get(of, name) : boost::json::object();
      if (made) return made;
      if (!made.error().is(api_errc::away) || steady::now() >= until)
        return tl::unexpected(manager_error(std::move(made).error()));
      std::this_thread::sleep_for(settle_every);
    }
  }

  /// Until all containers of its pod run, or what keeps them from it is known, or it is clear that it takes longer.
  result<> wait_for(const std::string& job) {
    const auto until = steady::now() + options_.start_patience;
    while (steady::now() < until) {
      const auto pod = pods_.of_job(job);
      if (pod && (pod->all_started() || pod->is_gone || pod->is_ending)) return {};
      if (auto why = pod ? trouble_of(job, *pod) : std::nullopt) return tl::unexpected(std::move(*why));
      pods_.wait_for_news(std::min(until, steady::now() + settle_every));
    }
    return {};
  }

  /// Images have their time; what else is wrong stays so.
  std::optional<error> trouble_of(const std::string& job, const pod_facts& pod) {
    auto why = kubernetes::trouble_of(pod);
    if (!why || !why->is(manager_errc::image_missing)) return why;
    const std::lock_guard lock(pairs_);
    const auto since = without_image_.try_emplace(job, steady::now()).first->second;
    return steady::now() < since + options_.image_patience ? std::nullopt : why;
  }

  /// Nothing is left of the program that was to start; those that came before it have ended.
  void undo(const std::string& job, const std::string& name, const error& why) {
    remove_job(job);
    for (const auto& each : members_of(job))
      if (each != name) end(each, {}, {.cause = ending_cause::not_started, .message = why.message});
    std::ignore = forget_files(folder_of(name));
    const std::lock_guard lock(pairs_);
    starting_jobs_.erase(job);
  }

  // Ending

  void remove_job(const std::string& job) {
    const auto done = api().remove(kind::jobs, job);
    const std::lock_guard lock(pairs_);
    if (done || done.error().is(api_errc::not_found))
      to_remove_.erase(job);
    else
      to_remove_.insert(job);
  }

  /// Its containers get SIGTERM, and SIGKILL when the grace that was noted is over. What they write until then is kept.
  void end_pod(const std::string& job) {
    const auto pod = pods_.of_job(job);
    if (pod && (pod->is_ending || pod->is_gone)) return;
    std::int64_t grace = 1;
    bool runs = false;
    for (const auto& each : members_of(job)) {
      const auto text = read_file(folder_of(each).where() / stop_file, 32).value_or("");
      std::from_chars(text.data(), text.data() + text.size(), grace);
      const auto container = options_.place_of(each).container;
      if (!pod || kubernetes::program_in(each, container, *pod, true).phase != program_phase::running)
        continue;
      runs = true;
      logs_.follow(each, pod->name, container);
    }
    if (runs)
      std::ignore = api().remove(kind::pods, pod->name, std::chrono::seconds(grace));
    else
      std::ignore = api().remove(kind::jobs, job);
  }

  void end(const std::string& name, const program& was, ending how) {
    shim_state state;
    state.phase = shim_state::ended{
        .started_ms = was.started_ms,
        .ended_ms = was.ended_ms != 0 || was.started_ms == 0 ? was.ended_ms : unix_milliseconds(),
        .how = std::move(how)};
    if (!folder_of(name).write(state)) return; // removed meanwhile, or the disk is full: once more
    std::ignore = remove_file(folder_of(name).where() / wanted_file);
    logs_.forget(name);
    if (on_change_) on_change_(name);
  }

  result<> forget_files(const program_folder& folder) const {
    for (const auto* each : {wanted_file, job_file, stop_file})
      std::ignore = remove_file(folder.where() / each);
    return folder.remove();
  }

  result<> forget(const program_folder& folder) override {
    const auto job = read_file(folder.where() / job_file, 256).value_or("");
    SWARM_CHECK(forget_files(folder));
    if (job.empty() || !members_of(job).empty()) return {};
    remove_job(job);
    pods_.forget(job);
    return {};
  }

  // Settling: what the cluster says is written down

  void wake() {
    const std::lock_guard lock(wake_mutex_);
    is_awake_ = true;
    woken_.notify_all();
  }

  void run(const std::stop_token& stop) {
    bool is_first = true;
    while (!stop.stop_requested()) {
      if (is_first && pods_.is_up_to_date()) is_first = !remove_leftovers();
      for (const auto& each : names())
        if (!stop.stop_requested()) settle(each);
      for (const auto& each : copy_of(to_remove_))
        remove_job(each);
      std::unique_lock lock(wake_mutex_);
      woken_.wait_for(lock, stop, settle_every, [&] { return is_awake_; });
      is_awake_ = false;
    }
  }

  std::set<std::string> copy_of(const std::set<std::string>& names) {
    const std::lock_guard lock(pairs_);
    return names;
  }

  /// Jobs of this owner of which no folder knows: a manager was killed before it removed them.
  bool remove_leftovers() {
    const auto all = api().get(kind::jobs, {}, {{"labelSelector", pods_.labels()}});
    if (!all) return false;
    const auto* items = all->if_contains("items");
    if (items == nullptr || !items->is_array()) return true;
    for (const auto& each : items->get_array()) {
      const auto* meta = each.is_object() ? each.get_object().if_contains("metadata") : nullptr;
      if (meta == nullptr || !meta->is_object()) continue;
      const auto job = kubernetes::text_at(meta->get_object(), "name");
      if (!is_starting(job) && members_of(job).empty()) remove_job(job);
    }
    return true;
  }

  bool is_starting(const std::string& job) {
    const std::lock_guard lock(pairs_);
    return starting_jobs_.contains(job);
  }

  void settle(const std::string& name) {
    if (starting_.contains(name) || ending_of(name)) return;
    const auto job = job_of(name);
    if (job.empty() || is_starting(job)) return;
    const auto pod = pods_.of_job(job);
    const bool told = is_told(name);
    if (!pod) return settle_without_pod(name, job, told);
    auto now = kubernetes::program_in(name, options_.place_of(name).container, *pod, told);
    if (now.phase == program_phase::ended) return settle_ended(now, *pod);
    if (told && pods_.is_up_to_date() && is_time_for(job)) end_pod(job);
    if (auto why = told ? std::nullopt : trouble_of(job, *pod)) {
      end(name, {},
          {.cause = why->is(manager_errc::no_such_command) ? ending_cause::no_such_command
                                                           : ending_cause::not_started,
           .message = why->message});
      remove_job(job);
    } else if (!pod->waits_for.empty()) {
      const std::lock_guard lock(pairs_);
      if (waits_told_.insert(job).second)
        options_.tell(fmt::format("{}: no node takes its pod yet: {}", name, pod->waits_for));
    }
  }

  bool is_time_for(const std::string& job) {
    const std::lock_guard lock(pairs_);
    auto& next = ask_at_[job];
    if (steady::now() < next) return false;
    next = steady::now() + ask_every;
    return true;
  }

  void settle_without_pod(const std::string& name, const std::string& job, bool told) {
    if (!pods_.is_up_to_date() || !is_time_for(job)) return;
    const auto found = api().get(kind::jobs, job);
    if (pods_.of_job(job)) return; // it has come meanwhile
    if (!found && found.error().is(api_errc::not_found))
      return end(name, {},
                 told ? ending{.cause = ending_cause::told, .message = "before it ran"}
                      : ending{.cause = ending_cause::lost, .message = "its Job is gone from the cluster"});
    if (!found) return;
    if (auto why = kubernetes::failure_of_job(*found); !why.empty())
      return end(name, {},
                 {.cause = told ? ending_cause::told : ending_cause::lost, .message = std::move(why)});
    if (told) end_pod(job);
  }

  /// Its output is read first: it goes with the pod.
  void settle_ended(const program& now, const pod_facts& pod) {
    std::optional<std::string> text;
    if (logs_.follows(now.name)) {
      text = logs_.take(now.name, log_patience);
      if (!text) return;
    } else if (!pod.is_gone && now.started_ms > 0) {
      auto read = logs_.last(pod.name, options_.place_of(now.name).container, output_lines_max);
      if (!read && read.error().is(api_errc::away)) return; // later
      if (read) text = std::move(*read);
    }
    if (text) std::ignore = replace_file(folder_of(now.name).where() / "output.log", as_bytes(*text));
    end(now.name, now, *now.how);
  }

  kubernetes_manager_options options_;
  mount_rules rules_;
  std::function<void(const std::string&)> on_change_;
  names_starting starting_;
  std::mutex pairs_; ///< of what follows, and of which programs make a pod
  std::set<std::string> starting_jobs_, to_remove_, waits_told_;
  std::map<std::string, steady::time_point> ask_at_, without_image_;
  std::mutex wake_mutex_;
  std::condition_variable_any woken_;
  bool is_awake_ = false;
  kubernetes::log_keeper logs_;
  kubernetes::pod_watch pods_; ///< the threads go first, as they use the rest
  std::jthread settler_;
};

} // namespace

result<std::unique_ptr<manager>> make_kubernetes_manager(kubernetes_manager_options options,
                                                         std::function<void(const std::string&)> on_change) {
  SWARM_CHECK(make_folders(options.folder, 0700));
  options.hidden.push_back(options.folder);
  SWARM_TRY(auto rules, mount_rules::make(options.hidden, options.shown));
  std::error_code problem;
  options.folder = fs::canonical(options.folder, problem);
  if (!options.tell) options.tell = [](const std::string&) {};
  return std::make_unique<kubernetes_manager>(std::move(options), std::move(rules), std::move(on_change));
}

} // namespace swarm::managers
