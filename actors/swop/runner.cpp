#include "actors/swop/runner.hpp"

#include "actors/sn_client/sn_client.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/supervision/sibling_watch.hpp"
#include "actors/supervision/tick.hpp"
#include "actors/swop/node_work.hpp"
#include "actors/swop/plan/pair_plan.hpp"
#include "actors/swop/read_task.hpp"
#include "actors/swop/run_task.hpp"
#include "actors/swop/swop_metrics.hpp"
#include "base/log.hpp"
#include "contracts/taskrunner/client.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto tick_interval = 1s;
constexpr auto end_grace = 5s;   ///< between SIGTERM and SIGKILL
constexpr auto stop_again = 10s; ///< should a program have ended by then and has not
constexpr auto leave_max = 5s;   ///< to say on the chain that this SWOP listens no longer

/// What changes what this SWOP has to do; of reports it knows by itself.
std::vector<hash32> topics_followed() {
  return {contracts::event_topic<contracts::swop_listens>(),
          contracts::event_topic<contracts::swop_left>(),
          contracts::event_topic<contracts::task_assigned>(),
          contracts::event_topic<contracts::swop_invited>(),
          contracts::event_topic<contracts::swop_enrolled>(),
          contracts::event_topic<contracts::taskrunner_state_changed>(),
          contracts::event_topic<contracts::taskrunner_reset>()};
}

struct runner_state {
  explicit runner_state(std::shared_ptr<const swop_context> from)
      : context(std::move(from)), machine(static_cast<std::uint32_t>(context->profile.nodes.size())),
        reader(context->policy, context->account()) {}

  std::string status() const { return trouble.empty() ? machine.status() : trouble; }
  std::string detail_json() const {
    return json::serialize(json::object{{"taskrunner", context->profile.taskrunner},
                                        {"account", to_hex(context->account().view())},
                                        {"nodes", context->profile.nodes.size()},
                                        {"status", status()}});
  }
  static time_point now() { return std::chrono::steady_clock::now(); }
  address taskrunner() const { return contracts::taskrunner_address(context->profile.taskrunner); }

  std::shared_ptr<const swop_context> context;
  swop::runner_machine machine;
  std::optional<swop_metrics> metrics; ///< there from its first message on
  sibling_watch sn;
  std::string trouble; ///< why no SN can be asked; empty when one can
  bool missing_told = false;
  std::set<std::string> expected; ///< tasks of a former runner that have not said yet which parts they are
  task_reader reader;
  node_watch nodes;
  std::optional<swop::action::begin_part> beginning;    ///< waits for the task's definition
  std::optional<std::optional<swop::part_id>> cleaning; ///< what is kept while all else is being ended
  time_point stop_again{};                              ///< whatever of it still runs then
  std::optional<swop::event::contract_seen> last_news;
  // Calls without a receipt: of the machine's own there is one at most.
  std::uint64_t next_call = 1;
  std::uint64_t own_call = 0;
  std::set<std::uint64_t> reports;
  std::string enrolling; ///< the call under way, as the log has it
  std::string task_name; ///< of the actor of the part under way
  std::optional<caf::error> stop_reason;
  time_point stop_until = time_point::max();
};

using self_pointer = role_actor<runner_state>*;

void drain(self_pointer self);

void step(self_pointer self, const auto& event) {
  self->state().machine.step(event, runner_state::now());
  drain(self);
}

session::event::follow follow_request(const runner_state& s) {
  const auto self = s.context->account();
  return {s.context->profile.taskrunner,
          s.taskrunner(),
          topics_followed(),
          {session::eth_call(s.taskrunner(), contracts::encode(contracts::taskrunner_head_for_args{self})),
           session::eth_call(s.taskrunner(),
                             contracts::encode(contracts::pairs_args{self, 0, contracts::swop_slots_max}))}};
}

