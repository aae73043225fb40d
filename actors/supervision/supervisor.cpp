#include "actors/supervision/supervisor.hpp"

#include "actors/supervision/process.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"

#include <boost/json.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message_priority.hpp>
#include <caf/response_promise.hpp>

#include <algorithm>

namespace swarm::actors {

namespace detail {
struct supervisor_tick {};
struct root_lives {};
struct child_start_failed {
  std::string name;
  std::string why;
};
} // namespace detail

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::supervisor_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::child_start_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::root_lives)

namespace swarm::actors {

using detail::child_start_failed;
using detail::root_lives;
using detail::supervisor_tick;

namespace {

time_point clock_now() {
  return std::chrono::steady_clock::now();
}

supervisor_machine::settings settings_of(const std::string& path, const supervisor_spec& spec) {
  return {.path = path, .how = spec.how, .intensity = spec.intensity, .backoff_first = spec.backoff};
}

supervisor_machine::child_rule rule_of(const child_spec& spec) {
  return {.name = spec.name, .when = spec.when, .shutdown_timeout = spec.shutdown_timeout};
}

std::string_view in_words(strategy how) {
  switch (how) {
  case strategy::one_for_one:
    return "one_for_one";
  case strategy::one_for_all:
    return "one_for_all";
  case strategy::rest_for_one:
    return "rest_for_one";
  }
  return "";
}

std::string kind_of(const child_spec& spec) {
  return spec.supervisor ? "supervisor" : "worker";
}

std::string failed_words(const exit_info& how) {
  return how.text.empty() ? "killed" : how.text;
}

caf::error refusal(errc code, std::string text) {
  return to_caf(make_error(code, std::move(text)));
}

} // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
           || c == ':' || c == '-';
  });
}

child_spec nested(supervisor_spec spec, restart when) {
  child_spec out;
  out.name = spec.name;
  out.when = when;
  out.supervisor = true;
  out.shutdown_timeout = std::chrono::milliseconds(500);
  for (const auto& child : spec.children)
    out.shutdown_timeout += child.shutdown_timeout;
  out.start = [spec = std::move(spec)](start_context& ctx) {
    return detail::spawn_role<supervisor_actor>(ctx, spec, std::shared_ptr<process_outcome>{});
  };
  return out;
}

void process_outcome::update(const std::function<void(data&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(data_);
  }
  if (changed) changed();
}

process_outcome::data process_outcome::read() const {
  const std::lock_guard lock(mutex_);
  return data_;
}

supervisor_actor::supervisor_actor(caf::actor_config& cfg, const start_context& ctx, supervisor_spec spec,
                                   std::shared_ptr<process_outcome> outcome)
    : role_base(cfg, ctx), spec_(std::move(spec)), machine_(settings_of(path(), spec_)),
      outcome_(std::move(outcome)) {}

caf::behavior supervisor_actor::make_handlers() {
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { handle_down(down); });
  set_exit_handler([this](caf::scheduled_actor*, caf::exit_msg& exit) { handle_exit(exit); });
  std::vector<supervisor_machine::child_rule> rules;
  for (const auto& spec : spec_.children) {
    SWARM_ASSERT(is_valid_name(spec.name) && spec.start);
    rules.push_back(rule_of(spec));
    SWARM_ASSERT(children_.emplace(spec.name, child{.spec = spec}).second);
    dir().enlist(child_path(spec.name), kind_of(spec));
  }
  perform(machine_.start(rules, clock_now()));
  if (is_root()) show_life();
  return {
      [this](const child_ready& ready) {
        for (const auto& [name, c] : children_)
          if (c.handle && c.handle.id() == ready.actor_id)
            return perform(machine_.child_ready(name, clock_now()));
      },
      [this](supervisor_tick) {
        next_tick_.reset();
        perform(machine_.tick(clock_now()));
      },
      [this](const child_start_failed& failed) {
        if (children_.contains(failed.name)) child_ended(failed.name, {exit_kind::error, failed.why});
      },
      [this](root_lives) { show_life(); },
      [this](const add_child& request) { return handle_add(request); },
      [this](const remove_child& request) { return handle_remove(request); },
      [this](const actors::end_role& request) { handle_end_role(request); },
      [this](const actors::end_process& request) { handle_end_process(request); },
  };
}

std::string supervisor_actor::describe() const {
  return fmt::format("{}, {} of {} children running{}", in_words(spec_.how), machine_.running(),
                     children_.size(), machine_.stopping() ? ", stopping" : "");
}

std::string supervisor_actor::describe_detail() const {
  return boost::json::serialize(
      boost::json::object{{"strategy", in_words(spec_.how)},
                          {"children", children_.size()},
                          {"running", machine_.running()},
                          {"max_restarts", spec_.intensity.max_restarts},
                          {"period_s", std::chrono::duration<double>(spec_.intensity.period).count()}});
}

std::string supervisor_actor::child_path(std::string_view name) const {
  return path() == "/root" ? fmt::format("/{}", name) : fmt::format("{}/{}", path(), name);
}

