#include "actors/swop/task/testing/simulation_parts.hpp"

#include <fmt/format.h>

// A SWOP's process with its two actors, which carry out what the machines want as ../../runner.cpp and
// ../../run_task.cpp do.
namespace swarm::swop::testing {

using namespace std::chrono_literals;

namespace {

constexpr auto tick_interval = 1s;
constexpr auto list_interval = 2s;
constexpr auto leave_max = 20s;

} // namespace

void simulation::boot(host& n) {
  if (n.up || n.doomed || n.left) return;
  n.up = true;
  n.up_since = now_;
  ++n.life;
  note(&n, "starts");
  start_runner(n);
}

/// Its programs go on.
void simulation::kill(host& n, std::string_view how) {
  if (!n.up) return;
  note(&n, fmt::format("ends: {}", how));
  n.up = false;
  ++n.life;
  crash_runner(n);
  n.task.reset();
  n.leaving = false;
}

void simulation::start_runner(host& n) {
  ++n.runner_life;
  ++n.runner_lives;
  n.runner.emplace(n.slots);
  n.reading = n.read_again = false;
  if (n.task) {
    n.runner->step(event::part_here{n.task->part}, now_);
    in_task(n, between(0, 2), [this, &n] {
      n.task->machine->step(event::report_done{}, now_);
      drain_task(n);
    });
  }
  if (n.leaving) n.runner->step(event::leave{}, now_);
  drain_runner(n);
  if (!n.runner) return;
  read_contract(n);
  in_runner(n, tick_interval, [this, &n] { tick_runner(n); });
}

void simulation::crash_runner(host& n) {
  n.runner.reset();
  ++n.runner_life;
  n.beginning.reset();
  n.last_news.reset();
  n.cleaning.reset();
}

void simulation::crash_task(host& n) {
  if (!n.task || !n.task->machine) return;
  note(&n, "its task crashes");
  n.task->machine.reset();
  after(between(10, 1000), [this, &n, life = n.task->life] {
    if (n.task && n.task->life == life) start_task(n);
  });
}

/// As on SIGTERM.
void simulation::leave(host& n) {
  if (!n.up || n.leaving) return;
  note(&n, "is told to stop");
  n.leaving = true;
  after(leave_max, [this, &n, life = n.life] {
    if (n.life != life) return;
    kill(n, "told to stop, without having left in time");
    n.left = true;
  });
  if (!n.runner) return;
  n.runner->step(event::leave{}, now_);
  drain_runner(n);
}

void simulation::in_runner(host& n, duration pause, thunk what) {
  after(pause, [&n, life = n.runner_life, what = std::move(what)] {
    if (n.runner_life == life && n.runner) what();
  });
}

void simulation::in_task(host& n, duration pause, thunk what) {
  if (!n.task) return;
  after(pause, [&n, life = n.task->life, what = std::move(what)] {
    if (n.task && n.task->life == life && n.task->machine) what();
  });
}

void simulation::tick_runner(host& n) {
  n.runner->step(event::tick{}, now_);
  if (n.runner->wake_at() <= now_) return broken("a runner wants to be woken in the past");
  drain_runner(n);
  if (n.runner) clean(n);
  in_runner(n, tick_interval, [this, &n] { tick_runner(n); });
}

struct simulation::perform_runner {
  simulation& sim;
  host& n;

