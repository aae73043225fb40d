#pragma once

// The only header that role actors need: the base class, start functions, child specs, errors.

#include "actors/supervision/child_spec.hpp"
#include "actors/supervision/environment.hpp"
#include "actors/supervision/exit_reason.hpp"

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>

#include <concepts>
#include <optional>
#include <tuple>

namespace swarm::actors {

/// What every long-lived actor does without being asked: it keeps its probe (mailbox depth, messages handled,
/// current message and since when), remembers the last error, answers `status_request`, tells tracers about
/// every message, refuses what it does not understand with an error, a log line and a count, and turns an
/// exception in a handler into an exit with an error that its supervisor sees. What a handler returns answers
/// requests only; after `send` and `tell` it goes nowhere. Handlers need no code for this.
class role_base : public caf::event_based_actor {
public:
  role_base(caf::actor_config& cfg, const start_context& ctx);
  ~role_base() override;

  const std::string& path() const { return path_; }
  environment& env() const { return *env_; }
  /// For callbacks that outlive the handler, which must hold the environment and never `self`.
  std::shared_ptr<environment> shared_env() const { return env_; }
  directory& dir() const { return env_->dir; }

  /// Sends to the actor that is at `path` now. Returns false and sends nothing when there is none.
  template <class... Ts>
  bool tell(std::string_view to, Ts&&... xs) {
    auto dest = dir().find(to);
    if (!dest) return false;
    this->send(dest, std::forward<Ts>(xs)...);
    return true;
  }

  /// A request with a finite timeout; `to` is a path or a handle. A missing actor gives the error handler
  /// "nobody at ..." like any other failure. Without an error handler a failed request ends the actor.
  ///   self->ask("/sn/chain", 2s, get_head{}).then([=](const head& h) {...}, [=](caf::error& e) {...});
  template <class... Ts>
  auto ask(std::string_view to, duration timeout, Ts&&... xs) {
    auto dest = dir().find(to);
    if (!dest) note_error("nobody at " + std::string(to));
    return this->request(dest, timeout, std::forward<Ts>(xs)...);
  }
  template <class... Ts>
  auto ask(const caf::actor& to, duration timeout, Ts&&... xs) {
    return this->request(to, timeout, std::forward<Ts>(xs)...);
  }

  /// Hides CAF's function, so that there is no request without a finite timeout.
  template <class Handle, class Rep, class Period, class... Ts>
  auto request(const Handle& to, std::chrono::duration<Rep, Period> timeout, Ts&&... xs) {
    return caf::event_based_actor::request(to, timeout, std::forward<Ts>(xs)...);
  }

  /// Remembers and logs an error that does not end the actor.
  void note_error(std::string text);
  /// Ends this actor with an error: its supervisor decides what follows.
  void fail(const swarm::error& why);
  void fail(std::string why);
  /// Calls `farewell` when this actor is told to end for good (see `is_for_good`); the actor then ends itself
  /// when it is done. When it ends for another reason, it will be started again and `farewell` is not called.
  void on_stop(std::function<void(caf::error reason)> farewell);
  /// Whether the supervisor has told this actor to end, so that a long handler can return early.
  bool told_to_end() const;
  /// Whether this is not the first actor on its path.
  bool is_restarted() const { return record_->restarts() > 0; }
  /// Something is missing that a start needs. At the first start this ends the process, as the operator must
  /// mend it; later the trouble may pass, so it is a failure of this actor.
  void fail_start(const swarm::error& why);
  /// Ends this actor normally.
  void finish() { quit(); }
  /// This role has done its work (see `end_role`), or the whole process is to end (see `end_process`).
  void end_role(int code, std::string line);
  void end_process(int code, std::string line);

  // Hooks into CAF
  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit* host) final;
  const char* name() const final { return path_.c_str(); }
  void on_exit() override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) final;
  using caf::event_based_actor::consume;
  caf::invoke_message_result consume(caf::mailbox_element& x) final;

protected:
  caf::behavior make_behavior() final;
  /// Builds state and handlers; an exception here is a failed start.
  virtual caf::behavior make_handlers() = 0;
  /// False for supervisors, which are ready only when their children are and then call `announce_ready`.
  virtual bool ready_after_start() const { return true; }
  void announce_ready();
  virtual std::string describe() const { return {}; }
  virtual std::string describe_detail() const { return {}; }

  probe& live() const { return *live_; }
  actor_record& record() const { return *record_; }

private:
  void publish(bool with_detail);
  void answer_status(caf::mailbox_element& x);
  bool full_for(const caf::mailbox_element& x) const;
  void refused(std::string_view type, std::string_view from, std::string_view why);
  void trace(const caf::mailbox_element& x, std::string event, const char* type, std::string text,
             std::int64_t ns);
  std::string sender_path(const caf::mailbox_element& x) const;
  void handler_failed(caf::mailbox_element& x, const char* type, const std::string& why);

  std::string path_;
  std::shared_ptr<environment> env_;
  std::shared_ptr<actor_record> record_;
  std::shared_ptr<probe> live_;
  caf::actor supervisor_;
  std::size_t mailbox_limit_;
  std::int64_t published_ns_ = 0;
};

