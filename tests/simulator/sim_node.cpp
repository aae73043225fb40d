#include "tests/simulator/sim_node.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/consensus/reentry.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/fingerprint.hpp"
#include "tests/simulator/network.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr std::size_t replayed_events_max = 4000;
constexpr std::size_t gossip_work_max = 40;

/// The limits are small, so that floods reach them.
constexpr park_limits parking{.heights_ahead_max = 10,
                              .neighbor_messages_max = 64,
                              .neighbor_bytes_max = 64 * 1024,
                              .total_bytes_max = 128 * 1024};

std::chrono::microseconds micros(sim_time span) {
  return std::chrono::microseconds(span);
}

} // namespace

machine_options machine_options_of(const world& in) {
  const auto& options = in.options();
  machine_options out;
  out.domain = in.domain();
  out.round_timeout_base = micros(200 * millisecond);
  out.round_timeout_doublings_max = 4;
  out.resend_interval = micros(150 * millisecond);
  out.reentry_listening = micros(2 * second);
  out.parking = parking;
  if (options.planted_shell.parks_everything) {
    out.parking.neighbor_messages_max = out.parking.neighbor_bytes_max = std::size_t{1} << 40;
    out.parking.total_bytes_max = std::size_t{1} << 40;
  }
  if (options.planted_shell.doubles_for_ever) out.round_timeout_doublings_max = 30;
  out.planted = options.planted;
  return out;
}

sim_node::sim_node(world& in, std::size_t index, signature_scheme scheme, std::unique_ptr<application> app,
                   node_clock clock)
    : world_(in), index_(index), scheme_(std::move(scheme)), app_(std::move(app)), clock_(clock),
      first_set_(app_->validators()), lives_of_(in.plan().validators + in.plan().observers, 0) {
  const auto& forgetful = in.plan().forgetful;
  may_forget_ = std::find(forgetful.begin(), forgetful.end(), index) != forgetful.end();
}

// Life and death

void sim_node::start() {
  SWARM_ASSERT(!machine_);
  ++life_;
  note("starts", "", app_->head().block_num);
  const auto next = app_->head().block_num + 1;
  if (world_.options().planted_shell.forgets_votes) {
    app_->forget_records();
    const auto& domain = world_.domain();
    app_->write_records({{record_key::place, encode_place({scheme_.account, domain.genesis_hash, next, 0})}});
  }
  machine_.emplace(machine_options_of(world_), scheme_);
  history_ = {};
  world_.check().on_restart(index_);
  world_.check().on_height(index_, next, app_->validators());
  const auto life = life_;
  begin_sync();
  feed(consensus::start{app_->head(), app_->validators(), app_->read_records()});
  if (life != life_) return;
  for (std::size_t other = 0; other < world_.node_count(); ++other)
    if (other != index_ && world_.node(other).is_up()) {
      world_.node(other).connected(index_);
      connected(other);
    }
}

void sim_node::crash(unsynced fate) {
  if (!is_up()) return;
  note("crashes");
  replay();
  ++world_.counts().crashes;
  machine_.reset();
  sync_.reset();
  fetch_.reset();
  snapshot_.reset();
  ++life_;
  lose_unsynced(fate);
  app_->crash();
}

void sim_node::restore_old() {
  if (!app_->restore_old(world_.random()())) return;
  world_.check().set_faulty(index_);
  ++world_.counts().restores;
  note("is restored from an old copy", "", app_->head().block_num);
}

result<> sim_node::reenter(std::uint64_t block_num, std::optional<std::uint64_t> round_num) {
  SWARM_ASSERT(!is_up());
  const auto head = app_->head();
  SWARM_TRY(const auto records,
            records_of_reentry({world_.domain(), head.block_num, head.hash, app_->read_records()}, scheme_,
                               block_num, round_num));
  app_->write_records(records);
  world_.check().on_reentry(index_, block_num);
  note("re-enters", "", block_num);
  return {};
}

/// Finds authors. The planted mistake: by the signature alone, once it was verified over anything.
ledger::author_recovery sim_node::recovery() {
  if (!world_.options().planted_shell.recalls_signatures) return scheme_.recover;
  return [this](const hash32& digest, const signature65& signature) -> result<address> {
    const auto key = keccak256(signature.view());
    if (const auto known = recalled_.find(key); known != recalled_.end()) return known->second;
    auto author = scheme_.recover(digest, signature);
    if (author) recalled_.emplace(key, *author);
    return author;
  };
}

void sim_node::later(sim_time span, std::function<void()> what) {
  world_.after(span, [this, life = life_, what = std::move(what)] {
    if (life == life_ && is_up()) what();
  });
}

