#include "base/assert.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain.hpp"
#include "ledger/snapshot/snapshot_server.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/sim_node.hpp"

/// Snapshots as the product takes and gives them: the shipped driver and server on the real chain. What they
/// write is on disk at once, as in the product, so a crash can only come between two answers.
namespace swarm::simulator {

using namespace consensus;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t answer_bytes = 4096;

} // namespace

void sim_node::begin_snapshots() {
  if (app_->chain() == nullptr || world_.options().snapshot_gap == 0) return;
  sync::driver_options options;
  options.snapshot = {.gather = 300ms,
                      .nodes_asked = 8,
                      .batch_bytes = 1000,
                      .answer_wait = 500ms,
                      .rest = 200ms,
                      .stall_wait = 3s};
  options.history = {.range_blocks = 8, .answer_wait = 500ms, .rest = 200ms};
  snapshot_.emplace(*app_->chain(), options);
}

template <class Event>
void sim_node::snapshot_step(Event event) {
  if (!snapshot_) return;
  event(*snapshot_, time_point(std::chrono::microseconds(world_.now())));
  auto out = snapshot_->take();
  if (out.broken || out.fork)
    world_.check().fail(
        fmt::format("snapshot: node {}: {}", index_, (out.broken ? out.broken : out.fork)->message));
  for (auto& each : out.liars)
    blame(each.neighbor, each.why);
  for (auto& each : out.useless) {
    if (each.lied) blame(each.neighbor, each.why);
    if (!world_.options().planted_shell.waits_for_claims) sync_no_snapshot(each.neighbor);
  }
  for (const auto& ask : out.asks)
    world_.transmit(index_, ask.neighbor % 1000,
                    {.what = packet::kind::ask_part,
                     .raw = std::make_shared<const bytes>(sync::encode(ask.what)),
                     .tag = ask.tag});
  sync_pivot(snapshot_->proved_pivot(), out.adopted != nullptr);
  if (out.adopted) adopted();
}

/// A snapshot was adopted, so the head has moved by many blocks.
void sim_node::adopted() {
  const auto head = app_->head();
  note("takes a snapshot", "", head.block_num, 0, head.hash);
  proposed_block block;
  block.block_num = head.block_num;
  block.hash = head.hash;
  world_.check().on_durable(index_, block);
  ++world_.counts().snapshots;
  if (world_.options().planted_shell.forgets_at_pivot) app_->forget_records();
  if (!world_.options().planted_shell.keeps_set_over_gap) return head_moved();
  world_.check().on_height(index_, head.block_num + 1, first_set_);
  feed(head_changed{head, first_set_});
}

void sim_node::snapshot_tick() {
  if (!snapshot_ || !sync_) return;
  snapshot_step([this](auto& driver, auto now) {
    driver.set_neighbors(sync_->claims(), sync_->snapshot_claims(), now);
    driver.tick(now);
  });
}

void sim_node::answer_part(std::size_t from, const packet& question) {
  if (app_->chain() == nullptr) return;
  auto answer = sync::answer_part(*app_->chain(), contracts::event_topic<contracts::validators_changed>(),
                                  *question.raw, answer_bytes, {.pivot_lag = 4, .pivot_step = 4});
  SWARM_ASSERT(answer.has_value()); // only honest nodes ask
  world_.transmit(index_, from,
                  {.what = packet::kind::part,
                   .raw = std::make_shared<const bytes>(std::move(*answer)),
                   .tag = question.tag});
}

void sim_node::hear_part(std::size_t from, const packet& what) {
  snapshot_step(
      [&](auto& driver, auto now) { driver.on_part(neighbor_id_of(from), what.tag, *what.raw, now); });
}

} // namespace swarm::simulator