  void operator()(const action::listen& a) const { call(contracts::listen_args{a.slots}, "listens"); }
  void operator()(const action::unlisten&) const { call(contracts::unlisten_args{n.account}, "unlistens"); }
  void operator()(const action::enrol& a) const { call(contracts::enrol_args{a.run}, "enrols"); }
  void operator()(const action::read&) const { sim.read_contract(n); }
  void operator()(const action::begin_part& a) const {
    n.beginning = a;
    sim.in_runner(n, sim.message_delay(), [&sim = sim, &n = n] { sim.begin_task(n); });
  }
  void operator()(const action::end_part& a) const {
    sim.note(&n, fmt::format("ends its part in run {}", a.part.run));
    if (std::exchange(n.beginning, std::nullopt) || !n.task) {
      n.runner->step(event::part_gone{a.part}, sim.now_);
      return sim.drain_runner(n);
    }
    sim.in_task(n, sim.between(0, 2), [&sim = sim, &n = n, a] {
      n.task->machine->step(event::stop{a.why}, sim.now_);
      sim.drain_task(n);
    });
  }
  void operator()(const action::tell_part& a) const {
    n.last_news = a.news;
    sim.in_task(n, sim.between(0, 2), [&sim = sim, &n = n, a] {
      n.task->machine->step(a.news, sim.now_);
      sim.drain_task(n);
    });
  }
  void operator()(const action::clean_up& a) const {
    if (!a.keep) n.task.reset();
    n.cleaning = a.keep;
    n.stop_again = {};
    sim.clean(n);
  }
  void operator()(const action::left&) const {
    if (n.task && n.task->machine && !n.task->machine->finished()) sim.broken("it left its part behind");
    sim.kill(n, "has left");
    n.left = n.in_order = true;
  }
  void call(const auto& args, const char* what) const {
    sim.note(&n, what);
    ++n.own_calls;
    sim.submit(n, args, [&sim = sim, &n = n](bool ok, std::uint64_t block_num) {
      n.runner->step(event::call_done{ok, block_num}, sim.now_);
      sim.drain_runner(n);
      if (n.runner) sim.read_contract(n);
    });
  }
};

void simulation::drain_runner(host& n) {
  const auto life = n.runner_life;
  for (auto& each : n.runner->take_actions())
    if (n.runner_life == life && n.runner) std::visit(perform_runner{*this, n}, each);
}

/// Programs of other parts are ended, then forgotten.
void simulation::clean(host& n) {
  if (!n.cleaning) return;
  const bool stop = now_ >= n.stop_again;
  if (stop) n.stop_again = now_ + 10s;
  bool clean = true;
  for (auto at = n.programs.begin(); at != n.programs.end();) {
    const bool keeps = *n.cleaning && at->first.part == **n.cleaning;
    const auto here = at++;
    if (keeps) continue;
    if (!here->second.runs) {
      n.programs.erase(here);
      continue;
    }
    clean = false;
    if (stop) tell_end(n, here->first);
  }
  if (!clean) return;
  n.cleaning.reset();
  n.runner->step(event::cleaned{}, now_);
  drain_runner(n);
}

// The task

/// The task's definition has been read.
void simulation::begin_task(host& n) {
  if (!n.beginning) return;
  const auto what = *std::exchange(n.beginning, std::nullopt);
  if (fault(scenario_.bad_preparation)) {
    note(&n, "cannot begin its part");
    n.runner->step(event::part_gone{what.part}, now_);
    return drain_runner(n);
  }
  for (const auto& [key, each] : n.programs)
    if (each.runs && key.part != what.part) broken("a part begins while programs of another one run");
  ++seen_.parts;
  auto& story = n.parts[what.part];
  if (story.begun == time_point{}) story.begun = now_;
  story.pairs = what.pairs;
  n.task.emplace();
  n.task->part = what.part;
  n.task->options = {what.task == "swarm" ? contracts::task_type::run_swarm
                                          : contracts::task_type::make_user_container,
                     what.pairs};
  start_task(n);
}

void simulation::start_task(host& n) {
  auto& task = *n.task;
  task.life = ++n.task_lives;
  task.machine.emplace(task.options);
  task.work = 0;
  task.armed = time_point::max();
  ++n.parts[task.part].lives;
  note(&n, fmt::format("begins its part in run {}, attempt {}", task.part.run, task.part.attempt));
  list(n);
  task.machine->begin(now_);
  drain_task(n);
  in_runner(n, between(0, 2), [this, &n, part = task.part] {
    n.runner->step(event::part_here{part}, now_);
    drain_runner(n);
    if (!n.runner || !n.last_news || n.runner->part() != part) return;
    in_task(n, between(0, 2), [this, &n, news = *n.last_news] {
      n.task->machine->step(news, now_);
      drain_task(n);
    });
  });
}

struct simulation::perform_task {
  simulation& sim;
  host& n;