/// Finds the SN client. A restarted one has forgotten what it was asked: the contract says what became of that.
caf::actor find_sn(self_pointer self) {
  auto& s = self->state();
  if (!s.expected.empty()) return {};
  const auto [sn, is_new] = s.sn.find(self->dir(), sibling(*self, swop_names::sn));
  if (!sn || !is_new) return sn;
  self->send(sn, follow_request(s));
  s.enrolling.clear();
  if (std::exchange(s.own_call, 0) != 0) s.machine.step(swop::event::call_done{}, runner_state::now());
  if (!std::exchange(s.reports, {}).empty())
    self->tell(sibling(*self, s.task_name), swop::event::report_done{});
  if (s.beginning) self->send(sn, s.reader.begin(s.beginning->task));
  return sn;
}

void tell_sn(self_pointer self, auto message) {
  if (const auto sn = find_sn(self)) self->send(sn, std::move(message));
}

std::uint64_t submit(self_pointer self, bytes input, std::string what) {
  auto& s = self->state();
  const auto id = s.next_call++;
  tell_sn(self, session::event::submit{id, s.taskrunner(), std::move(input), std::move(what)});
  return id;
}

bytes encode_report(const swop::part_id& part, const swop::action::report& what) {
  const auto number = what.why.code == swop::task_failure::none ? what.number : what.why.number;
  if (!what.index)
    return contracts::encode(contracts::report_args{part.run, what.status, what.step, what.why.code, number});
  return contracts::encode(contracts::report_pair_args{part.run, *what.index, what.sl, what.status, what.step,
                                                       what.why.code, number});
}

/// Programs of parts that are over, or of lives before this one; SNs outlive both.
std::vector<managers::program> left_over(const swop_context& context,
                                         const std::optional<swop::part_id>& keep) {
  auto out = context.manager->programs();
  std::erase_if(out, [&](const managers::program& each) {
    const auto name = parse_program_name(each.name);
    return name && (name->kind == swop::program_kind::sn || (keep && name->part == *keep));
  });
  return out;
}

/// Ends them, and forgets them once all have ended. True: nothing is left of them.
bool clean_up(const swop_context& context, const std::optional<swop::part_id>& keep, bool stop) {
  bool running = false;
  for (const auto& each : left_over(context, keep)) {
    if (each.phase == managers::program_phase::ended) continue;
    running = true;
    if (stop) (void)context.manager->stop(each.name, end_grace);
  }
  if (running) return false;
  if (!context.options.keep_containers)
    for (const auto& each : left_over(context, keep))
      (void)context.manager->remove(each.name);
  std::error_code ignored;
  for (const auto& folder : part_folders(context))
    if (!keep || folder != part_folder(context, *keep)) std::filesystem::remove_all(folder, ignored);
  return true;
}

/// Until nothing is left to end.
void go_on_cleaning(self_pointer self) {
  auto& s = self->state();
  if (!s.cleaning) return;
  const bool stop = runner_state::now() >= s.stop_again;
  if (stop) s.stop_again = runner_state::now() + stop_again;
  if (!clean_up(*s.context, *s.cleaning, stop)) return;
  s.cleaning.reset();
  step(self, swop::event::cleaned{});
}

// Actions

struct perform {
  self_pointer self;

