#include "tests/simulator/sim_node.hpp"

#include "base/assert.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/fingerprint.hpp"
#include "tests/simulator/network.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr std::size_t replayed_events_max = 4000;
constexpr std::size_t gossip_work_max = 40;
constexpr std::size_t blocks_sent_max = 30;

std::chrono::microseconds micros(sim_time span) {
  return std::chrono::microseconds(span);
}

} // namespace

machine_options machine_options_of(const simulation_options& options) {
  machine_options out;
  out.domain = simulated_domain();
  out.round_timeout_base = micros(200 * millisecond);
  out.round_timeout_doublings_max = 4;
  out.resend_interval = micros(150 * millisecond);
  out.parking = {.heights_ahead_max = 10,
                 .peer_messages_max = 64,
                 .peer_bytes_max = 64 * 1024,
                 .total_bytes_max = 128 * 1024};
  out.planted = options.planted;
  return out;
}

sim_node::sim_node(world& in, std::size_t index, signature_scheme scheme, std::unique_ptr<application> app,
                   double clock_rate)
    : world_(in), index_(index), scheme_(std::move(scheme)), app_(std::move(app)), clock_rate_(clock_rate),
      lives_of_(in.plan().validators + in.plan().observers, 0) {}

// -- life and death
// --

void sim_node::start() {
  SWARM_ASSERT(!machine_);
  ++life_;
  note("starts", "", app_->head().block_num);
  machine_.emplace(machine_options_of(world_.options()), scheme_);
  history_ = {};
  world_.check().on_restart(index_);
  world_.check().on_height(index_, app_->head().block_num + 1, app_->validators());
  feed(consensus::start{app_->head(), app_->validators(), app_->read_records()});
  for (std::size_t other = 0; other < world_.node_count(); ++other)
    if (other != index_ && world_.node(other).is_up()) {
      world_.node(other).connected(index_);
      connected(other);
    }
}

void sim_node::crash() {
  if (!is_up()) return;
  note("crashes");
  replay();
  ++world_.counts().crashes;
  machine_.reset();
  ++life_;
  const auto written = static_cast<std::size_t>(world_.random().below(writes_.size() + 1));
  for (std::size_t i = 0; i < written; ++i)
    apply(writes_[i]);
  writes_.clear();
  importing_ = false;
  fetched_.clear();
  known_head_ = 0;
  app_->crash();
}

void sim_node::restore_old() {
  if (!app_->restore_old(world_.random()())) return;
  world_.check().set_faulty(index_);
  ++world_.counts().restores;
  note("is restored from an old copy", "", app_->head().block_num);
}

void sim_node::later(sim_time span, std::function<void()> what) {
  world_.after(span, [this, life = life_, what = std::move(what)] {
    if (life == life_ && is_up()) what();
  });
}

/// Runs this life again in a fresh machine: the same events must give the same actions, byte for byte.
void sim_node::replay() {
  if (history_.events.empty()) return;
  qbft_machine again(machine_options_of(world_.options()), scheme_);
  fingerprint print;
  for (auto& item : history_.events)
    print.add(again.step(item));
  if (print.value() != history_.fingerprint)
    world_.check().fail(fmt::format("7 determinism: node {} acted differently on the same events", index_));
  history_ = {};
}

// -- events
// --

void sim_node::feed(event what) {
  if (!is_up()) return;
  ++world_.counts().events;
  const bool recorded = history_.events.size() < replayed_events_max;
  if (recorded) history_.events.push_back(what);
  auto actions = machine_->step(std::move(what));
  if (recorded) {
    fingerprint print(history_.fingerprint);
    print.add(actions);
    history_.fingerprint = print.value();
  }
  world_.check().on_status(index_, machine_->status(), machine_options_of(world_.options()).parking);
  run(std::move(actions));
}

void sim_node::receive(std::size_t from, const packet& what) {
  if (!is_up()) return;
  switch (what.what) {
  case packet::kind::consensus:
    if (world_.liars() != nullptr) world_.liars()->overhear(index_, *what.raw);
    note_message("hears", *what.raw, static_cast<std::int64_t>(from));
    return feed(message{peer_id_of(from), what.raw});
  case packet::kind::work: {
    bool fresh = false;
    for (const auto id : what.work)
      fresh |= app_->add_work(id);
    if (fresh) feed(work_available{});
    return;
  }
  case packet::kind::head:
    if (what.block_num <= head_num()) return;
    if (what.block_num > known_head_) {
      known_head_ = what.block_num;
      known_head_from_ = from;
    }
    world_.transmit(index_, from, {packet::kind::want, {}, head_num() + 1, {}, {}});
    return;
  case packet::kind::want:
    for (auto wanted = what.block_num; wanted <= head_num() && wanted < what.block_num + blocks_sent_max;
         ++wanted)
      if (auto item = world_.archived(wanted))
        world_.transmit(index_, from, {packet::kind::block, {}, wanted, {}, std::move(item)});
    return;
  case packet::kind::block:
    return import(from, what.block);
  }
}

