#include "actors/swop/run_task.hpp"

#include "actors/supervision/paths.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/pair_plan.hpp"
#include "actors/swop/plan/pair_session.hpp"
#include "actors/swop/work.hpp"
#include "base/log.hpp"

#include <boost/json.hpp>

#include <set>
#include <thread>

namespace swarm::actors {

namespace json = boost::json;

namespace {

using swop::program_kind;

constexpr auto list_interval = std::chrono::seconds(2); ///< should a manager's hint be lost
constexpr auto end_grace = std::chrono::seconds(5);     ///< between SIGTERM and SIGKILL

swop::task_machine::options options_of(const part_order& order) {
  const auto type = order.definition ? order.definition->type() : tasks::task_type::run_swarm;
  constexpr std::array types{contracts::task_type::run_swarm, contracts::task_type::make_swarm_user_content,
                             contracts::task_type::make_user_container, contracts::task_type::pull_image,
                             contracts::task_type::run_node};
  // One whose definition is not valid fails as a whole, whatever it is; its pairs say what kind of run it is.
  return {order.definition || order.pairs > 0 ? types.at(static_cast<std::size_t>(type))
                                              : contracts::task_type::make_user_container,
          order.pairs};
}

struct task_state {
  task_state(std::shared_ptr<const swop_context> from, part_order what)
      : context(std::move(from)), order(std::move(what)), machine(options_of(order)) {}
  ~task_state() { context->watch->set({}); }

  std::string status() const { return fmt::format("{}, run {}", order.task, order.part.run); }
  std::string detail_json() const;
  static time_point now() { return std::chrono::steady_clock::now(); }

  std::shared_ptr<const swop_context> context;
  part_order order;
  swop::task_machine machine;
  std::vector<pair_plan> plans;
  std::unique_ptr<task_work> work;
  std::set<std::string> told_endings; ///< of programs, to the log
  std::set<std::string> starting;     ///< programs that `starters` are at: half of one may be there already
  std::vector<std::jthread> starters; ///< one for each program, so that none waits for another one
  time_point armed = time_point::max();
  time_point list_at{};
  std::optional<caf::error> stop_reason;
};

std::string task_state::detail_json() const {
  json::array pairs;
  for (const auto& each : context->manager->programs()) {
    const auto name = parse_program_name(each.name);
    if (!name || name->kind == program_kind::sn || name->part != order.part) continue;
    pairs.push_back(json::object{{"index", name->index},
                                 {"program", swop::word_of(name->kind)},
                                 {"runs", each.phase != managers::program_phase::ended},
                                 {"started_ms", each.started_ms},
                                 {"ended_ms", each.ended_ms}});
  }
  return json::serialize(json::object{{"task", order.task},
                                      {"run", order.part.run},
                                      {"attempt", order.part.attempt},
                                      {"programs", std::move(pairs)}});
}

using self_pointer = role_actor<task_state>*;

void drain(self_pointer self);

void step(self_pointer self, const auto& event) {
  self->state().machine.step(event, task_state::now());
  drain(self);
}

void tell_ending(self_pointer self, const managers::program& one, program_kind kind,
                 const swop::failure& why) {
  auto& s = self->state();
  if (why.code == swop::task_failure::none || !s.told_endings.insert(one.name).second) return;
  log::warning(s.context->log_source, "task {}: {} {}", s.order.task, one.name,
               ended_with_lines(*s.context->manager, one, kind));
}

/// All programs of this part, as they are now.
void list(self_pointer self) {
  auto& s = self->state();
  s.list_at = task_state::now() + list_interval;
  swop::event::programs_seen seen;
  for (const auto& each : s.context->manager->programs()) {
    const auto name = parse_program_name(each.name);
    if (!name || name->kind == program_kind::sn || name->part != s.order.part
        || s.starting.contains(each.name))
      continue;
    swop::program_fact fact{name->index, name->kind, each.ended_ms, {}};
    if (each.how) {
      fact.outcome = failure_of(*each.how, name->kind);
      tell_ending(self, each, name->kind, *fact.outcome);
    }
    seen.all.push_back(std::move(fact));
  }
  step(self, seen);
}

// Actions

struct perform {
  self_pointer self;

