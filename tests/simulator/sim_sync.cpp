#include "base/assert.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/sim_node.hpp"

/// Synchronisation as the product does it: the shipped machine asks for ranges and says what to import; each
/// block is judged alone, by its seals and by executing it.
namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr sim_time tick_every = 100 * millisecond;
constexpr std::size_t blocks_sent_max = 30;
constexpr std::size_t window_bytes = 256 * 1024;
constexpr std::size_t answer_bytes_max = 128 * 1024; ///< after the first block
/// Answers that are under way when the window is full still arrive: two ranges from each neighbor.
constexpr std::size_t sync_bytes_max = 4 * window_bytes;
constexpr std::size_t answers_under_way = 8;

} // namespace

template <class Event>
void sim_node::sync_step(Event event) {
  if (!sync_) return;
  event(*sync_, time_point(std::chrono::microseconds(world_.now())));
  if (sync_->waiting_bytes() > sync_bytes_max + answers_under_way * world_.largest_block())
    world_.check().fail(
        fmt::format("8 memory: node {} keeps {} bytes of fetched blocks", index_, sync_->waiting_bytes()));
  const auto life = life_;
  for (auto& item : sync_->take_actions()) {
    if (life != life_) return;
    std::visit([this](auto& one) { this->run(one); }, item);
  }
}

void sim_node::sync_tick() {
  if (!world_.options().planted_shell.never_asks_again)
    sync_step([](auto& sync, auto now) { sync.tick(now); });
  const auto life = life_;
  snapshot_tick();
  if (life != life_) return;
  later(tick_every, [this] { sync_tick(); });
}

