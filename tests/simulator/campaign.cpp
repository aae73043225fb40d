#include "tests/simulator/campaign.hpp"

#include "ledger/consensus/reentry.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/sim_node.hpp"

namespace swarm::simulator {

namespace {

constexpr sim_time storm_length = 8 * second;
/// Longer than the longest round that a storm can have led to.
constexpr sim_time calm_length = 24 * second;
constexpr sim_time gossip_every = 250 * millisecond;

/// Does something again and again.
void repeat(world& in, const std::function<sim_time()>& pause, const std::function<void()>& what) {
  what();
  in.after(pause(), [&in, pause, what] { repeat(in, pause, what); });
}

} // namespace

campaign::campaign(const simulation_options& options, const simulation_plan& plan) : world_(options, plan) {
  if (plan.liars.empty()) return;
  liars_ = std::make_unique<adversary>(world_, plan.liars);
  world_.set_liars(liars_.get());
}

campaign::~campaign() = default;

simulation_outcome campaign::run() {
  start();
  const auto length = world_.options().length;
  while (world_.now() < length && !world_.check().failed()) {
    storm(world_.now() + storm_length);
    if (!world_.check().failed()) calm(world_.now() + calm_length);
  }
  return world_.finish();
}

void campaign::start() {
  for (std::size_t i = 0; i < world_.node_count(); ++i)
    world_.node(i).start();
  repeat(
      world_, [] { return gossip_every; },
      [this] {
        for (std::size_t i = 0; i < world_.node_count(); ++i)
          world_.node(i).gossip();
      });
  const auto every = world_.plan().work_every;
  repeat(
      world_, [this, every] { return world_.between(every / 2, every * 2); }, [this] { offer_work(); });
  if (liars_)
    repeat(
        world_, [this] { return world_.between(5 * millisecond, 60 * millisecond); },
        [this] { liars_->act(); });
}

void campaign::offer_work() {
  const auto pause = world_.plan().idle_times && (world_.now() / (3 * second)) % 2 == 1;
  if (pause) return;
  world_.node(world_.random().below(world_.node_count())).offer(next_work_++);
  // On the real chain a change takes the votes of more than half, and some are lost.
  const auto often = world_.options().real_chain ? 0.1 : 0.02;
  if (world_.plan().changes_validators && world_.chance(often)) offer_change();
}

void campaign::offer_change() {
  const auto serial = next_change_++;
  const auto which = world_.random().below(world_.node_count());
  const auto join = world_.chance(0.6);
  auto& by = world_.node(world_.random().below(world_.node_count()));
  for (const auto id : by.app().change_works(serial, which, join))
    by.offer(id);
}

// Storms

void campaign::set_storm_weather() {
  auto& air = world_.air();
  const auto& plan = world_.plan();
  air = world_.clear_sky();
  air.loss = plan.loss_max * static_cast<double>(world_.random().below(101)) / 100;
  air.duplication = world_.chance(0.5) ? 0.1 : 0;
  air.delay_max = world_.between(2 * millisecond, world_.chance(0.3) ? 400 * millisecond : 40 * millisecond);
  air.slow_disk = world_.chance(0.3) ? 0.1 : 0;
  air.crash = world_.chance(0.6) ? plan.crash_max : 0;
  if (world_.chance(plan.partition))
    for (auto& side : air.side)
      side = static_cast<int>(world_.random().below(world_.chance(0.7) ? 2 : 3));
  if (world_.chance(plan.deafness)) air.deaf[world_.random().below(world_.node_count())] = true;
}

void campaign::storm(sim_time end) {
  while (world_.now() < end && !world_.check().failed()) {
    set_storm_weather();
    if (liars_) liars_->change_mood();
    if (world_.chance(0.3)) crash_some(world_.chance(0.2));
    world_.run_until(std::min(end, world_.now() + world_.between(200 * millisecond, 3 * second)));
  }
}

/// Kills some nodes, or all at once; they come back after a while, some with an old disk or
/// without their record.
void campaign::crash_some(bool all) {
  const auto& forgetful = world_.plan().forgetful;
  for (std::size_t i = 0; i < world_.node_count(); ++i) {
    if (!all && !world_.chance(0.3)) continue;
    auto& node = world_.node(i);
    node.crash();
    const bool may_forget = std::find(forgetful.begin(), forgetful.end(), i) != forgetful.end();
    if (may_forget && world_.chance(0.5)) {
      if (world_.chance(0.7))
        node.restore_old();
      else
        node.app().forget_records();
    }
    restart_later(i);
  }
}

void campaign::restart_later(std::size_t which) {
  world_.after(world_.between(20 * millisecond, 4 * second), [this, which] {
    if (!world_.node(which).is_up()) world_.node(which).start();
  });
}

// Calm

void campaign::heal() {
  world_.air() = world_.clear_sky();
  world_.air().loss = world_.chance(0.3) ? 0.02 : 0;
  world_.air().delay_max = world_.between(2 * millisecond, 15 * millisecond);
  for (std::size_t i = 0; i < world_.node_count(); ++i)
    for (std::size_t other = 0; other < world_.node_count(); ++other)
      if (i != other && world_.node(i).is_up() && world_.node(other).is_up()) world_.node(i).connected(other);
}

/// 6: with a sound network and at most f liars every piece of work is done, and all catch up.
void campaign::calm(sim_time end) {
  heal();
  for (std::size_t i = 0; i < world_.node_count(); ++i)
    if (!world_.node(i).is_up()) restart_later(i);
  world_.run_until(end - 20 * second);
  const auto head_before = world_.highest_head();
  const auto work_before = next_work_;
  world_.run_until(end - 10 * second);
  world_.check().take_round_max();
  for (auto until = end - 10 * second; until < end && !world_.check().failed(); check_rounds()) {
    until += 50 * millisecond; // so that the trace of a failure ends where it happened
    world_.run_until(until);
  }
  if (!world_.check().failed()) check_progress(head_before, work_before);
}

/// 6: by now a round with an honest proposer decides, except when a message is lost here and there.
void campaign::check_rounds() {
  const auto faulty = world_.plan().liars.size() + world_.plan().forgetful.size();
  const auto bound = faulty + 1 + (world_.air().loss > 0 ? 3 : 0);
  const auto highest = world_.check().take_round_max();
  // Whoever re-enters, or lies that he does, may lead those that have no quorum without him to his round.
  const auto rounds = highest % consensus::reentry_stride + highest / consensus::reentry_stride;
  if (rounds > bound)
    world_.check().fail(fmt::format(
        "6 liveness: decided in round {} after 10 s of calm, with {} nodes that may lie", highest, faulty));
}

void campaign::check_progress(std::uint64_t head_before, std::uint64_t work_before) {
  for (std::size_t i = 0; i < world_.node_count(); ++i) {
    if (world_.check().is_faulty(i)) continue;
    const auto& node = world_.node(i);
    if (node.head_num() < head_before)
      return world_.check().fail(
          fmt::format("6 liveness: node {} is at block {} after 20 s of calm, others were at {} before", i,
                      node.head_num(), head_before));
    const auto waiting = node.app().pending(1);
    if (!waiting.empty() && waiting[0] < work_before)
      return world_.check().fail(
          fmt::format("6 liveness: work {} is not done at node {} after 20 s of calm", waiting[0], i));
  }
}

simulation_outcome simulate(const simulation_options& options) {
  return campaign(options, make_plan(options)).run();
}

} // namespace swarm::simulator
