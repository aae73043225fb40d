#include "actors/swop/task/testing/simulation.hpp"

#include "actors/swop/task/testing/simulation_parts.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/training_probe.hpp"

#include <fmt/ranges.h>

namespace swarm::swop::testing {

using namespace std::chrono_literals;
using contracts::node_type;
using contracts::task_type;
using contracts::test_account;

namespace {

constexpr std::uint16_t operator_number = 20'000;
/// More simulated time than all that follows the last fault needs.
constexpr auto patience = 1500s;
constexpr std::size_t readings_kept = 6;

} // namespace

scenario scenario::draw(seeded_random& random) {
  const auto some = [&](std::uint32_t most) {
    return random.below(2) == 0 ? 0 : static_cast<std::uint32_t>(random.below(most + 1));
  };
  scenario out;
  const auto swops = 1 + random.below(4);
  for (std::uint64_t i = 0; i < swops; ++i)
    out.slots.push_back(random.below(10) == 0 ? 0 : static_cast<std::uint32_t>(1 + random.below(3)));
  out.quiet_at = std::chrono::seconds(60 + random.below(200));
  out.delay_max = std::chrono::milliseconds(random.below(2) == 0 ? 20 : 800);
  out.slow_message = some(50);
  out.lost_call = some(150);
  out.lost_event = some(200);
  out.stale_read = some(300);
  out.bad_program = some(60);
  out.bad_preparation = some(150);
  out.deaf_manager = some(300);
  out.unknown_sl = some(300);
  out.accidents = static_cast<std::uint32_t>(random.below(10));
  out.operators_act = true;
  return out;
}

std::string scenario::describe() const {
  return fmt::format(
      "slots {}, quiet at {} s, delay {} ms, slow {}, lost calls {}, lost events {}, stale {}, bad "
      "programs {}, bad preparations {}, deaf manager {}, unknown SLs {}, accidents {}",
      fmt::join(slots, " "), std::chrono::duration_cast<std::chrono::seconds>(quiet_at).count(),
      std::chrono::duration_cast<std::chrono::milliseconds>(delay_max).count(), slow_message, lost_call,
      lost_event, stale_read, bad_program, bad_preparation, deaf_manager, unknown_sl, accidents);
}

figures& figures::operator+=(const figures& other) {
  calls += other.calls;
  refused += other.refused;
  reports += other.reports;
  parts += other.parts;
  pairs_complete += other.pairs_complete;
  runs_complete += other.runs_complete;
  runs_failed += other.runs_failed;
  adopted += other.adopted;
  stuck += other.stuck;
  longest_cleaning = std::max(longest_cleaning, other.longest_cleaning);
  last_run = std::max(last_run, other.last_run);
  return *this;
}

simulation::simulation(std::uint64_t seed, const scenario& what)
    : random_(seed), scenario_(what), quiet_(time_point{} + what.quiet_at),
      world_(contracts::make_contracts()), taskrunner_(contracts::default_taskrunner()),
      operator_(test_account(operator_number)) {
  note(nullptr, scenario_.describe());
  const auto add = [this](const address& account, node_type type, const std::string& name) {
    contracts::register_node(world_, account, type, name);
    twin_.nodes[account] = type;
  };
  add(operator_, node_type::swci, "swci");
  for (const auto& [name, type] :
       {std::pair("swarm", task_type::run_swarm), std::pair("build", task_type::make_user_container)}) {
    contracts::make_task(world_, operator_, name, type);
    twin_.tasks[name] = type;
  }
  for (const auto slots : what.slots) {
    auto& n = *swops_.emplace_back(std::make_unique<host>());
    n.number = static_cast<std::uint16_t>(swops_.size() - 1);
    n.account = test_account(n.number);
    n.name = fmt::format("swop-{}", n.number);
    n.slots = slots;
    add(n.account, node_type::swop, n.name);
    at(now_ + between(0, 5000), [this, &n] { boot(n); });
  }
  for (std::uint32_t i = 0; i < what.accidents; ++i)
    at(now_ + between(1000, what.quiet_at / 1ms), [this] { accident(); });
  if (what.operators_act) at(now_ + between(1000, 8000), [this] { act(); });
  at(now_ + 1s, [this] { check(); });
  at(quiet_, [this] { finish(); });
}

simulation::~simulation() = default;

std::string simulation::run() {
  while (broken_.empty() && !over_) {
    if (queue_.begin()->first > quiet_ + patience) return "it does not come to an end";
    auto next = queue_.extract(queue_.begin());
    now_ = next.key();
    next.mapped()();
  }
  return broken_;
}

// Time and chance

duration simulation::between(std::int64_t from_ms, std::int64_t to_ms) {
  return std::chrono::milliseconds(
      from_ms + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(to_ms - from_ms + 1))));
}