void sim_node::connected(std::size_t other) {
  if (!is_up()) return;
  const auto life = world_.node(other).life();
  if (std::exchange(lives_of_[other], life) != life) feed(peer_gone{other + 1000 * (life - 1)});
  feed(peer_connected{peer_id_of(other)});
}

void sim_node::offer(std::uint64_t id) {
  if (!is_up() || !app_->add_work(id)) return;
  for (std::size_t other = 0; other < world_.node_count(); ++other)
    if (other != index_) world_.transmit(index_, other, {packet::kind::work, {}, 0, {id}, {}});
  feed(work_available{});
}

void sim_node::gossip() {
  if (!is_up()) return;
  const auto work = app_->pending(gossip_work_max);
  for (std::size_t other = 0; other < world_.node_count(); ++other) {
    if (other == index_) continue;
    world_.transmit(index_, other, {packet::kind::head, {}, head_num(), {}, {}});
    if (!work.empty()) world_.transmit(index_, other, {packet::kind::work, {}, 0, work, {}});
  }
}

// -- actions
// --

void sim_node::run(std::vector<action> actions) {
  const auto life = life_;
  for (auto& item : actions) {
    if (world_.chance(world_.air().crash)) {
      const auto self = index_;
      crash();
      world_.after(world_.between(50 * millisecond, 3 * second), [this, self] {
        if (!is_up()) world_.node(self).start();
      });
    }
    if (life != life_) return;
    std::visit([this](auto& one) { run(one); }, item);
  }
}

void sim_node::run(persist& what) {
  note("writes", "votes");
  queue_write({what.token, std::move(what.entries), nullptr});
}

void sim_node::send_raw(std::size_t to, shared_bytes raw) {
  world_.transmit(index_, to, {packet::kind::consensus, std::move(raw), 0, {}, {}});
}

void sim_node::run(broadcast& what) {
  note_message("says", *what.raw, -1);
  world_.check().on_said(index_, *what.raw);
  for (const auto& who : app_->validators()) {
    const auto to = world_.node_of(who);
    if (!to || *to == index_) continue;
    if (world_.liars() == nullptr || world_.liars()->lets_pass(index_, *to, *what.raw))
      send_raw(*to, what.raw);
  }
}

void sim_node::run(send_to& what) {
  world_.check().on_said(index_, *what.raw);
  send_raw(what.peer % 1000, what.raw);
}

void sim_node::run(set_timer& what) {
  const auto kind = static_cast<std::size_t>(what.timer.kind);
  const auto turn = ++timer_turn_[kind];
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(what.after).count();
  later(
      static_cast<sim_time>(static_cast<double>(span) * clock_rate_), [this, kind, turn, timer = what.timer] {
        if (timer_turn_[kind] != turn) return;
        note("timer", timer.kind == timer_kind::round ? "round" : "resend", timer.block_num, timer.round_num);
        feed(timer_fired{timer});
      });
}

void sim_node::run(cancel_timer& what) {
  ++timer_turn_[static_cast<std::size_t>(what.kind)];
}

void sim_node::run(build_block& what) {
  later(world_.between(0, 2 * millisecond), [this, what] {
    if (head_num() + 1 != what.block_num) return;
    auto block = app_->build(world_.now());
    note("builds", "", what.block_num, what.round_num, block ? block->hash : hash32{});
    feed(block_built{what.block_num, what.round_num, std::move(block)});
  });
}

void sim_node::run(validate_block& what) {
  later(world_.between(0, 2 * millisecond), [this, block = what.block] {
    if (head_num() + 1 != block.block_num) return;
    feed(block_validated{block.block_num, block.hash, app_->validate(block)});
  });
}

void sim_node::run(commit_block& what) {
  note("decides", "", what.block.block_num, what.seals.round_num, what.block.hash);
  world_.check().on_decided(index_, what.block, what.seals);
  if (!world_.check().is_faulty(index_) && !app_->validate(what.block))
    world_.check().fail(
        fmt::format("2 validity: node {} decided an invalid block {}", index_, what.block.block_num));
  queue_write(
      {0, std::move(what.entries),
       std::make_shared<const decided_block>(decided_block{std::move(what.block), std::move(what.seals)})});
}

void sim_node::run(request_sync& what) {
  world_.transmit(index_, what.peer % 1000, {packet::kind::want, {}, head_num() + 1, {}, {}});
}

void sim_node::run(send_decided& what) {
  if (auto item = world_.archived(what.block_num))
    world_.transmit(index_, what.peer % 1000, {packet::kind::block, {}, what.block_num, {}, std::move(item)});
}