void sim_node::begin_sync() {
  sync::sync_options options;
  options.range_blocks = 8;
  options.window_blocks = 64;
  options.window_bytes = window_bytes;
  options.import_blocks = 4;
  options.answer_wait = std::chrono::milliseconds(500);
  options.snapshot_gap = app_->chain() == nullptr ? 0 : world_.options().snapshot_gap;
  options.snapshot_proof_wait =
      std::chrono::seconds(world_.options().planted_shell.waits_for_claims ? 86'400 : 2);
  options.snapshot_state_wait = std::chrono::seconds(5);
  options.no_snapshot_wait = std::chrono::seconds(1);
  sync_.emplace(options, head_num());
  begin_snapshots();
  sync_tick();
}

// Asking and answering

void sim_node::run(sync::action::ask_range& what) {
  note("asks for", "blocks", what.first, 0, {}, static_cast<std::int64_t>(what.neighbor % 1000));
  world_.transmit(index_, what.neighbor % 1000,
                  {.what = packet::kind::ask, .block_num = what.first, .count = what.count});
}

void sim_node::run(sync::action::penalize& what) {
  blame(what.neighbor, what.why);
}

void sim_node::answer(std::size_t from, const packet& question) {
  packet out{.what = packet::kind::blocks, .block_num = question.block_num};
  const auto count = std::min<std::uint64_t>(question.count, blocks_sent_max);
  std::size_t size = 0;
  for (auto wanted = question.block_num; wanted <= head_num() && wanted - question.block_num < count;
       ++wanted) {
    auto item = world_.archived(wanted);
    if (item == nullptr || (size += item->block.size()) > answer_bytes_max + item->block.size()) break;
    out.blocks.push_back(std::move(item));
  }
  if (world_.liars() != nullptr && world_.liars()->is_liar(index_)) {
    auto lies = world_.liars()->answer(index_, question.block_num, std::move(out.blocks));
    if (!lies) return;
    out.blocks = std::move(*lies);
  }
  world_.transmit(index_, from, std::move(out));
}

void sim_node::hear_of_head(neighbor_id neighbor, std::uint64_t block_num) {
  sync_step([&](auto& sync, auto now) { sync.on_claim(neighbor, block_num, now); });
}

void sim_node::hear_blocks(std::size_t from, const packet& what) {
  std::vector<sync::sealed_block> blocks;
  for (const auto& item : what.blocks)
    blocks.push_back(*item);
  sync_step([&](auto& sync, auto now) {
    sync.on_blocks(neighbor_id_of(from), what.block_num, std::move(blocks), now);
  });
}

void sim_node::sync_head_moved() {
  sync_step([this](auto& sync, auto now) { sync.on_head(head_num(), false, now); });
}

void sim_node::sync_neighbor_gone(neighbor_id neighbor) {
  sync_step([&](auto& sync, auto now) { sync.on_neighbor_gone(neighbor, now); });
}

void sim_node::sync_no_snapshot(neighbor_id neighbor) {
  sync_step([&](auto& sync, auto now) { sync.on_no_snapshot(neighbor, now); });
}

void sim_node::sync_pivot(std::optional<std::uint64_t> pivot, bool taken) {
  sync_step([&](auto& sync, auto now) {
    if (taken) sync.on_snapshot_taken(now);
    sync.on_pivot(pivot, now);
  });
}

void sim_node::run(request_sync& what) {
  hear_of_head(what.neighbor, what.block_num);
}

void sim_node::run(send_decided& what) {
  world_.transmit(index_, what.neighbor % 1000, {.what = packet::kind::head, .block_num = head_num()});
}

// Importing

void sim_node::run(sync::action::import_blocks& what) {
  fetch_ = fetch{std::move(what), {}, 0};
  for (std::size_t i = 0; i < fetch_->what.blocks.size(); ++i)
    fetch_->records.push_back(machine_->records_with_block(fetch_->what.first + i));
  fetch_step();
}

/// The next block of the range that consensus has not brought meanwhile.
void sim_node::fetch_step() {
  while (fetch_->next < fetch_->what.blocks.size() && fetch_->what.first + fetch_->next <= head_num())
    ++fetch_->next;
  if (fetch_->next == fetch_->what.blocks.size()) {
    fetch_.reset();
    return sync_step([this](auto& sync, auto now) { sync.on_head(head_num(), true, now); });
  }
  const auto block_num = fetch_->what.first + fetch_->next;
  auto taken = take_fetched(*fetch_->what.blocks[fetch_->next]);
  if (!taken) {
    note("refuses", "a block", block_num);
    fetch_.reset();
    return sync_step(
        [&](auto& sync, auto now) { sync.on_import_failed(block_num, true, std::move(taken).error(), now); });
  }
  taken->entries = std::move(fetch_->records[fetch_->next]);
  queue_write(std::move(*taken));
}

result<sim_node::write> sim_node::take_fetched(const sync::sealed_block& from) {
  SWARM_TRY(auto block, read_block(std::make_shared<const bytes>(from.block)));
  SWARM_TRY(auto seals, ledger::decode_seals(from.seals));
  SWARM_CHECK(is_final(block, seals));
  SWARM_CHECK(check_body(block));
  if (block.block_num != head_num() + 1 || !app_->validate(block))
    return fail(errc::invalid, "breaks a rule of the chain");
  note("imports", "", block.block_num, seals.round_num, block.hash);
  world_.check().on_decided(index_, block, seals);
  return write{.block = commit_block{std::move(block), std::move(seals), {}}, .fetched = true};
}

/// Checks that a quorum of the validators after its parent sealed the block.
result<> sim_node::is_final(const proposed_block& block, const ledger::seal_record& seals) {
  const auto& planted = world_.options().planted_shell;
  const auto set = planted.keeps_first_set ? first_set_ : app_->validators();
  const auto digest = ledger::seal_digest(world_.domain().chain_id, world_.domain().genesis_hash, block.hash,
                                          seals.round_num);
  const auto quorum = planted.takes_few_seals                          ? faults_tolerated(set.size()) + 1
                      : world_.options().planted.quorum_two_f_plus_one ? machine_->status().quorum
                                                                       : quorum_of(set.size());
  if (planted.counts_seals) {
    for (const auto& seal : seals.seals) {
      SWARM_TRY(const auto author, scheme_.recover(digest, seal.signature));
      if (!is_validator(set, author)) return fail(errc::invalid, "sealed by a stranger");
    }
    if (seals.seals.size() >= quorum) return {};
    return fail(errc::invalid, "too few seals");
  }
  SWARM_CHECK(ledger::check_seals(seals, digest, set, quorum, recovery()));
  return {};
}

} // namespace swarm::simulator