  void operator()(const action::prepare&) const {
    const failure why =
        sim.fault(sim.scenario_.bad_preparation / 2) ? failure{task_failure::path_missing, 0} : failure{};
    sim.in_task(n, sim.between(0, sim.chance(100) ? 4000 : 5), [&sim = sim, &n = n, why] {
      n.task->machine->step(event::prepared{why}, sim.now_);
      sim.drain_task(n);
    });
  }
  void operator()(const action::start& a) const {
    if (sim.fault(sim.scenario_.bad_preparation / 4)) {
      n.task->machine->step(event::start_failed{a.index, a.kind, {task_failure::cannot_start, 0}}, sim.now_);
      return sim.drain_task(n);
    }
    sim.start_program(n, {n.task->part, a.index, a.kind});
    sim.list(n);
  }
  void operator()(const action::end_program& a) const { sim.tell_end(n, {n.task->part, a.index, a.kind}); }
  void operator()(const action::look& a) const {
    event::session_seen seen{.index = a.index};
    const auto* sl = sim.find(n, {n.task->part, a.index, program_kind::sl});
    if (sl != nullptr && sl->runs && !sim.fault(sim.scenario_.deaf_manager)) {
      seen.state = sl->session;
      seen.sl = sl->lies ? contracts::test_account(static_cast<std::uint16_t>(30'000 + sim.random_.below(9)))
                         : sl->account;
      seen.step = sl->session == session_state::open ? task_step::training : task_step::waiting_for_session;
      seen.number = sl->session == session_state::none ? 0 : sl->round;
    }
    n.task->machine->step(seen, sim.now_);
    sim.drain_task(n);
  }
  void operator()(const action::work&) const {
    if (n.task->work != 0) sim.broken("work begins while some is being done");
    n.task->work = ++n.serials;
    sim.work(n, n.serials, 1 + sim.random_.below(12));
  }
  void operator()(const action::end_work&) const {
    sim.in_task(n, sim.between(0, 2000), [&sim = sim, &n = n] {
      sim.end_work(n, {task_failure::swop_stopped, 0});
    });
  }
  void operator()(const action::report& a) const {
    auto& story = n.parts[n.task->part];
    ++story.reports;
    ++sim.seen_.reports;
    const auto most =
        20 + 15 * (story.pairs + 1) * story.lives + static_cast<std::uint64_t>((sim.now_ - story.begun) / 1s);
    if (story.reports > most)
      sim.broken(fmt::format("{} reports on a part of {} pairs", story.reports, story.pairs));
    const auto done = [&sim = sim, &n = n](bool, std::uint64_t) {
      sim.in_task(n, sim.between(0, 2), [&sim, &n] {
        n.task->machine->step(event::report_done{}, sim.now_);
        sim.drain_task(n);
      });
    };
    if (!n.runner) return done(false, 0);
    const auto number = a.why.code == task_failure::none ? a.number : a.why.number;
    const auto run = n.task->part.run;
    sim.in_runner(n, sim.between(0, 2), [&sim = sim, &n = n, a, run, number, done] {
      if (a.index)
        sim.submit(n, contracts::report_pair_args{run, *a.index, a.sl, a.status, a.step, a.why.code, number},
                   done);
      else
        sim.submit(n, contracts::report_args{run, a.status, a.step, a.why.code, number}, done);
    });
  }
  void operator()(const action::read&) const {
    if (n.runner) sim.read_contract(n);
  }
  void operator()(const action::finished&) const {
    for (const auto& [key, each] : n.programs)
      if (each.runs && key.part == n.task->part) sim.broken("a part is finished while its programs run");
    sim.in_runner(n, sim.between(0, 2), [&sim = sim, &n = n, part = n.task->part] {
      n.runner->step(event::part_gone{part}, sim.now_);
      sim.drain_runner(n);
    });
  }
};

void simulation::drain_task(host& n) {
  const auto life = n.task->life;
  const auto lives = [&] { return n.task && n.task->life == life && n.task->machine; };
  for (auto& each : n.task->machine->take_actions())
    if (lives()) std::visit(perform_task{*this, n}, each);
  if (lives()) arm_task(n);
}

void simulation::arm_task(host& n) {
  auto& task = *n.task;
  const auto due = std::max(now_, std::min(task.machine->wake_at(), task.list_at));
  if (due >= task.armed) return;
  task.armed = due;
  in_task(n, due - now_, [this, &n, due] {
    if (n.task->armed == due) tick_task(n);
  });
}

void simulation::tick_task(host& n) {
  n.task->armed = time_point::max();
  const auto life = n.task->life;
  if (now_ >= n.task->list_at) list(n);
  if (!n.task || n.task->life != life || !n.task->machine) return;
  n.task->machine->step(event::tick{}, now_);
  drain_task(n);
  if (n.task && n.task->life == life && n.task->machine && n.task->machine->wake_at() <= now_)
    broken("a task wants to be woken in the past");
}

void simulation::list(host& n) {
  n.task->list_at = now_ + list_interval;
  event::programs_seen seen;
  for (const auto& [key, each] : n.programs)
    if (key.part == n.task->part) seen.all.push_back({key.index, key.kind, each.ended_ms, each.outcome});
  if (!seen.all.empty() && n.task->life == n.task_lives && n.parts[n.task->part].lives > 1) ++seen_.adopted;
  n.task->machine->step(seen, now_);
  drain_task(n);
}

/// A build, a second a step.
void simulation::work(host& n, std::uint64_t serial, std::uint64_t left) {
  in_task(n, between(100, 1000), [this, &n, serial, left] {
    if (n.task->work != serial) return;
    if (fault(scenario_.bad_preparation / 4)) return end_work(n, {task_failure::build_failed, left});
    if (left == 0) return end_work(n, {});
    n.task->machine->step(event::work_going{task_step::building, left}, now_);
    work(n, serial, left - 1);
    drain_task(n);
  });
}

void simulation::end_work(host& n, failure why) {
  if (std::exchange(n.task->work, 0) == 0) return;
  n.task->machine->step(event::work_ended{why}, now_);
  drain_task(n);
}

} // namespace swarm::swop::testing