  void operator()(const swop::action::listen& what) const {
    call(contracts::encode(contracts::listen_args{what.slots}), "listen");
  }
  void operator()(const swop::action::unlisten&) const {
    call(contracts::encode(contracts::unlisten_args{self->state().context->account()}), "unlisten");
  }
  void operator()(const swop::action::enrol& what) const {
    auto& s = self->state();
    s.enrolling = fmt::format("SWOPExecutor: ENROLL TO Task : {} , opId : {}", what.task, what.run);
    log::info(s.context->log_source, "{} - Begins", s.enrolling);
    call(contracts::encode(contracts::enrol_args{what.run}), "enrol");
  }
  void operator()(const swop::action::begin_part& what) const {
    auto& s = self->state();
    s.beginning = what;
    tell_sn(self, s.reader.begin(what.task));
  }
  void operator()(const swop::action::end_part& what) const {
    auto& s = self->state();
    if (std::exchange(s.beginning, std::nullopt)) return step(self, swop::event::part_gone{what.part});
    if (!self->tell(sibling(*self, s.task_name), end_task{what.why})
        && !self->dir().status(sibling(*self, s.task_name)))
      step(self, swop::event::part_gone{what.part});
  }
  void operator()(const swop::action::tell_part& what) const {
    auto& s = self->state();
    s.last_news = what.news;
    if (!s.task_name.empty()) self->tell(sibling(*self, s.task_name), what.news);
  }
  void operator()(const swop::action::clean_up& what) const {
    auto& s = self->state();
    if (!s.task_name.empty() && !what.keep)
      self->dir().send(parent_path(*self), remove_child{std::exchange(s.task_name, {})});
    s.cleaning = what.keep;
    s.stop_again = {};
    go_on_cleaning(self);
  }
  void operator()(const swop::action::read&) const { tell_sn(self, session::event::read{}); }
  void operator()(const swop::action::left&) const {
    if (self->state().stop_reason) self->quit(*self->state().stop_reason);
  }
  void call(bytes input, const char* what) const {
    self->state().own_call = submit(self, std::move(input), what);
  }
};

void drain(self_pointer self) {
  for (auto& action : self->state().machine.take_actions())
    std::visit(perform{self}, action);
}

// Events

void take_reading(self_pointer self, const session::action::contract_read& news) {
  auto& s = self->state();
  if (news.name != s.context->profile.taskrunner || news.responses.size() != 2) return;
  const auto head = session::output_of(news.responses[0]);
  if (!head) return self->note_error(head.error().message);
  if (head->empty()) {
    if (std::exchange(s.missing_told, true)) return;
    return self->note_error(
        fmt::format("there is no taskrunner '{}': create it with CREATE TASKRUNNER {}, or correct "
                    "'taskrunner' in the SWOP profile",
                    news.name, news.name));
  }
  s.missing_told = false;
  const auto pairs = session::output_of(news.responses[1]);
  auto view = contracts::decode_answer<contracts::taskrunner_head_for_args>(*head);
  if (!view) return self->note_error(view.error().message);
  if (!pairs) return self->note_error(pairs.error().message);
  auto listed = contracts::decode_answer<contracts::pairs_args>(*pairs);
  if (!listed) return self->note_error(listed.error().message);
  s.metrics->show(view->head.state);
  step(self, swop::event::taskrunner_read{std::move(*view), std::move(*listed), news.block_num});
}

/// The task's definition is here: its actor starts.
void begin_task(self_pointer self, task_reader::found found) {
  auto& s = self->state();
  if (!s.beginning || s.beginning->task != found.task) return;
  const auto what = *std::exchange(s.beginning, std::nullopt);
  s.task_name = task_actor_name(what.task);
  part_order order{what.part, what.task, what.pairs, std::move(found.definition), found.prerequisite_outcome};
  self->ask(parent_path(*self), 10s, add_child{task_child(s.context, std::move(order))})
      .then([](const child_added&) {}, // it tells that it is there
            [self, part = what.part](caf::error& why) {
              self->note_error("the task cannot start: " + text_of(why));
              step(self, swop::event::part_gone{part});
            });
}

void take_answer(self_pointer self, const session::action::answered& from) {
  auto next = self->state().reader.take(from);
  if (!next) return;
  if (auto* question = std::get_if<session::event::ask>(&*next)) return tell_sn(self, std::move(*question));
  begin_task(self, std::move(std::get<task_reader::found>(*next)));
}

