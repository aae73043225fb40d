#include "actors/sl/rounds/testing/simulation.hpp"

#include "actors/sl/rounds/testing/simulation_parts.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <algorithm>

namespace swarm::rounds::testing {

using namespace std::chrono_literals;

namespace {

constexpr auto tick_interval = 200ms;
constexpr auto silent_after = 6s;
constexpr auto look_for_hopeless = 50s;
/// More simulated time than any training needs once the faults have stopped.
constexpr auto patience = 1500s;

std::vector<ledger::founder> founders_of(const scenario& what) {
  std::vector<std::vector<std::uint16_t>> accounts(what.organisations);
  for (std::uint32_t i = 0; what.organisations > 0 && i < what.nodes; ++i)
    accounts[i % what.organisations].push_back(static_cast<std::uint16_t>(i));
  return contracts::test_founders(accounts);
}

} // namespace

simulation::simulation(std::uint64_t seed, const scenario& what)
    : random_(seed), scenario_(what), quiet_(time_point{} + what.quiet_at),
      world_(contracts::make_contracts(), {}, founders_of(what)),
      training_(contracts::training_address(contracts::default_training_name)) {
  contracts::register_node(world_, operator_account, contracts::node_type::sn);
  note(nullptr, scenario_.describe());
  while (nodes_.size() < what.nodes) {
    const auto i = static_cast<std::uint16_t>(nodes_.size());
    nodes_.push_back(std::make_unique<node>());
    auto& n = *nodes_.back();
    n.number = i;
    n.account = contracts::test_account(i);
    by_account_[n.account] = &n;
    n.name = fmt::format("sl-{}", i);
    n.reliable = i < what.reliable;
    contracts::register_node(world_, n.account, contracts::node_type::sl, n.name);
    at(now_ + between(0, i == 0 ? 100 : 15000), [this, &n] { boot(n); });
  }
  for (std::uint32_t i = 0; i < what.accidents; ++i)
    plan_accident();
  at(quiet_ + 1ms, [] {}); // not over before all accidents have happened
  after(look_for_hopeless, [this] { help_hopeless_round(); });
}

simulation::~simulation() = default;

std::string simulation::run() {
  while (broken_.empty() && !odd_one_first_ && !all_done()) {
    if (queue_.empty()) return "nothing happens any more: " + who_is_left();
    if (queue_.begin()->first > quiet_ + patience)
      return fmt::format("not everybody is served {} s after the last fault: {}",
                         std::chrono::seconds(patience).count(), who_is_left());
    auto next = queue_.extract(queue_.begin());
    now_ = next.key();
    next.mapped()();
  }
  return broken_;
}

// Time and chance

void simulation::at(time_point when, thunk what) {
  queue_.emplace(when, std::move(what));
}

void simulation::in_life(node& of, duration pause, thunk what) {
  after(pause, [&of, life = of.life, what = std::move(what)] {
    if (of.life == life && of.is_up()) what();
  });
}

duration simulation::between(std::int64_t from_ms, std::int64_t to_ms) {
  return std::chrono::milliseconds(
      from_ms + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(to_ms - from_ms + 1))));
}

duration simulation::message_delay() {
  if (fault(scenario_.slow_message)) return between(500, 5000);
  return between(1, std::chrono::duration_cast<std::chrono::milliseconds>(scenario_.delay_max).count());
}

void simulation::note(const node* of, std::string text) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
  trace_.push_back(fmt::format("{:8}.{:03} {:5} {}", ms / 1000, ms % 1000, of != nullptr ? of->name : "",
                               std::move(text)));
}

void simulation::broken(std::string what) {
  note(nullptr, "BROKEN: " + what);
  if (broken_.empty()) broken_ = std::move(what);
}

// Processes