  void operator()(const swop::action::prepare&) const { step(self, swop::event::prepared{prepare()}); }
  void operator()(const swop::action::start& what) const {
    auto& s = self->state();
    if (what.index >= s.plans.size())
      return step(self,
                  swop::event::start_failed{what.index, what.kind, {swop::task_failure::cannot_start, 0}});
    const auto& plan = s.plans[what.index];
    const auto& spec = what.kind == program_kind::sl ? plan.sl : plan.ml;
    s.starting.insert(spec.name);
    s.starters.emplace_back([context = s.context, task = s.order.task, spec, what, env = self->shared_env(),
                             path = self->path()] {
      const auto started = context->manager->start(spec);
      if (!started) log::error(context->log_source, "task {}: {}", task, started.error().message);
      env->dir.send(path, program_started{what.index, what.kind,
                                          started ? swop::failure{} : failure_of(started.error())});
    });
  }
  void operator()(const swop::action::end_program& what) const {
    auto& s = self->state();
    const auto name = program_name(s.order.part, what.index, what.kind);
    if (auto told = s.context->manager->stop(name, end_grace); !told) self->note_error(told.error().message);
    s.list_at = {};
  }
  void operator()(const swop::action::look& what) const {
    auto& s = self->state();
    swop::event::session_seen seen{.index = what.index};
    if (what.index < s.plans.size()) seen = look_at_session(what.index, s.plans[what.index].admin_socket);
    step(self, seen);
  }
  void operator()(const swop::action::work&) const {
    auto& s = self->state();
    auto send = [env = self->shared_env(), path = self->path()](auto news) {
      env->dir.send(path, std::move(news));
    };
    s.work = std::make_unique<task_work>(s.context, s.order.part, *s.order.definition, send, send);
  }
  void operator()(const swop::action::end_work&) const {
    if (self->state().work) self->state().work->stop();
  }
  void operator()(const swop::action::report& what) const {
    if (!tell_runner(task_report{self->state().order.part, what})) step(self, swop::event::report_done{});
  }
  void operator()(const swop::action::read&) const { tell_runner(read_taskrunner{}); }
  void operator()(const swop::action::finished&) const {
    auto& s = self->state();
    if (s.stop_reason) return self->quit(*s.stop_reason);
    tell_runner(swop::event::part_gone{s.order.part});
  }

  bool tell_runner(auto message) const {
    return self->tell(sibling(*self, swop_names::runner), std::move(message));
  }
  swop::failure prepare() const {
    auto& s = self->state();
    const auto refuse = [&](const error& why) {
      log::error(s.context->log_source, "task {}: {}", s.order.task, why.message);
      return failure_of(why);
    };
    if (!s.order.definition) {
      const auto why = refuse(s.order.definition.error());
      if (why.code == swop::task_failure::not_allowed) return why;
      return {swop::task_failure::task_not_valid, 0};
    }
    if (s.order.definition->type() != tasks::task_type::run_swarm) return {};
    if (auto able = s.context->manager->check(); !able) return refuse(able.error());
    auto plans = plan_pairs(*s.context, s.order);
    if (!plans) return refuse(plans.error());
    s.plans = std::move(*plans);
    log::info(s.context->log_source, "task {}: {} nodes are about to start", s.order.task, s.plans.size());
    return {};
  }
};

void arm(self_pointer self) {
  auto& s = self->state();
  const auto due = std::min(s.machine.wake_at(), s.list_at);
  if (due >= s.armed) return;
  s.armed = due;
  self->delayed_send(self, std::max(duration::zero(), due - task_state::now()), task_tick{});
}

void drain(self_pointer self) {
  for (auto& action : self->state().machine.take_actions())
    std::visit(perform{self}, action);
}

task_here here(const task_state& s) {
  return {s.order.part, task_actor_name(s.order.task)};
}

caf::behavior task_behavior(self_pointer self) {
  auto& s = self->state();
  s.context->watch->set(
      [env = self->shared_env(), path = self->path()] { env->dir.send(path, programs_changed{}); });
  self->on_stop([self](caf::error reason) {
    if (self->state().machine.finished()) return self->quit(std::move(reason));
    self->state().stop_reason = std::move(reason);
    step(self, swop::event::stop{{swop::task_failure::swop_stopped, 0}});
    arm(self);
  });
  list(self);
  s.machine.begin(task_state::now());
  drain(self);
  self->tell(sibling(*self, swop_names::runner), here(s));
  arm(self);
  const auto on = [self](const auto& event) {
    step(self, event);
    arm(self);
  };
  return {
      [=](const who_is_there&) { self->tell(sibling(*self, swop_names::runner), here(self->state())); },
      [=](const end_task& call) { on(swop::event::stop{call.why}); },
      [=](const swop::event::contract_seen& news) { on(news); },
      [=](const swop::event::report_done& news) { on(news); },
      [=](const swop::event::work_going& news) { on(news); },
      [=](const swop::event::work_ended& news) { on(news); },
      [=](const programs_changed&) {
        list(self);
        arm(self);
      },
      [=](const program_started& news) {
        auto& now = self->state();
        const bool is_own = now.starting.erase(program_name(now.order.part, news.index, news.kind)) > 0;
        if (is_own && news.why.code != swop::task_failure::none)
          step(self, swop::event::start_failed{news.index, news.kind, news.why});
        else
          list(self); // also when a former actor of this task has started it
        arm(self);
      },
      [=](const task_tick&) {
        self->state().armed = time_point::max();
        if (task_state::now() >= self->state().list_at) list(self);
        on(swop::event::tick{});
      },
  };
}

} // namespace

std::string task_actor_name(std::string_view task) {
  std::string out(swop_names::task_prefix);
  for (const char c : task)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-' ? c : '-';
  return out.substr(0, 64);
}

child_spec task_child(std::shared_ptr<const swop_context> context, part_order order) {
  auto name = task_actor_name(order.task);
  return {.name = std::move(name),
          .start = role<task_state>(task_behavior, std::move(context), std::move(order)),
          .shutdown_timeout = std::chrono::seconds(15),
          .detached = true};
}

} // namespace swarm::actors
