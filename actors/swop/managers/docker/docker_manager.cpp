#include "actors/swop/managers/docker/docker_manager.hpp"

#include "actors/swop/managers/docker/container_of.hpp"
#include "actors/swop/managers/docker/detail/due_list.hpp"
#include "actors/swop/managers/docker/networks.hpp"
#include "actors/swop/managers/docker/program_notes.hpp"
#include "actors/swop/managers/mount_rules.hpp"
#include "actors/swop/managers/names_starting.hpp"
#include "actors/swop/managers/process/output_log.hpp"
#include "actors/swop/managers/process/spec_json.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace swarm::managers {

using engine::engine_errc;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds deadline_grace{5'000}; ///< between SIGTERM and SIGKILL
constexpr milliseconds listen_again_first{200}, listen_again_most{5'000};

/// An engine's failure as a manager's.
error error_of(error why) {
  const auto code = [&] {
    if (why.is(engine_errc::absent) || why.is(engine_errc::too_old)) return manager_errc::not_installed;
    if (why.is(engine_errc::forbidden)) return manager_errc::forbidden;
    if (why.is(engine_errc::not_found)) return manager_errc::no_such_program;
    if (why.is(engine_errc::no_such_command)) return manager_errc::no_such_command;
    if (why.is(engine_errc::timeout)) return manager_errc::timeout;
    return manager_errc::io;
  }();
  return make_error(code, std::move(why.message));
}

template <class T>
tl::unexpected<error> failed(const result<T>& from) {
  return tl::unexpected(error_of(from.error()));
}

class docker_manager final : public manager {
public:
  docker_manager(docker_manager_options options, mount_rules rules, program_notes notes,
                 std::function<void(const std::string&)> on_change)
      : options_(std::move(options)), rules_(std::move(rules)), notes_(std::move(notes)),
        on_change_(std::move(on_change)) {
    for (const auto& each : programs())
      if (each.phase == program_phase::ended) told_.insert(each.name);
    listener_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
  }

  result<> check() override {
    if (const auto there = engine().ping(); !there) return failed(there);
    return {};
  }

  result<> start(const program_spec& spec) override {
    SWARM_CHECK(check_container(spec));
    for (const auto& each : spec.mounts)
      SWARM_CHECK(check_mount(each));
    SWARM_CHECK(check());
    if (const auto there = find(spec.name); there)
      return fail(manager_errc::name_taken, "{}: is there already; remove it first", spec.name);
    else if (!there.error().is(manager_errc::no_such_program))
      return tl::unexpected(there.error());
    if (const auto image = engine().image(spec.container->image); !image) {
      if (!image.error().is(engine_errc::not_found)) return failed(image);
      return fail(manager_errc::image_missing, "{}: the image {} is not there; build or pull it first",
                  spec.name, spec.container->image);
    }
    if (const auto able = check_network(engine(), *spec.container); !able)
      return fail(manager_errc::not_started, "{}: {}", spec.name, able.error().message);
    const names_starting::mark mark(starting_, spec.name);
    forget(spec.name);
    const auto made = engine().create(container_name(spec), container_of(spec, options_.owner));
    if (!made) return not_started(spec, made.error());
    const auto started = engine().start(*made);
    if (!started) {
      std::ignore = engine().remove(*made, true);
      return not_started(spec, started.error());
    }
    if (const auto facts = engine().inspect(*made)) keep_deadline(spec.name, *facts);
    return {};
  }

  /// While the engine is away what was known last: programs have not gone because nobody tells of them.
  std::vector<program> programs() override {
    auto listed = list();
    const std::lock_guard lock(mutex_);
    if (listed) known_ = std::move(*listed);
    return known_;
  }

  result<program> look(const std::string& name) override {
    SWARM_TRY(const auto id, find(name));
    return look_at(name, id);
  }

  result<> stop(const std::string& name, milliseconds grace) override {
    SWARM_TRY(const auto id, find(name));
    SWARM_TRY(const auto now, look_at(name, id));
    if (now.phase == program_phase::ended) return {};
    SWARM_CHECK(notes_.note(name, ending_cause::told));
    return end(name, id, grace);
  }

  result<std::vector<std::string>> last_lines(const std::string& name, std::size_t count) override {
    SWARM_TRY(const auto id, find(name));
    const auto most = std::min(count, output_lines_max);
    const auto text = engine().logs(id, most);
    if (!text) return failed(text);
    return last_lines_of(*text, most);
  }

  result<> remove(const std::string& name) override {
    SWARM_TRY(const auto id, find(name));
    SWARM_TRY(const auto now, look_at(name, id));
    if (now.phase != program_phase::ended)
      return fail(manager_errc::still_running, "{}: still runs; stop it first", name);
    if (const auto done = engine().remove(id, false); !done && !done.error().is(engine_errc::not_found))
      return failed(done);
    forget(name);
    return {};
  }

private:
  struct last_look {
    std::string state; ///< in the engine's list
    program what;
  };

  engine::client& engine() const { return *options_.engine; }
  engine::label_map owned() const { return {{std::string(owner_label), options_.owner}}; }

  std::string container_name(const program_spec& spec) const {
    return spec.container->name.empty() ? options_.prefix + spec.name : spec.container->name;
  }

  result<> check_mount(const mount& each) const {
    if (each.source.starts_with('/')) return options_.paths_are_here ? rules_.check(each) : result<>{};
    const auto volume = engine().volume(each.source);
    if (volume) return {};
    if (!volume.error().is(engine_errc::not_found)) return failed(volume);
    return fail(manager_errc::path_missing,
                "{}: there is no volume of this name, but the task wants it as {}", each.source, each.target);
  }

  result<> not_started(const program_spec& spec, const error& why) const {
    if (why.is(engine_errc::conflict))
      return fail(manager_errc::name_taken, "{}: a container {} that is not ours is in the way: {}",
                  spec.name, container_name(spec), why.message);
    auto code = error_of(why);
    if (code.is(manager_errc::io) || code.is(manager_errc::no_such_program)) {
      // Engines say that something is taken, and not all of them what.
      const auto taken = taken_by(*spec.container);
      return fail(manager_errc::not_started, "{}: {}{}", spec.name, why.message,
                  taken.empty() ? std::string() : fmt::format(" (it wants {})", taken));
    }
    code.message = error_text(fmt::format("{}: {}", spec.name, code.message));
    return tl::unexpected(std::move(code));
  }

  /// The identifier of a program's container.
  result<std::string> find(const std::string& name) const {
    if (!is_program_name(name))
      return fail(manager_errc::no_such_program, "{}: there is no such program", name);
    auto labels = owned();
    labels[std::string(program_label)] = name;
    const auto found = engine().containers(labels);
    if (!found) return failed(found);
    for (const auto& each : *found)
      if (program_in(each.labels, options_.owner) == name) return each.id;
    return fail(manager_errc::no_such_program, "{}: there is no such program", name);
  }

  result<program> look_at(const std::string& name, const std::string& id) {
    const auto facts = engine().inspect(id);
    if (!facts) return failed(facts);
    const bool starting = starting_.contains(name);
    auto out = program_of(name, *facts, notes_.noted(name), starting);
    if (out.phase == program_phase::running) keep_deadline(name, *facts);
    return out;
  }

  void forget(const std::string& name) {
    notes_.forget(name);
    due_.forget(name);
    const std::lock_guard lock(mutex_);
    told_.erase(name);
    timed_.erase(name);
  }

  /// Once for each program, whoever started it.
  void keep_deadline(const std::string& name, const engine::container_facts& facts) {
    const auto label = facts.labels.find(std::string(run_time_label));
    if (label == facts.labels.end()) return;
    {
      const std::lock_guard lock(mutex_);
      if (!timed_.insert(name).second) return;
    }
    std::uint64_t seconds = 0;
    const auto* const first = label->second.data();
    std::from_chars(first, first + label->second.size(), seconds);
    const auto age = milliseconds(unix_milliseconds()) - milliseconds(facts.started_ms);
    end_at(name, clock::now() + std::chrono::seconds(seconds) - age);
  }

  /// Looks at those alone whose state in the engine's list has changed. Where many nodes end one after the other, looking
  /// at all of them each time would keep an engine busier than starting them.
  result<std::vector<program>> list() {
    const auto found = engine().containers(owned());
    if (!found) return failed(found);
    const auto before = last_looks();
    std::map<std::string, last_look> now;
    std::vector<program> out;
    for (const auto& each : *found) {
      const auto name = program_in(each.labels, options_.owner);
      if (!name) continue;
      const auto known = before.find(each.id);
      const bool is_same = known != before.end() && known->second.state == each.state;
      auto one = is_same ? known->second.what : look_at(*name, each.id);
      if (one) {
        out.push_back(*one);
        if (one->started_ms > 0) now.emplace(each.id, last_look{each.state, std::move(*one)});
      } else if (!one.error().is(manager_errc::no_such_program)) { // which was removed meanwhile
        return tl::unexpected(std::move(one).error());
      }
    }
    std::ranges::sort(out, {}, &program::name);
    const std::lock_guard lock(mutex_);
    last_looks_ = std::move(now);
    return out;
  }

  std::map<std::string, last_look> last_looks() {
    const std::lock_guard lock(mutex_);
    return last_looks_;
  }

  result<> end(const std::string& name, const std::string& id, milliseconds grace) {
    const auto told = engine().kill(id, grace.count() > 0 ? "SIGTERM" : "SIGKILL");
    // One that has ended meanwhile is a conflict.
    if (!told && !told.error().is(engine_errc::conflict) && !told.error().is(engine_errc::not_found))
      return failed(told);
    if (grace.count() > 0)
      due_.add(name, clock::now() + grace, [this, id] { std::ignore = engine().kill(id, "SIGKILL"); });
    return {};
  }

  void end_at(const std::string& name, time_point when) {
    due_.add(name, when, [this, name] {
      const auto id = find(name);
      if (!id || !notes_.note(name, ending_cause::deadline)) return;
      std::ignore = end(name, *id, deadline_grace);
    });
  }

  void listen(const std::stop_token& stop) {
    auto pause = listen_again_first;
    while (!stop.stop_requested()) {
      std::ignore = engine().events(owned(), stop, [&](const engine::container_event& event) {
        pause = listen_again_first;
        if (!event.action.empty() && event.action != "die" && event.action != "died") return;
        look_again(event.id);
        tell_ended();
      });
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, pause, [] { return false; });
      pause = std::min(2 * pause, listen_again_most);
    }
  }

  void look_again(const std::string& id) {
    const std::lock_guard lock(mutex_);
    last_looks_.erase(id);
  }

  /// Tells of those that have ended and of whom that was not told.
  void tell_ended() {
    for (const auto& each : programs()) {
      if (each.phase != program_phase::ended) continue;
      {
        const std::lock_guard lock(mutex_);
        if (!told_.insert(each.name).second) continue;
      }
      due_.forget(each.name);
      if (on_change_) on_change_(each.name);
    }
  }

  docker_manager_options options_;
  mount_rules rules_;
  program_notes notes_;
  std::function<void(const std::string&)> on_change_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  names_starting starting_;
  std::set<std::string> told_;  ///< of whose end `on_change_` has told, or that had ended before
  std::set<std::string> timed_; ///< whose deadline is kept, if they have one
  std::vector<program> known_;  ///< as the engine told last
  std::map<std::string, last_look> last_looks_; ///< by id, of started containers
  detail::due_list due_;                        ///< the threads go first, as they use the rest
  std::jthread listener_;
};

} // namespace

result<std::unique_ptr<manager>> make_docker_manager(docker_manager_options options,
                                                     std::function<void(const std::string&)> on_change) {
  SWARM_TRY(auto rules, mount_rules::make(options.hidden, options.shown));
  SWARM_TRY(auto notes, program_notes::open(options.folder));
  return std::make_unique<docker_manager>(std::move(options), std::move(rules), std::move(notes),
                                          std::move(on_change));
}

} // namespace swarm::managers
