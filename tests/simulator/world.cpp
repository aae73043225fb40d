#include "tests/simulator/world.hpp"

#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/abstract_app.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/sim_node.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr std::size_t archive_max = 20'000;
constexpr sim_time storm_length = 8 * second;
/// Long enough for the longest round that a storm can have led to, and some more.
constexpr sim_time calm_length = 24 * second;
constexpr sim_time gossip_every = 250 * millisecond;

} // namespace

world::world(const simulation_options& options, const simulation_plan& plan)
    : options_(options), plan_(plan), network_(make_network(options, plan)),
      random_(options.seed ^ 0x5117a7e5eed5), checker_(simulated_domain(), network_->accounts()),
      trace_(options.trace_lines) {
  weather_.side.assign(network_->size(), 0);
  for (std::size_t i = 0; i < network_->size(); ++i) {
    const auto rate = 0.9 + 0.2 * static_cast<double>(random_.below(1001)) / 1000;
    nodes_.push_back(std::make_unique<sim_node>(*this, i, network_->scheme(i), network_->make_app(i), rate));
  }
  if (options_.only_forks) checker_.watch_forks_only();
  for (const auto liar : plan_.liars)
    checker_.set_faulty(liar);
  if (!plan_.liars.empty()) adversary_ = std::make_unique<adversary>(*this, plan_.liars);
}

world::~world() = default;

// -- clock and network
// --

sim_time world::between(sim_time low, sim_time high) {
  return low + static_cast<sim_time>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
}

void world::at(sim_time when, std::function<void()> what) {
  queue_.push_back({when, order_++, std::move(what)});
  std::push_heap(queue_.begin(), queue_.end());
}

void world::transmit(std::size_t from, std::size_t to, packet what) {
  if (weather_.side[from] != weather_.side[to] || chance(weather_.loss)) return;
  const int copies = chance(weather_.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i)
    after(between(weather_.delay_min, weather_.delay_max), [this, from, to, what] {
      ++outcome_.messages;
      nodes_[to]->receive(from, what);
    });
}

void world::run_until(sim_time end) {
  while (!queue_.empty() && queue_.front().when <= end && !checker_.failed()) {
    std::pop_heap(queue_.begin(), queue_.end());
    auto next = std::move(queue_.back());
    queue_.pop_back();
    now_ = next.when;
    next.what();
  }
  now_ = std::max(now_, end);
}

std::optional<std::size_t> world::node_of(const address& account) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->account() == account) return i;
  return std::nullopt;
}

void world::archive(const proposed_block& block, const ledger::seal_record& seals) {
  const auto newest = archive_.empty() ? 0 : archive_.back()->block.block_num;
  if (block.block_num != newest + 1) return;
  archive_.push_back(std::make_shared<const decided_block>(decided_block{block, seals}));
  if (archive_.size() > archive_max) archive_.pop_front();
}

std::shared_ptr<const decided_block> world::archived(std::uint64_t block_num) const {
  if (archive_.empty() || block_num < archive_.front()->block.block_num
      || block_num > archive_.back()->block.block_num)
    return nullptr;
  return archive_[block_num - archive_.front()->block.block_num];
}

// -- the course of a run
// --

simulation_outcome world::run() {
  for (auto& one : nodes_)
    one->start();
  std::function<void()> gossip = [&] {
    for (auto& one : nodes_)
      one->gossip();
    after(gossip_every, gossip);
  };
  std::function<void()> work = [&] {
    offer_work();
    after(between(plan_.work_every / 2, plan_.work_every * 2), work);
  };
  std::function<void()> mischief = [&] {
    adversary_->act();
    after(between(5 * millisecond, 60 * millisecond), mischief);
  };
  gossip();
  work();
  if (adversary_) mischief();
  while (now_ < options_.length && !checker_.failed()) {
    storm(now_ + storm_length);
    if (!checker_.failed()) calm(now_ + calm_length);
  }
  for (auto& one : nodes_)
    if (!checker_.failed()) one->crash(); // replays its last life
  outcome_.failure = checker_.failure();
  if (!outcome_.ok()) outcome_.trace = trace_.text();
  outcome_.blocks = checker_.decided_max();
  outcome_.later_rounds = checker_.later_rounds();
  return outcome_;
}

