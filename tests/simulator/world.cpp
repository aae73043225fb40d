#include "tests/simulator/world.hpp"

#include "tests/simulator/network.hpp"
#include "tests/simulator/sim_node.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr std::size_t archive_max = 20'000;

} // namespace

world::world(const simulation_options& options, const simulation_plan& plan)
    : options_(options), plan_(plan), network_(make_network(options, plan)), domain_(network_->domain()),
      random_(options.seed ^ 0x5117a7e5eed5),
      checker_(domain_, network_->accounts(), network_->scheme(0).recover), trace_(options.trace_lines) {
  for (std::size_t i = 0; i < network_->size(); ++i) {
    node_clock clock;
    clock.rate = 0.9 + 0.2 * static_cast<double>(random_.below(1001)) / 1000;
    clock.skew = between(-plan_.skew_max, plan_.skew_max);
    nodes_.push_back(std::make_unique<sim_node>(*this, i, network_->scheme(i), network_->make_app(i), clock));
  }
  weather_ = clear_sky();
  if (options_.only_forks) checker_.watch_forks_only();
  if (options_.planted.quorum_two_f_plus_one) checker_.ignore_parent_seals();
  for (const auto liar : plan_.liars)
    checker_.set_faulty(liar);
}

world::~world() = default;

work_book& world::book() {
  return *network_->book();
}

weather world::clear_sky() const {
  weather out;
  out.side.assign(nodes_.size(), 0);
  out.deaf.assign(nodes_.size(), false);
  return out;
}

sim_time world::between(sim_time low, sim_time high) {
  return low + static_cast<sim_time>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
}

void world::at(sim_time when, std::function<void()> what) {
  queue_.push_back({when, order_++, std::move(what)});
  std::push_heap(queue_.begin(), queue_.end());
}

bool world::run_one(sim_time end) {
  if (queue_.empty() || queue_.front().when > end || checker_.failed()) return false;
  std::pop_heap(queue_.begin(), queue_.end());
  auto next = std::move(queue_.back());
  queue_.pop_back();
  now_ = next.when;
  next.what();
  return true;
}

void world::run_until(sim_time end) {
  while (run_one(end)) {
  }
  now_ = std::max(now_, end);
}

void world::transmit(std::size_t from, std::size_t to, const packet& what) {
  if (link_rule_ && !link_rule_(from, to, what)) return;
  if (weather_.side[from] != weather_.side[to] || weather_.deaf[to] || chance(weather_.loss)) return;
  const int copies = chance(weather_.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i)
    after(between(weather_.delay_min, weather_.delay_max), [this, from, to, what] {
      ++outcome_.messages;
      nodes_[to]->receive(from, what);
    });
}

std::optional<std::size_t> world::node_of(const address& account) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->account() == account) return i;
  return std::nullopt;
}

std::uint64_t world::highest_head() const {
  std::uint64_t out = 0;
  for (const auto& one : nodes_)
    out = std::max(out, one->head_num());
  return out;
}

simulation_outcome world::finish() {
  for (auto& one : nodes_)
    if (!checker_.failed()) one->crash();
  outcome_.failure = checker_.failure();
  if (!outcome_.ok()) outcome_.trace = trace_.text();
  outcome_.blocks = checker_.decided_max();
  outcome_.changes = checker_.set_changes();
  outcome_.later_rounds = checker_.later_rounds();
  return outcome_;
}

void world::archive(const proposed_block& block, const ledger::seal_record& seals) {
  if (block.block_num != archived_max_ + 1) return;
  ++archived_max_;
  largest_block_ = std::max(largest_block_, block.raw->size());
  archive_.push_back(std::make_shared<const sync::sealed_block>(
      sync::sealed_block{*block.raw, ledger::encode_seals(seals)}));
  if (archive_.size() > archive_max) archive_.pop_front();
}

sealed_ptr world::archived(std::uint64_t block_num) const {
  const auto below = archived_max_ - archive_.size(); // the last number that is no longer there
  if (block_num <= below || block_num > archived_max_) return nullptr;
  return archive_[block_num - below - 1];
}

} // namespace swarm::simulator