void simulation::boot(node& n) {
  if (n.is_up() || n.ended) return;
  ++n.life;
  n.reading = n.read_again = false;
  n.shards.clear();
  n.job.reset();
  n.stopping = false;
  machine_options options;
  options.self = n.account;
  options.secret = n.secret();
  options.grace = scenario_.grace;
  options.leader_stall = 5s;
  const bool diverges = scenario_.one_diverges && n.number + 1u == nodes_.size();
  options.can_lead = n.number % 5 != 4 || diverges;
  options.merge_lost = 12s;
  n.machine.emplace(options);
  note(&n, "starts");
  if (n.engaged) n.machine->step(event::former_session{std::string(contracts::default_training_name)}, now_);
  tick(n);
  // Not every restarted process gets a program again.
  if (n.reliable || n.prog.serial == 0 || chance(700))
    in_life(n, between(100, 3000), [this, &n] { start_program(n); });
}

void simulation::kill(node& n, std::string_view how) {
  if (!n.is_up()) return;
  note(&n, fmt::format("process ends: {}", how));
  n.machine.reset();
  ++n.life;
  n.down_since = now_;
  n.job.reset();
  if (n.prog.now != program::doing::over) n.prog.now = program::doing::over;
}

/// Stops a node as on SIGTERM: the channel ends first, then the machine says when it is ready, or time is up.
void simulation::terminate(node& n) {
  if (!n.is_up() || n.stopping) return;
  note(&n, "is told to stop");
  n.stopping = true;
  n.prog.now = program::doing::over;
  n.machine->step(event::shutdown{}, now_);
  in_life(n, 3s, [this, &n] {
    kill(n, "told to stop, without having left in time");
    n.ended = true;
  });
  drain(n);
}

void simulation::tick(node& n) {
  n.machine->step(event::tick{}, now_);
  drain(n);
  in_life(n, tick_interval, [this, &n] { tick(n); });
}

struct simulation::perform {
  simulation& sim;
  node& n;

  void operator()(const action::call& a) const { sim.submit(n, a); }
  void operator()(const action::make_durable& a) const {
    if (!sim.has(mistake::forgets_to_sync)) n.durable.insert(a.digest);
    n.machine->step(event::model_durable{a.digest, {}}, sim.now_);
  }
  void operator()(const action::note_session& a) const { n.engaged = a.contract.has_value(); }
  void operator()(const action::refresh&) const { sim.read_contract(n); }
  void operator()(const action::answer_open&) const { sim.take_answer_open(n); }
  void operator()(action::ask_loss a) const {
    if (sim.has(mistake::loads_another)) a.digest = *n.store.begin();
    sim.take_ask_loss(n, a);
  }
  void operator()(const action::answer_sync& a) const { sim.take_answer_sync(n, a); }
  void operator()(const action::answer_close&) const { sim.take_answer_close(n); }
  void operator()(const action::refuse& a) const { sim.end_program(n, "refused: " + a.text, false); }
  void operator()(const action::refuse_layout&) const {
    sim.end_program(n, "refused: other parameters than its peers", false);
  }
  void operator()(const action::fetch& a) const {
    sim.note(&n, fmt::format("fetches {}", to_hex(a.digest.view()).substr(0, 10)));
    const auto done = [self = *this, digest = a.digest](result<hash32> got) {
      if (!got) self.sim.note(&self.n, "fetch failed");
      self.n.machine->step(event::model_fetched{digest, std::move(got)}, self.sim.now_);
      self.sim.drain(self.n);
    };
    a.shards.empty() ? sim.fetch(n, a.digest, a.holders, 0, done) : sim.fetch_sharded(n, a, done);
  }
  void operator()(const action::start_merge& a) const { sim.start_merge(n, a); }
  void operator()(const action::cancel_merge&) const { n.job.reset(); }
  void operator()(const action::start_check& a) const { sim.start_check(n, a.task); }
  void operator()(const action::cancel_check&) const { ++n.checks; }
  void operator()(const action::probe_leader& a) const { sim.probe_leader(n, a); }
  void operator()(const action::keep_models& a) const {
    const bool all = sim.has(mistake::keeps_nothing);
    std::erase_if(n.store, [&](const hash32& digest) { return all || !a.digests.contains(digest); });
  }
  void operator()(const action::session_ended& a) const { sim.session_ended(n, a); }
  void operator()(const action::note& a) const { sim.note(&n, "says: " + a.text); }
};