duration simulation::message_delay() {
  if (fault(scenario_.slow_message)) return between(500, 5000);
  return between(1, scenario_.delay_max / 1ms);
}

std::uint64_t simulation::now_ms() const {
  return static_cast<std::uint64_t>(now_.time_since_epoch() / 1ms);
}

void simulation::note(const host* of, std::string text) {
  trace_.push_back(fmt::format("{:6}.{:03} {:7} {}", now_ms() / 1000, now_ms() % 1000,
                               of != nullptr ? of->name : "", std::move(text)));
}

void simulation::broken(std::string what) {
  note(nullptr, "BROKEN: " + what);
  if (broken_.empty()) broken_ = std::move(what);
}

// The SN

void simulation::compare_with_twin() {
  const contracts::taskrunner_probe probe(world_, taskrunner_);
  if (probe.head() != twin_.head()) return broken("the counts are not those of the naive twin");
  if (swops_.size() > 10) return;
  auto all = probe.swops();
  for (auto& each : all)
    each.name.clear();
  if (all != twin_.swops()) broken("the SWOPs are not those of the naive twin");
  if (const auto wrong = probe.broken_invariant(); !wrong.empty()) broken(wrong);
}

/// What a call of `caller` has changed.
void simulation::take_events(const address& caller) {
  bool moved = false;
  for (const auto& event : twin_.events) {
    const auto* report = std::get_if<contracts::pair_reported>(&event);
    moved = moved || (report == nullptr && !std::holds_alternative<contracts::swop_reported>(event));
    if (const auto* state = std::get_if<contracts::taskrunner_state_changed>(&event)) {
      note(nullptr, fmt::format("run {} is {}", state->run, contracts::to_string(state->state)));
      seen_.runs_complete += state->state == contracts::taskrunner_state::complete ? 1 : 0;
      seen_.runs_failed += state->state == contracts::taskrunner_state::error ? 1 : 0;
    }
    if (report == nullptr) continue;
    auto& n = **std::ranges::find_if(swops_, [&](const auto& each) { return each->account == caller; });
    note(&n, fmt::format("pair {} of run {}: {}, {}, {} ({})", report->index, report->run,
                         contracts::to_string(report->status), contracts::to_string(report->step),
                         contracts::to_string(report->failure), report->number));
    if (report->status != part_status::complete) continue;
    ++seen_.pairs_complete;
    const part_id part{report->run, twin_.head().times.assigned, twin_.swop(caller).attempt};
    const auto* sl = find(n, {part, report->index, program_kind::sl});
    const auto* ml = find(n, {part, report->index, program_kind::ml});
    if (sl == nullptr || ml == nullptr || sl->runs || ml->runs || sl->outcome != failure{}
        || ml->outcome != failure{} || ml->told)
      broken("a pair is complete whose programs have not both ended well");
  }
  if (!moved) return;
  for (auto& each : swops_) {
    if (!each->up) continue;
    // An event that is lost is so because a connection is: the next one begins with a reading.
    in_runner(*each, fault(scenario_.lost_event) ? between(1000, 10000) : message_delay(),
              [this, &n = *each] { read_contract(n); });
  }
}

/// There is one reading at a time; all that is asked for meanwhile is served by one more afterwards.
void simulation::read_contract(host& n) {
  n.read_again = n.reading;
  if (std::exchange(n.reading, true)) return;
  in_runner(n, message_delay(), [this, &n] {
    const contracts::taskrunner_probe probe(world_, taskrunner_);
    event::taskrunner_read news{probe.head_for(n.account), probe.pairs(n.account), world_.block_num()};
    auto& kept = n.readings;
    if (!kept.empty() && fault(scenario_.stale_read)) {
      news = kept[random_.below(kept.size())];
      in_runner(n, between(500, 10000), [this, &n] { read_contract(n); }); // the SN has caught up
    } else {
      if (kept.size() == readings_kept) kept.erase(kept.begin());
      kept.push_back(news);
    }
    in_runner(n, message_delay(), [this, &n, news] {
      n.reading = false;
      n.runner->step(news, now_);
      drain_runner(n);
      if (n.runner && n.read_again) read_contract(n);
    });
  });
}

} // namespace swarm::swop::testing
