#include "actors/admin/admin.hpp"

#include "actors/admin/actor_names.hpp"
#include "actors/admin/admin_state.hpp"
#include "actors/admin/status_json.hpp"
#include "actors/supervision/process.hpp"
#include "base/log.hpp"

#include <caf/message_priority.hpp>

#include <algorithm>

namespace swarm::actors {

namespace json = boost::json;
using detail::admin_call;
using detail::admin_call_ptr;
using detail::admin_line;
using detail::admin_state;
using detail::call_due;
using detail::top_due;
using namespace std::chrono_literals;

namespace {

using self_pointer = role_actor<admin_state>*;

constexpr auto refresh_max = 100ms; ///< an actor that has not answered by then is shown as it last was
constexpr std::int64_t stuck_ns = 50'000'000;
constexpr std::int64_t interval_ms_min = 50, interval_ms_max = 10'000;
constexpr std::size_t depth_max = 16;

// Parameters

std::optional<std::string> text_param(const json::object& params, std::string_view key) {
  const auto* value = params.if_contains(key);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->as_string());
}

/// The actor that a call is about. When there is none, the call is answered with an error.
std::optional<std::string> actor_param(self_pointer self, const json::object& params, admin_call& call) {
  const auto typed = text_param(params, "name");
  if (!typed || typed->empty()) {
    call.fail("invalid", "params.name is missing: the path of an actor, such as /sn/chain");
    return std::nullopt;
  }
  std::vector<std::string> paths;
  for (const auto& s : self->dir().list())
    paths.push_back(s.path);
  auto match = match_actor(*typed, paths);
  if (!match.path.empty()) return match.path;
  call.fail("not_found", fmt::format("no actor is called {}", *typed), match.similar);
  return std::nullopt;
}

// The methods

/// Asks actors to publish their state, then calls `done`, at the latest after `refresh_max`. Actors that have
/// been in one message for long are not asked, as the questions would only pile up.
void refreshed(self_pointer self, const std::vector<actor_status>& whom, std::function<void()> done) {
  auto waiting = std::make_shared<std::size_t>(1);
  const auto arrived = [waiting, done = std::move(done)] {
    if (--*waiting == 0) done();
  };
  for (const auto& s : whom) {
    const auto handle = self->dir().find(s.path);
    if (!handle || s.current_ns > static_cast<std::uint64_t>(stuck_ns)) continue;
    ++*waiting;
    static_cast<caf::event_based_actor*>(self)
        ->request<caf::message_priority::high>(handle, refresh_max, status_request{})
        .then([arrived](const actor_status&) { arrived(); }, [arrived](caf::error&) { arrived(); });
  }
  arrived();
}

void answer_tree(self_pointer self, const admin_call_ptr& call) {
  refreshed(self, self->dir().list(), [self, call] {
    json::array actors;
    for (const auto& s : self->dir().list())
      actors.push_back(to_json(s, false));
    call->succeed({{"actors", std::move(actors)}, {"log_source", self->env().log_source}});
  });
}

void answer_actor(self_pointer self, const json::object& params, const admin_call_ptr& call) {
  const auto path = actor_param(self, params, *call);
  if (!path) return;
  refreshed(self, {self->dir().status(*path).value_or(actor_status{})}, [self, call, path] {
    const auto status = self->dir().status(*path);
    if (!status) return call->fail("not_found", fmt::format("{} has just ended", *path));
    call->succeed(to_json(*status, true));
  });
}

void answer_top(self_pointer self, const json::object& params, const admin_call_ptr& call) {
  std::int64_t interval_ms = 1000;
  if (const auto* value = params.if_contains("interval_ms")) {
    if (!value->is_int64()) return call->fail("invalid", "params.interval_ms is not a whole number");
    interval_ms = std::clamp(value->as_int64(), interval_ms_min, interval_ms_max);
  }
  self->delayed_send(self, std::chrono::milliseconds(interval_ms),
                     top_due{call, self->dir().list(), probe_now()});
}

void finish_top(self_pointer self, const top_due& due) {
  refreshed(self, self->dir().list(), [self, due] {
    const auto seconds = static_cast<double>(probe_now() - due.begun_ns) / 1e9;
    due.call->succeed({{"seconds", seconds}, {"actors", top_rows(due.before, self->dir().list(), seconds)}});
  });
}

void answer_trace(self_pointer self, const json::object& params, const admin_call_ptr& call) {
  const auto path = actor_param(self, params, *call);
  if (!path) return;
  const auto record = self->dir().record(*path);
  if (!record) return call->fail("not_found", fmt::format("{} has just ended", *path));
  const auto number = std::make_shared<std::atomic<std::uint64_t>>(0);
  const std::weak_ptr<actor_record> weak = record;
  const auto stop = [weak, number] {
    if (const auto still = weak.lock()) still->remove_tracer(*number);
  };
  {
    const auto held = call->hold();
    *number = record->add_tracer([call, stop](const trace_event& event) {
      if (!call->stream("event", to_json(event))) stop();
    });
    call->succeed({{"tracing", *path}});
  }
  call->writer().on_gone(stop);
}

caf::exit_msg operators_wish(self_pointer self) {
  return {self->address(), to_caf("ended on an operator's command")};
}

/// Ends this actor. Its socket ends with it, so it answers first.
void answer_and_end(self_pointer self, const admin_call_ptr& call) {
  call->succeed({{"killed", self->path()}});
  call->writer().on_gone([env = self->shared_env(), path = self->path(), end = operators_wish(self)] {
    env->dir.send(path, end);
  });
  call->writer().close();
}

void answer_kill(self_pointer self, const json::object& params, const admin_call_ptr& call) {
  const auto path = actor_param(self, params, *call);
  if (!path) return;
  if (*path == "/root")
    return call->fail("denied", "the root is not for killing: send SIGTERM to the process to end it");
  if (*path == self->path()) return answer_and_end(self, call);
  const auto handle = self->dir().find(*path);
  if (!handle) return call->fail("unavailable", fmt::format("{} does not run at the moment", *path));
  const auto status = self->dir().status(*path).value_or(actor_status{});
  log::info(self->env().log_source, "an operator ends {}", *path);
  handle->eq_impl(caf::make_message_id(caf::message_priority::high), self->ctrl(), self->context(),
                  operators_wish(self));
  json::object result;
  result["killed"] = *path;
  if (!status.current.empty()) {
    result["current"] = status.current;
    result["current_s"] = static_cast<double>(status.current_ns) / 1e9;
  }
  call->succeed(std::move(result));
}

constexpr std::array<std::string_view, 6> own_methods{"tree", "actor", "top", "trace", "kill", "methods"};

std::vector<std::string> all_methods(self_pointer self) {
  std::vector<std::string> out(own_methods.begin(), own_methods.end());
  for (auto& name : self->env().methods.names())
    out.push_back(std::move(name));
  return out;
}

// Methods of the roles

void succeed_with_text(admin_call& call, std::string_view method, const std::string& text) {
  boost::system::error_code failed;
  auto value = json::parse(text, failed);
  if (failed)
    return call.fail("internal", fmt::format("the answer to {} is not JSON: {}", method, failed.message()));
  call.succeed(std::move(value));
}

void answer_role_method(self_pointer self, const std::string& method, const json::object& params,
                        const admin_call_ptr& call) {
  const auto target = self->env().methods.find(method);
  if (!target)
    return call->fail("not_found", fmt::format("this process does not answer {}; it answers {}", method,
                                               fmt::join(all_methods(self), ", ")));
  const auto wait = self->state().options.answer_max;
  if (!target->method) {
    self->ask(target->path, wait, admin_query{method, json::serialize(params)})
        .then(
            [call, method](const std::string& text) { succeed_with_text(*call, method, text); },
            [call, path = target->path](caf::error& e) { call->fail(fail_with(from_caf(e), path).value()); });
    return;
  }
  self->delayed_send(self, wait, call_due{call, method});
  target->method(json::serialize(params), [call, method](result<std::string> answer) {
    answer ? succeed_with_text(*call, method, *answer) : call->fail(answer.error());
  });
}

// Lines

void dispatch(self_pointer self, const std::string& method, const json::object& params,
              const admin_call_ptr& call) {
  if (method == "tree") return answer_tree(self, call);
  if (method == "actor") return answer_actor(self, params, call);
  if (method == "top") return answer_top(self, params, call);
  if (method == "trace") return answer_trace(self, params, call);
  if (method == "kill") return answer_kill(self, params, call);
  if (method == "methods") {
    const auto names = all_methods(self);
    return call->succeed(json::array(names.begin(), names.end()));
  }
  answer_role_method(self, method, params, call);
}

void handle_line(self_pointer self, const admin_line& in) {
  ++self->state().calls;
  boost::system::error_code failed;
  json::parse_options strict;
  strict.max_depth = depth_max;
  const auto value = json::parse(in.line, failed, {}, strict);
  const auto* request = failed ? nullptr : value.if_object();
  const auto* id = request ? request->if_contains("id") : nullptr;
  const auto call = std::make_shared<admin_call>(id ? *id : json::value{}, in.writer);
  if (!request)
    return call->fail("invalid", fmt::format("a line is one JSON object: {}",
                                             failed ? failed.message() : std::string("this is none")));
  const auto method = text_param(*request, "method");
  if (!method) return call->fail("invalid", "\"method\" is missing");
  static const json::object no_params;
  const auto* params = request->if_contains("params");
  if (params && !params->is_object()) return call->fail("invalid", "\"params\" is not an object");
  try {
    dispatch(self, *method, params ? params->as_object() : no_params, call);
  } catch (const std::exception& e) {
    call->fail("internal", e.what());
    self->note_error(fmt::format("method {} failed: {}", *method, e.what()));
  }
}

void open_socket(self_pointer self) {
  auto& state = self->state();
  const std::weak_ptr<environment> weak = self->shared_env();
  const auto on_line = [weak](std::string line, transport::line_writer writer) {
    const auto env = weak.lock();
    auto shared = std::make_shared<transport::line_writer>(std::move(writer));
    if (env && env->dir.send("/admin", admin_line{std::move(line), shared})) return;
    admin_call({}, std::move(shared)).fail("unavailable", "the admin actor is being restarted, ask again");
  };
  auto server = transport::unix_server::start(*state.options.io, state.options.socket, on_line);
  if (server) {
    state.server = std::move(*server);
    return;
  }
  state.off_reason = server.error().message;
  if (server.error().is(transport::net_errc::in_use))
    return self->end_process(exit_gave_up, state.off_reason);
  self->note_error(state.off_reason);
}

caf::behavior admin(self_pointer self) {
  open_socket(self);
  return {
      [self](const admin_line& in) { handle_line(self, in); },
      [self](const top_due& due) { finish_top(self, due); },
      [](const call_due& due) {
        due.call->fail("timeout", fmt::format("{} has not been answered in time", due.method));
      },
  };
}

} // namespace

std::string detail::admin_state::status() const {
  if (!off_reason.empty()) return "no socket: " + off_reason;
  return fmt::format("{}, {} calls", options.socket.string(), calls);
}

child_spec admin_child(admin_options options) {
  return {.name = "admin",
          .start = role<admin_state>(admin, std::move(options)),
          .when = restart::permanent,
          .auxiliary = true};
}

} // namespace swarm::actors