void sim_node::run(evidence& what) {
  ++world_.counts().evidence;
  const auto who = world_.node_of(what.author);
  if (!who || !world_.check().is_faulty(*who))
    world_.check().fail(fmt::format("evidence against an honest node, {}", who.value_or(999)));
}

void sim_node::run(penalize& what) {
  const auto who = what.peer % 1000;
  if (!world_.check().is_faulty(who) && !world_.check().watches_forks_only())
    world_.check().fail(
        fmt::format("node {} penalizes node {}, which is honest: {}", index_, who, what.why.message));
}

void sim_node::run(report&) {
  note("reports");
}

// -- disk
// --

void sim_node::queue_write(write what) {
  writes_.push_back(std::move(what));
  if (writes_.size() == 1) begin_write();
}

void sim_node::begin_write() {
  const auto slow = world_.chance(world_.air().slow_disk);
  later(slow ? world_.between(20 * millisecond, 300 * millisecond) : world_.between(200, 3 * millisecond),
        [this] { finish_write(); });
}

void sim_node::finish_write() {
  const auto done = std::move(writes_.front());
  writes_.pop_front();
  const auto head_before = head_num();
  apply(done);
  if (!writes_.empty()) begin_write();
  if (done.token != 0) return feed(persisted{done.token});
  const bool imported = std::exchange(importing_, false);
  if (head_num() != head_before) head_moved();
  if (imported) import_next();
}

/// What the batch holds is durable, all of it.
void sim_node::apply(const write& what) {
  if (what.block) {
    if (what.block->block.block_num != head_num() + 1) return;
    app_->commit(what.block->block, what.block->seals, what.entries);
    world_.archive(what.block->block, what.block->seals);
  } else {
    app_->write_records(what.entries);
  }
  if (world_.chance(0.02)) app_->remember();
}

void sim_node::head_moved() {
  const auto head = app_->head();
  note("has on disk", "", head.block_num, 0, head.hash);
  world_.check().on_height(index_, head.block_num + 1, app_->validators());
  const auto life = life_;
  feed(head_changed{head, app_->validators()});
  if (life == life_ && app_->has_work()) feed(work_available{});
}

// -- synchronisation
// --

void sim_node::import(std::size_t from, std::shared_ptr<const decided_block> item) {
  const auto number = item->block.block_num;
  if (number <= head_num() || number > head_num() + 2 * blocks_sent_max) return;
  fetched_.emplace(number, std::move(item));
  if (number > known_head_) known_head_ = number, known_head_from_ = from;
  import_next();
}

/// Imports what has come, in order; asks for more when that is used up.
void sim_node::import_next() {
  fetched_.erase(fetched_.begin(), fetched_.upper_bound(head_num()));
  if (importing_ || !is_up()) return;
  if (fetched_.empty() && known_head_ > head_num())
    world_.transmit(index_, known_head_from_, {packet::kind::want, {}, head_num() + 1, {}, {}});
  if (fetched_.empty() || fetched_.begin()->first != head_num() + 1) return;
  auto item = fetched_.begin()->second;
  fetched_.erase(fetched_.begin());
  if (std::any_of(writes_.begin(), writes_.end(), [](const auto& one) { return one.block != nullptr; }))
    return;
  if (!is_final(*item) || !app_->validate(item->block)) return;
  note("imports", "", item->block.block_num, item->seals.round_num, item->block.hash);
  world_.check().on_decided(index_, item->block, item->seals);
  importing_ = true;
  auto entries = machine_->records_with_block(item->block.block_num);
  queue_write({0, std::move(entries), std::move(item)});
}

bool sim_node::is_final(const decided_block& item) {
  const auto set = app_->validators();
  const auto digest = ledger::seal_digest(simulated_domain().chain_id, simulated_domain().genesis_hash,
                                          item.block.hash, item.seals.round_num);
  std::set<address> authors;
  for (const auto& seal : item.seals.seals) {
    const auto author = scheme_.recover(digest, seal.signature);
    if (!author || !is_validator(set, *author)) return false;
    authors.insert(*author);
  }
  return authors.size() >= machine_->status().quorum;
}

// -- trace
// --

void sim_node::note(const char* what, const char* detail, std::uint64_t block_num, std::uint64_t round_num,
                    const hash32& digest, std::int64_t other) {
  const auto front = static_cast<std::uint32_t>(get_be64(digest.data()) >> 32);
  world_.log().add({world_.now(), index_, what, detail, block_num, round_num, front, other});
}

void sim_node::note_message(const char* what, bytes_view raw, std::int64_t other) {
  const auto head = read_head(raw);
  if (!head) return note(what, "junk", 0, 0, {}, other);
  note(what, to_string(head->code).data(), head->block_num, head->round_num, {}, other);
}

} // namespace swarm::simulator