/// Every actor answers this with its `actor_status`, freshly published.
struct status_request {};

/// From a child to its supervisor: the child has started and built its state, so the next one may start.
struct child_ready {
  std::uint64_t actor_id = 0;
};

template <class State>
concept says_status = requires(const State& s) {
  { s.status() } -> std::convertible_to<std::string>;
};
template <class State>
concept says_detail = requires(const State& s) {
  { s.detail_json() } -> std::convertible_to<std::string>;
};

/// A role actor around a plain `State`, which needs no base class and no CAF, so it is tested without an
/// actor system. It may have `std::string status() const` (a few words for `swarm-inspect tree`) and
/// `std::string detail_json() const` (an object as JSON text for `swarm-inspect actor`). The state is built
/// when the actor starts and destroyed as soon as it ends, both on the actor's own thread.
template <class State>
class role_actor final : public role_base {
public:
  using make_function = std::function<caf::behavior(role_actor*)>;

  role_actor(caf::actor_config& cfg, const start_context& ctx, make_function make)
      : role_base(cfg, ctx), make_(std::move(make)) {}

  State& state() { return *state_; }
  const State& state() const { return *state_; }

  template <class... Args>
  void emplace_state(Args&&... args) {
    state_.emplace(std::forward<Args>(args)...);
  }

  void on_exit() override {
    role_base::on_exit();
    make_ = nullptr;
    state_.reset();
  }

protected:
  caf::behavior make_handlers() override { return make_(this); }
  std::string describe() const override {
    if constexpr (says_status<State>) return state_ ? std::string(state_->status()) : std::string{};
    return {};
  }
  std::string describe_detail() const override {
    if constexpr (says_detail<State>) return state_ ? std::string(state_->detail_json()) : std::string{};
    return {};
  }

private:
  make_function make_;
  std::optional<State> state_;
};

namespace detail {
/// Spawns `T` as a child of the context's supervisor, with the context's options.
template <class T, class... Args>
caf::actor spawn_role(start_context& ctx, Args&&... args);
} // namespace detail

/// The start function of a role actor: builds `State{args...}` and calls `behavior(self)` at every start.
/// `args` are copied and kept for restarts, so give shared things as shared_ptr.
///
///   struct get_count {};
///   struct add { int by; };
///   // outside the namespace: CAF_ALLOW_UNSAFE_MESSAGE_TYPE(get_count) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(add)
///
///   struct counter_state { // the logic, which is tested on its own
///     explicit counter_state(int first) : count(first) {}
///     int count;
///     std::string status() const { return fmt::format("at {}", count); }
///   };
///
///   caf::behavior counter(role_actor<counter_state>* self) {
///     self->delayed_send(self, std::chrono::seconds(1), add{1});
///     return {
///       [=](const add& a) {
///         // An exception ends the actor with an error, and its supervisor starts it again.
///         if (a.by < 0) throw std::invalid_argument("cannot count backwards");
///         self->state().count += a.by;
///         self->tell("/sn/chain", counted{self->state().count}); // sent to nobody if none is there
///       },
///       [=](get_count) { return self->state().count; },
///     };
///   }
///
///   supervisor_spec sn{.name = "sn", .how = strategy::rest_for_one,
///                      .children = {{.name = "counter", .start = role<counter_state>(counter, 7)},
///                                   {.name = "store",
///                                    .start = role<store_state>(store, dir),
///                                    .detached = true}}};
///   return run_process({.name = "root", .children = {nested(sn)}}, {}); // process.hpp
template <class State, class Behavior, class... Args>
start_function role(Behavior behavior, Args... args) {
  typename role_actor<State>::make_function make =
      [behavior = std::move(behavior),
       packed = std::make_tuple(std::move(args)...)](role_actor<State>* self) {
        std::apply([self](const auto&... each) { self->emplace_state(each...); }, packed);
        return caf::behavior(behavior(self));
      };
  return [make = std::move(make)](start_context& ctx) {
    return detail::spawn_role<role_actor<State>>(ctx, make);
  };
}

template <class T, class... Args>
caf::actor detail::spawn_role(start_context& ctx, Args&&... args) {
  caf::actor_config cfg{ctx.parent->context(), ctx.parent};
  if (ctx.detached) cfg.add_flag(caf::abstract_actor::is_detached_flag);
  ctx.announces_ready = true;
  return ctx.parent->system().template spawn_class<T, caf::no_spawn_options>(cfg, ctx,
                                                                             std::forward<Args>(args)...);
}

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::add_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::child_added)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::remove_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::child_removed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::admin_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::end_role)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::end_process)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::status_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::child_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::actor_status)