/// Runs this life again in a fresh machine: the same events must give the same actions, byte for byte.
void sim_node::replay() {
  if (history_.events.empty()) return;
  qbft_machine again(machine_options_of(world_), scheme_);
  fingerprint print;
  for (auto& item : history_.events)
    print.add(again.step(item));
  if (print.value() != history_.fingerprint)
    world_.check().fail(fmt::format("7 determinism: node {} acted differently on the same events", index_));
  history_ = {};
}

// Events

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
  world_.check().on_status(index_, machine_->status(), parking);
  run(std::move(actions));
}

void sim_node::receive(std::size_t from, const packet& what) {
  if (!is_up()) return;
  switch (what.what) {
  case packet::kind::consensus:
    if (world_.liars() != nullptr) world_.liars()->overhear(index_, *what.raw);
    note_message("hears", *what.raw, static_cast<std::int64_t>(from));
    return feed(message{neighbor_id_of(from), what.raw});
  case packet::kind::work: {
    bool fresh = false;
    for (const auto id : what.work)
      fresh |= app_->add_work(id);
    if (fresh) feed(work_available{});
    return;
  }
  case packet::kind::head:
    return hear_of_head(neighbor_id_of(from), what.block_num);
  case packet::kind::ask:
    return answer(from, what);
  case packet::kind::blocks:
    return hear_blocks(from, what);
  case packet::kind::ask_part:
    return answer_part(from, what);
  case packet::kind::part:
    return hear_part(from, what);
  }
}

void sim_node::connected(std::size_t other) {
  if (!is_up()) return;
  const auto life = world_.node(other).life();
  const auto before = neighbor_id_of(other);
  if (std::exchange(lives_of_[other], life) != life) {
    feed(neighbor_gone{before});
    sync_neighbor_gone(before);
  }
  feed(neighbor_connected{neighbor_id_of(other)});
}

void sim_node::offer(std::uint64_t id) {
  if (!is_up() || !app_->add_work(id)) return;
  for (std::size_t other = 0; other < world_.node_count(); ++other)
    if (other != index_) world_.transmit(index_, other, {.what = packet::kind::work, .work = {id}});
  feed(work_available{});
}

void sim_node::gossip() {
  if (!is_up()) return;
  const auto work = app_->pending(gossip_work_max);
  for (std::size_t other = 0; other < world_.node_count(); ++other) {
    if (other == index_) continue;
    world_.transmit(index_, other, {.what = packet::kind::head, .block_num = head_num()});
    if (!work.empty()) world_.transmit(index_, other, {.what = packet::kind::work, .work = work});
  }
}

// Actions

void sim_node::run(std::vector<action> actions) {
  const auto life = life_;
  for (auto& item : actions) {
    if (world_.chance(world_.air().crash)) {
      crash();
      world_.after(world_.between(50 * millisecond, 3 * second), [this] {
        if (!is_up()) start();
      });
    }
    if (planned_crash_ && planned_crash_->first == actions_) crash(std::exchange(planned_crash_, {})->second);
    if (life != life_) return;
    ++actions_;
    std::visit([this](auto& one) { run(one); }, item);
  }
}

void sim_node::run(persist& what) {
  note("writes", "votes");
  if (status().decided && !world_.check().watches_forks_only())
    world_.check().fail(fmt::format("1 one step: node {} has decided and votes on", index_));
  queue_write({.token = what.token, .block_num = what.block_num, .entries = std::move(what.entries)});
}

void sim_node::send_raw(std::size_t to, shared_bytes raw) {
  world_.transmit(index_, to, {.what = packet::kind::consensus, .raw = std::move(raw)});
}

void sim_node::say(std::size_t to, const shared_bytes& raw) {
  if (world_.liars() == nullptr || !world_.liars()->is_liar(index_)
      || world_.liars()->lets_pass(index_, to, *raw))
    send_raw(to, raw);
}

void sim_node::run(broadcast& what) {
  if (world_.options().planted_shell.renames_prepared) what.raw = renamed(what.raw);
  note_message("says", *what.raw, -1);
  world_.check().on_said(index_, *what.raw);
  for (const auto& who : app_->validators()) {
    const auto to = world_.node_of(who);
    if (to && *to != index_) say(*to, what.raw);
  }
}

void sim_node::run(send_to& what) {
  if (world_.options().planted_shell.renames_prepared) what.raw = renamed(what.raw);
  world_.check().on_said(index_, *what.raw);
  say(what.neighbor % 1000, what.raw);
}

/// The planted mistake: a proposal of a later round that names its proposer as the block's maker.
shared_bytes sim_node::renamed(const shared_bytes& raw) {
  auto item = decode_proposal(*raw);
  if (!item || item->prepares.empty()) return raw;
  auto block = app_->build(0, 0); // at any time the same
  if (!block) return raw;
  return std::make_shared<const bytes>(
      encode(forger(scheme_, world_.domain(), false)
                 .proposal(item->round_num, *block, item->round_changes, item->prepares)));
}

