#include "actors/swop/task/testing/simulation_parts.hpp"

#include <fmt/format.h>

// Operators, accidents, and what has to be true in the end.
namespace swarm::swop::testing {

using namespace std::chrono_literals;
using contracts::task_type;
using contracts::taskrunner_state;

namespace {

/// Programs of a part that is over are gone after this, while things go wrong and afterwards.
constexpr auto over_max = 120s, over_max_quiet = 12s;
constexpr auto settle_time = 150s; ///< more than any run takes whose programs do not hang
constexpr auto last_run_time = 200s;

} // namespace

void simulation::accident() {
  auto& n = *swops_[random_.below(swops_.size())];
  switch (random_.below(8)) {
  case 0:
    kill(n, "killed for good");
    n.doomed = true;
    return;
  case 1:
    leave(n);
    return;
  case 2:
  case 3:
    if (!n.runner) return;
    note(&n, "its runner crashes");
    crash_runner(n);
    after(between(10, 1000), [this, &n, life = n.life] {
      if (n.life == life && n.up && !n.runner) start_runner(n);
    });
    return;
  case 4:
  case 5:
    return crash_task(n);
  default:
    kill(n, "killed");
    after(between(100, 40'000), [this, &n] { boot(n); });
  }
}

void simulation::dismiss_the_dead() {
  for (const auto& n : swops_)
    if (!n->up && twin_.swop(n->account).listening) execute(operator_, contracts::unlisten_args{n->account});
}

void simulation::act() {
  if (now_ >= quiet_) return;
  at(now_ + between(500, 25'000), [this] { act(); });
  const auto head = twin_.head();
  const auto& any = swops_[random_.below(swops_.size())]->account;
  const auto dice = random_.below(10);
  const std::string task = random_.below(4) == 0 ? "build" : "swarm";
  if (dice == 0) return dismiss_the_dead();
  if (dice == 1 && random_.below(4) == 0) { // he is mistaken
    execute(operator_, contracts::unlisten_args{any});
    return;
  }
  note(nullptr, fmt::format("the operator acts, run {} is {}", head.run, contracts::to_string(head.state)));
  if (head.state == taskrunner_state::idle) {
    const auto most = task == "swarm" ? head.slots : head.listening;
    if (dice < 3)
      execute(operator_, contracts::assign_to_args{task, any});
    else if (dice < 6 && most > 0)
      execute(operator_, contracts::assign_args{task, most, true});
    else
      execute(operator_,
              contracts::assign_args{task, static_cast<std::uint32_t>(1 + random_.below(most + 1)), false});
    return;
  }
  const bool ended = head.state == taskrunner_state::complete || head.state == taskrunner_state::error;
  if (dice < 4)
    execute(operator_, contracts::assign_to_args{head.task, any});
  else if (ended || dice == 9)
    execute(operator_, contracts::reset_taskrunner_args{});
}

/// Every second: no program runs on for a part that is over.
void simulation::check() {
  at(now_ + 1s, [this] { check(); });
  const auto head = twin_.head();
  for (auto& each : swops_) {
    auto& n = *each;
    const auto view = twin_.swop(n.account);
    const bool takes_part = head.state != taskrunner_state::idle && view.status >= part_status::active
                            && view.failure != task_failure::left;
    const part_id now_part{head.run, head.times.assigned, view.attempt};
    if (!n.up) n.over_since.clear();
    std::erase_if(n.over_since, [&](const auto& known) {
      const auto* one = find(n, known.first);
      return one == nullptr || !one->runs || (takes_part && known.first.part == now_part);
    });
    for (const auto& [key, one] : n.programs) {
      if (!n.up || !one.runs || (takes_part && key.part == now_part)) continue;
      const auto since = n.over_since.try_emplace(key, now_).first->second;
      if (now_ - since > (since < quiet_ + over_max ? over_max : duration(over_max_quiet)))
        return broken(fmt::format("{} still runs a program of run {}, which is over", n.name, key.part.run));
    }
    const auto calls_max = 20 + 6 * n.runner_lives + 8 * (head.run + 1)
                           + static_cast<std::uint64_t>(now_.time_since_epoch() / 8s);
    if (n.own_calls > calls_max) return broken(fmt::format("{} has made {} calls", n.name, n.own_calls));
  }
}

/// No more faults: whoever is not dead for good comes back, operators dismiss the others, and what can end ends. But
/// for programs that hang from now on.
void simulation::finish() {
  note(nullptr, "it is quiet from now on");
  for (auto& n : swops_) {
    boot(*n);
    for (auto& [key, one] : n->programs)
      if (key.kind == program_kind::ml && scenario_.bad_program > 0 && chance(300)) one.hangs = true;
  }
  after(60s, [this] { dismiss_the_dead(); });
  after(settle_time, [this] {
    if (auto wrong = check_waiting(); !wrong.empty()) return broken(wrong);
    reset_at_ = now_;
    execute(operator_, contracts::reset_taskrunner_args{});
    expect_no_programs();
  });
}

/// What the contract says somebody waits for is so; empty when it is.
std::string simulation::check_waiting() {
  const auto head = twin_.head();
  if (head.state == taskrunner_state::idle) return {};
  bool waits = head.state == taskrunner_state::complete || head.state == taskrunner_state::error;
  for (auto& each : swops_) {
    auto& n = *each;
    const auto view = twin_.swop(n.account);
    if (!n.up && (view.status == part_status::active || view.status == part_status::invited))
      return n.name + " is gone, and the contract waits for it";
    if (!n.up) continue;
    if (!view.listening) return n.name + " does not listen";
    const bool has_peers = head.type != task_type::run_swarm || n.slots > 0;
    if (has_peers && view.status == part_status::invited) return n.name + " is invited and does not enrol";
    if (has_peers && view.status == part_status::none && head.state == taskrunner_state::enrolling
        && head.mode != contracts::assign_mode::target && head.enrolled + head.invited < head.quorum)
      return n.name + " is needed and does not enrol";
    if (view.status != part_status::active) continue;
    if (head.type != task_type::run_swarm) return n.name + " does not end its work";
    const auto pairs = twin_.pairs(n.account);
    for (std::uint32_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].status != part_status::active) continue;
      const part_id part{head.run, head.times.assigned, view.attempt};
      const auto* sl = find(n, {part, i, program_kind::sl});
      const auto* ml = find(n, {part, i, program_kind::ml});
      if (ml == nullptr || !ml->runs || !ml->hangs)
        return fmt::format("pair {} of {} is active, and nothing of it hangs", i, n.name);
      const bool serves = sl != nullptr && sl->runs;
      const auto step = !serves ? task_step::waiting_for_end
                        : sl->session == session_state::none && sl->round == 0
                            ? task_step::waiting_for_session
                        : sl->session == session_state::open ? task_step::training
                                                             : pairs[i].step;
      if (pairs[i].step != step)
        return fmt::format("pair {} of {} is said to be {}, and is {}", i, n.name,
                           contracts::to_string(pairs[i].step), contracts::to_string(step));
      if (step == task_step::training && pairs[i].number != sl->round)
        return fmt::format("pair {} of {} is said to be in round {}, and is in {}", i, n.name,
                           pairs[i].number, sl->round);
      waits = true;
    }
  }
  if (head.state == taskrunner_state::running) ++seen_.stuck;
  if (!waits && head.state == taskrunner_state::running) return "the run is running, and nobody is at work";
  return {};
}

/// A reset ends everything within ten seconds.
void simulation::expect_no_programs() {
  const bool runs = std::ranges::any_of(swops_, [](const auto& n) { return n->up && n->has_programs(); });
  if (runs && now_ > reset_at_ + over_max_quiet) return broken("programs run long after a reset");
  if (runs) return after(100ms, [this] { expect_no_programs(); });
  seen_.longest_cleaning = std::max(seen_.longest_cleaning, now_ - reset_at_);
  after(3s, [this] { last_run(); });
}

/// And then everything works.
void simulation::last_run() {
  const auto head = twin_.head();
  const bool swarm = head.slots > 0 && chance(800);
  const auto peers = swarm ? head.slots : head.listening;
  if (peers == 0) return say_goodbye();
  note(nullptr, "the last run");
  assigned_at_ = now_;
  if (!execute(operator_, contracts::assign_args{swarm ? "swarm" : "build", peers, true}).ok)
    return broken("the last run cannot be assigned");
  look_at_last_run();
}

void simulation::look_at_last_run() {
  const auto head = twin_.head();
  const bool all_ended = head.active == 0 && head.invited == 0;
  if (head.state == taskrunner_state::error) return broken("the last run has failed");
  if (head.state == taskrunner_state::complete && all_ended) {
    seen_.last_run = now_ - assigned_at_;
    return say_goodbye();
  }
  if (now_ > assigned_at_ + last_run_time) return broken("the last run does not end");
  after(100ms, [this] { look_at_last_run(); });
}

void simulation::say_goodbye() {
  for (auto& n : swops_)
    leave(*n);
  after(25s, [this] {
    for (auto& n : swops_) {
      if (n->doomed) continue;
      if (n->up) broken(n->name + " does not leave");
      if (twin_.swop(n->account).listening) broken(n->name + " has left and listens still");
      if (n->in_order && n->has_programs()) broken(n->name + " has left programs behind");
    }
    over_ = true;
  });
}

} // namespace swarm::swop::testing