void world::offer_work() {
  const auto bursts = plan_.idle_times && (now_ / (3 * second)) % 2 == 1;
  if (bursts) return;
  nodes_[random_.below(nodes_.size())]->offer(next_work_++);
  if (plan_.changes_validators && chance(0.02)) offer_change();
}

void world::offer_change() {
  ++outcome_.changes;
  nodes_[random_.below(nodes_.size())]->offer(
      change_work(next_change_++, random_.below(nodes_.size()), chance(0.6)));
}

// -- storms
// --

void world::set_storm_weather() {
  weather_.loss = plan_.loss_max * static_cast<double>(random_.below(101)) / 100;
  weather_.duplication = chance(0.5) ? 0.1 : 0;
  weather_.delay_max = between(2 * millisecond, chance(0.3) ? 400 * millisecond : 40 * millisecond);
  weather_.slow_disk = chance(0.3) ? 0.1 : 0;
  weather_.crash = chance(0.6) ? plan_.crash_max : 0;
  for (auto& side : weather_.side)
    side = 0;
  if (chance(plan_.partition))
    for (auto& side : weather_.side)
      side = static_cast<int>(random_.below(chance(0.7) ? 2 : 3));
}

void world::storm(sim_time end) {
  while (now_ < end && !checker_.failed()) {
    set_storm_weather();
    if (adversary_) adversary_->change_mood();
    if (chance(0.3)) crash_some(chance(0.2));
    run_until(std::min(end, now_ + between(200 * millisecond, 3 * second)));
  }
}

/// Kills some nodes, or all at once; they come back after a while, some with an old disk or without their
/// record.
void world::crash_some(bool all) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!all && !chance(0.3)) continue;
    nodes_[i]->crash();
    const bool forgetful =
        std::find(plan_.forgetful.begin(), plan_.forgetful.end(), i) != plan_.forgetful.end();
    if (forgetful && chance(0.5)) {
      if (chance(0.7))
        nodes_[i]->restore_old();
      else
        nodes_[i]->app().forget_records();
    }
    restart_later(i);
  }
}

void world::restart_later(std::size_t which) {
  after(between(20 * millisecond, 4 * second), [this, which] {
    if (!nodes_[which]->is_up()) nodes_[which]->start();
  });
}

// -- calm
// --

void world::heal() {
  weather_ = {.side = std::vector<int>(nodes_.size(), 0)};
  weather_.loss = chance(0.3) ? 0.02 : 0;
  weather_.delay_max = between(2 * millisecond, 15 * millisecond);
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::size_t other = 0; other < nodes_.size(); ++other)
      if (i != other && nodes_[i]->is_up() && nodes_[other]->is_up()) nodes_[i]->connected(other);
}

/// 6: with a sound network and at most f liars every piece of work is done, and all catch up.
void world::calm(sim_time end) {
  heal();
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (!nodes_[i]->is_up()) restart_later(i);
  run_until(end - 20 * second);
  const auto head_before = highest_head();
  const auto work_before = next_work_;
  run_until(end);
  if (!checker_.failed()) check_progress(head_before, work_before);
}

std::uint64_t world::highest_head() const {
  std::uint64_t out = 0;
  for (const auto& one : nodes_)
    out = std::max(out, one->head_num());
  return out;
}

void world::check_progress(std::uint64_t head_before, std::uint64_t work_before) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (checker_.is_faulty(i)) continue;
    const auto& app = nodes_[i]->app();
    if (nodes_[i]->head_num() < head_before)
      return checker_.fail(
          fmt::format("6 liveness: node {} is at block {} after 20 s of calm, others were at {} before", i,
                      nodes_[i]->head_num(), head_before));
    const auto waiting = app.pending(1);
    if (!waiting.empty() && waiting[0] < work_before)
      return checker_.fail(
          fmt::format("6 liveness: work {} is not done at node {} after 20 s of calm", waiting[0], i));
  }
}

simulation_outcome simulate(const simulation_options& options) {
  return world(options, make_plan(options)).run();
}

} // namespace swarm::simulator