void sim_node::run(set_timer& what) {
  const auto kind = static_cast<std::size_t>(what.timer.kind);
  const auto turn = ++timer_turn_[kind];
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(what.after).count();
  later(
      static_cast<sim_time>(static_cast<double>(span) * clock_.rate), [this, kind, turn, timer = what.timer] {
        if (timer_turn_[kind] != turn || timers_held_) return;
        if (timer.kind == timer_kind::resend && world_.options().planted_shell.never_repeats) return;
        note("timer", timer.kind == timer_kind::round ? "round" : "other", timer.block_num, timer.round_num);
        feed(timer_fired{timer});
      });
}

void sim_node::expire_round() {
  const auto now = status();
  note("timer", "round", now.block_num, now.round_num);
  feed(timer_fired{{timer_kind::round, now.block_num, now.round_num}});
}

void sim_node::run(cancel_timer& what) {
  ++timer_turn_[static_cast<std::size_t>(what.kind)];
}

void sim_node::run(build_block& what) {
  later(world_.between(0, 2 * millisecond), [this, what] {
    if (head_num() + 1 != what.block_num) return;
    auto block = app_->build(world_.now() + clock_.skew, what.round_num);
    note("builds", "", what.block_num, what.round_num, block ? block->hash : hash32{});
    feed(block_built{what.block_num, what.round_num, std::move(block)});
  });
}

void sim_node::run(validate_block& what) {
  later(world_.between(0, 2 * millisecond), [this, block = what.block] {
    if (head_num() + 1 != block.block_num) return;
    const bool early =
        !world_.options().planted_shell.takes_any_time && app_->is_early(block, world_.now() + clock_.skew);
    feed(block_validated{block.block_num, block.hash, accepts(block), early});
  });
}

bool sim_node::accepts(const proposed_block& block) {
  const auto locked = status().prepared;
  if (world_.options().planted_shell.stays_locked && locked && locked->digest != block.hash) return false;
  return app_->validate(block);
}

void sim_node::run(commit_block& what) {
  note("decides", "", what.block.block_num, what.seals.round_num, what.block.hash);
  world_.check().on_decided(index_, what.block, what.seals);
  world_.check().on_own_decision(index_, what.seals.round_num);
  if (!world_.check().is_faulty(index_) && !app_->validate(what.block))
    world_.check().fail(
        fmt::format("2 validity: node {} decided an invalid block {}", index_, what.block.block_num));
  if (!world_.check().is_faulty(index_) && app_->is_early(what.block, world_.now() + world_.plan().skew_max))
    world_.check().fail(
        fmt::format("11 time: block {} is dated ahead of every honest clock", what.block.block_num));
  auto entries = std::move(what.entries);
  queue_write({.entries = std::move(entries), .block = std::move(what)});
}

void sim_node::run(evidence& what) {
  ++world_.counts().evidence;
  const auto proved = ledger::check_double_vote(what.proof, world_.domain().chain_id,
                                                world_.domain().genesis_hash, scheme_.recover);
  if (!proved || *proved != what.author) world_.check().fail("evidence that proves nothing");
  const auto who = world_.node_of(what.author);
  if (!who || !world_.check().is_faulty(*who))
    world_.check().fail(fmt::format("evidence against an honest node, {}", who.value_or(999)));
  world_.tell_evidence(index_, what);
}

void sim_node::run(reentry_seen& what) {
  note("sees a re-entry", "", what.block_num);
}

void sim_node::run(penalize& what) {
  blame(what.neighbor, what.why);
}

void sim_node::blame(neighbor_id neighbor, const error& why) {
  const auto who = neighbor % 1000;
  ++world_.counts().blamed;
  note("penalizes", "", 0, 0, {}, static_cast<std::int64_t>(who));
  if (!world_.check().is_faulty(who) && !world_.check().watches_forks_only())
    world_.check().fail(
        fmt::format("node {} penalizes node {}, which is honest: {}", index_, who, why.message));
}

void sim_node::run(report&) {
  note("reports");
}

// Trace

void sim_node::note(const char* what, std::string_view detail, std::uint64_t block_num,
                    std::uint64_t round_num, const hash32& digest, std::int64_t other) {
  const auto front = static_cast<std::uint32_t>(get_be64(digest.data()) >> 32);
  world_.log().add({world_.now(), index_, what, detail, block_num, round_num, front, other});
}

void sim_node::note_message(const char* what, bytes_view raw, std::int64_t other) {
  const auto head = read_head(raw);
  if (!head) return note(what, "junk", 0, 0, {}, other);
  note(what, to_string(head->code), head->block_num, head->round_num, {}, other);
}

} // namespace swarm::simulator