void simulation::drain(node& n) {
  const auto life = n.life;
  while (n.life == life && n.is_up()) {
    const auto actions = n.machine->take_actions();
    if (actions.empty()) break;
    for (const auto& one : actions)
      if (n.life == life && n.is_up()) std::visit(perform{*this, n}, one);
  }
  if (n.life != life || !n.is_up()) return;
  if (!n.stopping || !n.machine->may_stop()) return;
  kill(n, "told to stop, has left");
  n.ended = true;
}

// The SN

/// Transactions of a node are executed in the order in which it sent them, as their nonces demand.
void simulation::submit(node& n, const action::call& call) {
  note(&n, fmt::format("calls #{}: {}", call.id, call.what));
  const bool is_held =
      n.number + 1u == nodes_.size() && call.what.starts_with("reveal") && fault(scenario_.withholds);
  if (is_held || never_arrives(n, call.what) || fault(scenario_.lost_call)) {
    in_life(n, message_delay(), [this, &n, id = call.id] {
      note(&n, fmt::format("call #{} is lost", id));
      n.machine->step(event::call_done{id, false, 0, "the SN cannot be reached"}, now_);
      drain(n);
    });
    return;
  }
  n.wire_free = std::max(n.wire_free + 1us, now_ + message_delay());
  at(sn_up(n.wire_free),
     [this, &n, life = n.life, call] { execute(n, life, call.id, call.input, call.what); });
}

void simulation::execute(node& n, std::uint64_t life, std::uint64_t id, const bytes& input,
                         const std::string& what) {
  if (now_ < sn_down_until_)
    return at(sn_down_until_, [this, &n, life, id, input, what] { execute(n, life, id, input, what); });
  if (n.life != life && chance(500)) return note(&n, fmt::format("call #{} dies with its process", id));
  const auto before = world_.block_num();
  const auto seconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count());
  world_.skip_seconds(seconds - std::exchange(clock_, seconds));
  const auto done = world_.send(n.account, training_, input);
  cached_view_.reset();
  const auto text = done.ok ? std::string{} : contracts::revert_text(done.output);
  note(&n, fmt::format("#{} {} in block {}{}", id, done.ok ? "done" : "refused", before + 1,
                       done.ok ? "" : ": " + text));
  for (const auto& entry : done.events) {
    const auto event = contracts::decode_training_event(entry.topics, entry.data).value();
    if (auto wrong = check_event(event); !wrong.empty()) broken(wrong);
    watch_pace(event);
    if (n.life == life && n.may_lose(event))
      broken(fmt::format("#{} names a model that a power cut would take", id));
    if (std::holds_alternative<contracts::merge_accepted>(event)) last_move_ = now_;
    if (const auto* merge = std::get_if<contracts::merge_accepted>(&event))
      note(nullptr, fmt::format("round {} is merged: {} checkers", merge->round_num, merge->checkers.size()));
    if (const auto* shard = std::get_if<contracts::shard_committed>(&event)) shards_[shard->shard] = *shard;
    if (const auto* merge = std::get_if<contracts::merge_committed>(&event))
      note(nullptr, fmt::format("of round {} is proposed: {}, {} contributors, {} excluded", merge->round_num,
                                to_hex(merge->digest.view()).substr(0, 10), merge->contributors.size(),
                                merge->excluded.size()));
    if (const auto* closed = std::get_if<contracts::round_closed>(&event))
      note(nullptr, fmt::format("round {} is closed with {} peers, leader sl-{}", closed->round_num,
                                closed->participants, closed->leader[19]));
    if (const auto* closed = std::get_if<contracts::round_closed>(&event)) check_enough(*closed);
    if (std::holds_alternative<contracts::withheld>(event)) {
      note(nullptr, "a model is withheld");
      ++withheld_;
    }
    if (const auto* left = std::get_if<contracts::peer_left>(&event))
      refusals_told_ += left->reason == contracts::leave_reason::other_min_peers ? 1 : 0;
    if (std::holds_alternative<contracts::training_complete>(event)) note(nullptr, "training complete");
  }
  if (++calls_executed_ % (1 + scenario_.nodes / 64) == 0)
    if (const auto wrong = broken_invariant(); !wrong.empty()) broken(wrong);
  if (done.ok && !done.events.empty()) contract_moved();
  if (n.life != life) return;
  after(message_delay(), [this, &n, life, id, ok = done.ok, block = world_.block_num(), text] {
    if (n.life != life) return;
    n.machine->step(event::call_done{id, ok, block, text}, now_);
    drain(n);
  });
}