void take_receipt(self_pointer self, const session::action::call_done& from) {
  auto& s = self->state();
  const bool ok = from.outcome && from.outcome->ok;
  if (!ok)
    log::info(s.context->log_source, "the taskrunner refused a call: {}",
              from.outcome ? from.outcome->revert : from.outcome.error().message);
  if (from.id == s.own_call) {
    s.own_call = 0;
    if (const auto call = std::exchange(s.enrolling, {}); ok && !call.empty())
      log::info(s.context->log_source, "{} - Ends", call);
    step(self, swop::event::call_done{ok, ok ? from.outcome->block_num : 0});
    return tell_sn(self, session::event::read{});
  }
  if (s.reports.erase(from.id) > 0) self->tell(sibling(*self, s.task_name), swop::event::report_done{});
}

/// Parts that a former runner has begun go on: they are asked what they are before anything else happens.
void ask_for_tasks(self_pointer self) {
  const auto prefix = sibling(*self, swop_names::task_prefix);
  for (const auto& status : self->dir().list()) {
    if (!status.path.starts_with(prefix)) continue;
    self->state().expected.insert(status.path.substr(status.path.rfind('/') + 1));
    self->tell(status.path, who_is_there{}); // one that is being restarted says it by itself
  }
}

/// Those that are gone will not answer.
void forget_ended_tasks(self_pointer self) {
  std::erase_if(self->state().expected,
                [&](const auto& name) { return !self->dir().status(sibling(*self, name)); });
}

void take_task(self_pointer self, const task_here& news) {
  auto& s = self->state();
  if (s.expected.erase(news.name) > 0) {
    s.task_name = news.name;
    self->tell(sibling(*self, s.task_name),
               swop::event::report_done{}); // nobody awaits that receipt any more
    find_sn(self);
  }
  if (s.task_name == news.name) step(self, swop::event::part_here{news.part});
  if (s.last_news && s.machine.part() == news.part) self->tell(sibling(*self, s.task_name), *s.last_news);
}

void stop(self_pointer self, caf::error reason) {
  auto& s = self->state();
  s.stop_reason = std::move(reason);
  s.stop_until = runner_state::now() + leave_max;
  step(self, swop::event::leave{});
}

caf::behavior runner_behavior(self_pointer self) {
  self->env().methods.forward("task", self->path());
  self->state().metrics.emplace(self->env().metrics, self->state().context->options.node_name);
  self->delayed_send(self, tick_interval, tick{});
  self->on_stop([self](caf::error reason) { stop(self, std::move(reason)); });
  self->state().nodes.look(*self->state().context); // before a task that was under way goes on
  ask_for_tasks(self);
  find_sn(self);
  return {
      [=](const session::action::contract_read& news) { take_reading(self, news); },
      [=](const session::action::call_done& done) { take_receipt(self, done); },
      [=](const session::action::answered& news) { take_answer(self, news); },
      [=](const sn_standing& news) { self->state().trouble = news.trouble; },
      [=](const task_here& news) { take_task(self, news); },
      [=](const task_report& news) {
        auto& s = self->state();
        const auto id = submit(self, encode_report(news.part, news.what), "report");
        s.reports.insert(id);
      },
      [=](const read_taskrunner&) { tell_sn(self, session::event::read{}); },
      [=](const swop::event::part_gone& news) { step(self, news); },
      [=](tick) {
        auto& s = self->state();
        forget_ended_tasks(self);
        find_sn(self);
        step(self, swop::event::tick{});
        go_on_cleaning(self);
        s.metrics->look(s.machine.part(), runner_state::now());
        s.nodes.look(*s.context);
        if (s.stop_reason && runner_state::now() >= s.stop_until) return self->quit(*s.stop_reason);
        self->delayed_send(self, tick_interval, tick{});
      },
      [=](const admin_query&) { return self->state().detail_json(); },
  };
}

} // namespace

start_function runner_actor(std::shared_ptr<const swop_context> context) {
  return role<runner_state>(runner_behavior, std::move(context));
}

} // namespace swarm::actors