// Carrying out what the machine decided

void supervisor_actor::perform(const supervisor_machine::actions& actions) {
  if (machine_.stopping()) note_stopping();
  for (const auto& action : actions)
    perform_one(action);
  schedule_tick();
}

void supervisor_actor::perform_one(const supervisor_action& action) {
  using what = supervisor_action::what;
  switch (action.kind) {
  case what::start:
    return start_child(children_.at(action.name));
  case what::stop:
    return stop_child(children_.at(action.name), to_reason(action.how));
  case what::kill:
    log::warning(env().log_source, "{} did not stop in time: killing it", child_path(action.name));
    return stop_child(children_.at(action.name), caf::make_error(caf::exit_reason::kill));
  case what::stuck:
    return child_left_behind(action.name);
  case what::forget:
    return child_forgotten(action.name);
  case what::ready:
    return children_ready();
  case what::end:
    return end(action.how);
  }
}

void supervisor_actor::start_child(child& c) {
  const auto name = c.spec.name;
  start_context ctx;
  ctx.parent = this;
  ctx.env = shared_env();
  ctx.path = child_path(name);
  ctx.record = dir().enlist(ctx.path, kind_of(c.spec));
  ctx.live = c.live = std::make_shared<probe>();
  ctx.detached = c.spec.detached;
  ctx.mailbox_limit = c.spec.mailbox_limit;
  // The path has had an actor before, perhaps under an earlier actor of this supervisor.
  if (const auto before = dir().status(ctx.path); before && before->actor_id != 0) ctx.record->note_restart();
  std::string failure = "its start function made no actor";
  try {
    c.handle = c.spec.start(ctx);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  if (!c.handle) {
    ctx.record->note_error(failure);
    // The failure is reported by a message, as the machine must see it only after the actions under way.
    send(this, child_start_failed{name, failure});
  } else {
    monitor(c.handle);
    dir().started(ctx.path, c.handle, c.live);
  }
  if (c.awaiting_start.pending()) c.awaiting_start.deliver(child_added{ctx.path});
  if (!c.handle) return;
  if (!ctx.announces_ready) send(this, child_ready{c.handle.id()});
}

/// The order has high priority, so that a child with a full mailbox obeys at once.
void supervisor_actor::stop_child(child& c, const caf::error& reason) {
  if (!c.handle) return;
  c.live->set_phase("stopping");
  c.handle->eq_impl(caf::make_message_id(caf::message_priority::high), ctrl(), context(),
                    caf::exit_msg{address(), reason});
}

void supervisor_actor::child_forgotten(const std::string& name) {
  const auto it = children_.find(name);
  dir().remove(child_path(name));
  if (auto& added = it->second.awaiting_start; added.pending())
    added.deliver(
        refusal(errc::conflict, fmt::format("{} was removed before it was started", child_path(name))));
  for (auto& promise : it->second.awaiting_removal)
    promise.deliver(child_removed{name});
  children_.erase(it);
}

void supervisor_actor::child_left_behind(const std::string& name) {
  actor_status status;
  children_.at(name).live->read(status, probe_now());
  note_error(fmt::format("{} cannot be stopped: it has been in message {} for {:.1f} s", child_path(name),
                         status.current.empty() ? "(none)" : status.current,
                         static_cast<double>(status.current_ns) / 1e9));
}

void supervisor_actor::schedule_tick() {
  const auto at = machine_.deadline();
  if (!at || (next_tick_ && *next_tick_ <= *at)) return;
  next_tick_ = at;
  const auto pause = std::max(*at - clock_now(), duration::zero());
  delayed_send(this, pause, supervisor_tick{});
}

void supervisor_actor::end(const exit_info& how) {
  if (is_root())
    outcome_->update([&](process_outcome::data& d) {
      d.ended = true;
      d.gave_up = how.kind == exit_kind::error;
      if (d.gave_up) d.reason = how.text;
    });
  quit(to_reason(how));
}

/// Whatever ended this supervisor, its children must end, too.
void supervisor_actor::on_exit() {
  for (auto& [name, c] : children_) {
    if (c.handle) stop_child(c, caf::make_error(caf::exit_reason::kill));
    for (auto& promise : c.awaiting_removal)
      promise.deliver(refusal(errc::cancelled, fmt::format("{} has ended", path())));
    const auto has_name = [&](const child_spec& spec) { return spec.name == name; };
    const bool was_added = std::none_of(spec_.children.begin(), spec_.children.end(), has_name);
    if (was_added) dir().remove(child_path(name)); // nobody will start it again
  }
  children_.clear();
  role_base::on_exit();
}

// Events

void supervisor_actor::handle_down(const caf::down_msg& down) {
  const auto it = std::find_if(children_.begin(), children_.end(), [&](const auto& each) {
    return each.second.handle && each.second.handle.address() == down.source;
  });
  if (it == children_.end()) return;
  const auto name = it->first;
  dir().ended(child_path(name), it->second.handle.id());
  it->second.handle = nullptr;
  child_ended(name, exit_info_of(down.reason));
}

void supervisor_actor::child_ended(const std::string& name, const exit_info& how) {
  const bool was_stopping = machine_.stopping();
  auto actions = machine_.child_exited(name, how, clock_now());
  const bool again = machine_.active(name);
  const bool failed = how.kind == exit_kind::error || how.kind == exit_kind::killed;
  if (failed && !was_stopping)
    log::warning(env().log_source, "{} ended: {}{}", child_path(name), failed_words(how),
                 again ? "; starting it again" : "");
  const bool over = is_root() && !machine_.stopping() && !again;
  if (over && !children_.at(name).spec.auxiliary && !ended_roles_.contains(name))
    note_role_ended(name, failed ? exit_gave_up : exit_ok, failed ? failed_words(how) : "its work is done");
  perform(std::move(actions));
  if (over) end_when_all_roles_ended();
}

void supervisor_actor::handle_exit(const caf::exit_msg& exit) {
  const auto how = exit_info_of(exit.reason);
  if (how.kind == exit_kind::normal) return;
  perform(machine_.stop(how, clock_now()));
}

caf::result<child_added> supervisor_actor::handle_add(const add_child& request) {
  const auto& spec = request.spec;
  if (!is_valid_name(spec.name) || !spec.start)
    return refusal(errc::invalid,
                   fmt::format("{}: cannot add a child named \"{}\": a name has 1 to 64 letters, "
                               "digits or .:_- and a start function belongs to it",
                               path(), spec.name));
  if (!machine_.may_add(spec.name))
    return refusal(errc::conflict, fmt::format("{}: cannot add child \"{}\": {}", path(), spec.name,
                                               machine_.stopping() ? "it is stopping" : "the name is taken"));
  // While others are started or stopped it has to wait for its turn; who asks may look for the actor in the directory.
  auto promise = make_response_promise<caf::typed_response_promise<child_added>>();
  children_[spec.name] = {.spec = spec, .awaiting_start = promise};
  dir().remove(child_path(spec.name)); // what a finished child of this name left
  dir().enlist(child_path(spec.name), kind_of(spec));
  perform(machine_.add(rule_of(spec), clock_now()));
  return promise;
}

caf::result<child_removed> supervisor_actor::handle_remove(const remove_child& request) {
  const auto it = children_.find(request.name);
  if (it == children_.end())
    return refusal(errc::not_found, fmt::format("{} has no child \"{}\"", path(), request.name));
  auto promise = make_response_promise<caf::typed_response_promise<child_removed>>();
  it->second.awaiting_removal.push_back(promise);
  perform(machine_.remove(request.name, clock_now()));
  return promise;
}

// The root

void supervisor_actor::children_ready() {
  announce_ready();
  if (is_root()) outcome_->update([](process_outcome::data& d) { d.ready = true; });
}

/// As a message among others: it comes late when no worker is free, and not at all when all of them hang.
void supervisor_actor::show_life() {
  if (outcome_->alive_every <= std::chrono::microseconds::zero()) return;
  outcome_->alive();
  delayed_send(this, outcome_->alive_every, root_lives{});
}

void supervisor_actor::note_stopping() {
  if (is_root() && !outcome_->read().stopping)
    outcome_->update([](process_outcome::data& d) { d.stopping = true; });
}

void supervisor_actor::handle_end_role(const actors::end_role& request) {
  const auto begin = std::min(request.role.find_first_not_of('/'), request.role.size());
  const auto name = request.role.substr(begin, request.role.find('/', begin) - begin);
  if (ended_roles_.contains(name)) return;
  if (!is_root() || !children_.contains(name))
    return note_error(fmt::format("asked to end unknown role {}", request.role));
  note_role_ended(name, request.code, request.line);
  perform(machine_.remove(name, clock_now()));
  end_when_all_roles_ended();
}

void supervisor_actor::note_role_ended(const std::string& name, int code, const std::string& line) {
  ended_roles_.insert(name);
  log::emit(code == 0 ? log::level::info : log::level::error, env().log_source, "/{} has ended: {}", name,
            line);
  outcome_->update([&](process_outcome::data& d) {
    if (d.code == 0) d.code = code;
  });
}

void supervisor_actor::end_when_all_roles_ended() {
  if (ended_roles_.empty() || machine_.stopping()) return;
  for (const auto& [name, c] : children_)
    if (!c.spec.auxiliary && machine_.active(name)) return;
  log::info(env().log_source, "every role has ended: stopping");
  perform(machine_.stop({exit_kind::shutdown, {}}, clock_now()));
}

void supervisor_actor::handle_end_process(const actors::end_process& request) {
  if (!is_root()) return note_error("only the root can end the process");
  log::emit(request.code == 0 ? log::level::info : log::level::error, env().log_source, "stopping: {}",
            request.line);
  outcome_->update([&](process_outcome::data& d) {
    if (d.code == 0) d.code = request.code;
    d.reason = request.line;
  });
  perform(machine_.stop({exit_kind::shutdown, {}}, clock_now()));
}

} // namespace swarm::actors