std::string simulation::broken_invariant() {
  const auto now = view_now();
  return contracts::training_probe(world_, training_)
      .broken_invariant({now->head, now->check_ins, now->peers, now->proposal, now->checks, now->shards});
}

/// Below minPeers a round goes on only when nobody trains any more.
void simulation::check_enough(const contracts::round_closed& closed) {
  const auto view = view_now();
  const auto& head = view->head;
  const auto participants = has(mistake::closes_below) ? head.min_peers - 1 : closed.participants;
  if (head.round_num != closed.round_num || participants >= head.min_peers) return;
  for (const auto& in : view->check_ins)
    if (peer_of(*view, in)->state == contracts::peer_state::active)
      broken(fmt::format("round {} is closed with {} peers, below minPeers {}", closed.round_num,
                         closed.participants, head.min_peers));
}

void simulation::contract_moved() {
  for (auto& n : nodes_)
    if (n->is_up() && !fault(scenario_.lost_event))
      in_life(*n, message_delay(), [this, &n] { read_contract(*n); });
}

std::set<address> simulation::silent_nodes() const {
  std::set<address> out;
  for (const auto& n : nodes_)
    if (!n->is_up() && now_ - n->down_since >= silent_after) out.insert(n->account);
  return out;
}

std::shared_ptr<const contract_view> simulation::view_now() {
  auto silent = silent_nodes();
  if (cached_view_ && cached_view_->silent == silent) return cached_view_;
  contract_view fresh;
  if (cached_view_) {
    fresh = *cached_view_;
  } else {
    auto now = contracts::training_probe(world_, training_).reading();
    fresh = {world_.block_num(),
             std::move(now.head),
             std::move(now.check_ins),
             std::move(now.peers),
             {},
             std::move(now.proposal),
             std::move(now.checks),
             std::move(now.shards),
             contracts::training_probe(world_, training_).measures(),
             {}};
    fresh.index();
    for (auto& peer : fresh.peers)
      if (has(mistake::cuts_off_slow) && check_in_of(fresh, peer) == nullptr) peer.took = contracts::took_max;
  }
  fresh.silent = std::move(silent);
  return cached_view_ = std::make_shared<const contract_view>(std::move(fresh));
}

/// A large swarm has many calls in a block.
std::shared_ptr<const contract_view> simulation::view_to_read() {
  if (!last_read_ || now_ - read_at_ >= scenario_.block_interval) {
    last_read_ = view_now();
    read_at_ = now_;
    if (scenario_.behind) { // as its owner would have said, of whom this training has none
      auto told = *last_read_;
      told.head.verify = contracts::verify_mode::behind;
      last_read_ = std::make_shared<const contract_view>(std::move(told));
    }
  }
  return last_read_;
}

/// There is one read at a time; all that is asked for meanwhile is served by one more read afterwards.
void simulation::read_contract(node& n) {
  if (n.reading) {
    n.read_again = true;
    return;
  }
  n.reading = true;
  n.read_again = false;
  const auto life = n.life;
  at(sn_up(now_ + message_delay()), [this, &n, life] {
    if (n.life != life) return;
    in_life(n, message_delay(), [this, &n, view = view_to_read()] {
      n.reading = false;
      auto told = view;
      if (has(mistake::keeps_what_is_false) && n.prog.has_ahead
          && view->head.merged_round == n.prog.last_round) {
        auto wrong = *view;
        wrong.head.merged_digest = n.prog.last_digest;
        told = std::make_shared<const contract_view>(std::move(wrong));
      }
      n.machine->step(event::view_read{told}, now_);
      drain(n);
      if (n.is_up() && n.read_again) read_contract(n);
    });
  });
}

simulation::node* simulation::find(const address& account) {
  const auto found = by_account_.find(account);
  return found == by_account_.end() ? nullptr : found->second;
}

} // namespace swarm::rounds::testing
