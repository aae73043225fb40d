#include "base/assert.hpp"
#include "tests/simulator/sim_node.hpp"

/// The fake disk. Batches are written one after the other, each whole or not at all, as the store's log with
/// its checksums does (durability.test.cpp cuts the real one at every write). Of the batches that are not
/// acknowledged when the process dies, some first ones are there.
namespace swarm::simulator {

using namespace consensus;

void sim_node::queue_write(write what) {
  writes_.push_back(std::move(what));
  begin_write();
}

void sim_node::begin_write() {
  if (writing_ || disk_held_ || writes_.empty()) return;
  writing_ = true;
  const auto slow = world_.chance(world_.air().slow_disk);
  later(slow ? world_.between(20 * millisecond, 300 * millisecond) : world_.between(200, 3 * millisecond),
        [this] { finish_write(); });
}

void sim_node::hold_disk(bool hold) {
  disk_held_ = hold;
  if (is_up()) begin_write();
}

void sim_node::finish_write() {
  writing_ = false;
  if (disk_held_) return;
  const auto done = std::move(writes_.front());
  writes_.pop_front();
  const auto head_before = head_num();
  apply(done);
  begin_write();
  if (done.token != 0) return feed(persisted{done.token});
  const auto life = life_;
  if (head_num() != head_before) head_moved();
  if (life == life_ && done.fetched && fetch_) fetch_step();
}

/// Makes all that the batch holds durable.
void sim_node::apply(const write& what) {
  if (what.block) {
    if (what.block->block.block_num != head_num() + 1) return;
    app_->commit(what.block->block, what.block->seals, what.entries);
    world_.archive(what.block->block, what.block->seals);
    world_.check().on_durable(index_, what.block->block);
  } else if (what.block_num > head_num() || world_.options().planted_shell.writes_late_records) {
    app_->write_records(what.entries);
  }
  if (may_forget_ && world_.chance(0.02)) app_->remember();
}

/// Planted: the batch that was being written is there in part.
void sim_node::tear(const write& what) {
  if (!what.block)
    app_->write_records({what.entries.back()});
  else if (what.block->block.block_num == head_num() + 1)
    app_->commit(what.block->block, what.block->seals, {});
}

void sim_node::lose_unsynced(unsynced fate) {
  const auto kept = fate == unsynced::lost ? 0
                    : fate == unsynced::kept
                        ? writes_.size()
                        : static_cast<std::size_t>(world_.random().below(writes_.size() + 1));
  for (std::size_t i = 0; i < kept; ++i)
    apply(writes_[i]);
  if (world_.options().planted_shell.tears_batches && kept < writes_.size()) tear(writes_[kept]);
  writes_.clear();
  writing_ = false;
}

void sim_node::head_moved() {
  const auto head = app_->head();
  note("has on disk", "", head.block_num, 0, head.hash);
  world_.check().on_height(index_, head.block_num + 1, app_->validators());
  const auto life = life_;
  feed(head_changed{head, app_->validators()});
  if (life == life_) sync_head_moved();
  if (life == life_ && app_->has_work()) feed(work_available{});
}

} // namespace swarm::simulator
