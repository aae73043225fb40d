#include "actors/sn/consensus/consensus_actor.hpp"

#include "actors/sn/consensus/stall_watch.hpp"
#include "actors/sn/messages.hpp"
#include "actors/sn/sn_metrics.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "ledger/consensus/qbft_machine.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto sync_interval = 1s;
/// A neighbor that claims blocks which it does not give must not put off a re-entry for ever.
constexpr auto reentry_wait = 10s;
constexpr int reentry_waits_max = 6;

time_point now() {
  return std::chrono::steady_clock::now();
}

struct consensus_state {
  explicit consensus_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    auto out = place();
    if (!stall.text().empty()) out = stall.text() + " (" + out + ")";
    for (const auto& [who, block_num] : double_votes)
      out += fmt::format("; {} signed two different votes for block {}", to_hex(who.view()), block_num);
    return out;
  }
  std::string place() const {
    if (!qbft) return "waiting for the chain";
    if (sync->behind()) return sync->status(now());
    const auto s = qbft->status();
    if (!s.validator) return fmt::format("following, {} validators", validators);
    if (s.reentering)
      return fmt::format("listens before it votes again from block {} on, by its operator's word",
                         s.block_num);
    if (s.silent)
      return fmt::format("silent at block {}: the record of this key's votes is missing", s.block_num);
    if (!s.active) return fmt::format("validator, one of {}", validators);
    auto out = fmt::format("block {} round {}: {} of {} prepared, {} committed", s.block_num, s.round_num,
                           s.prepares, s.quorum, s.commits);
    if (s.round_num > 0) out += fmt::format(", {} in this round or beyond", s.round_changes);
    for (const auto& who : s.silent_validators)
      out += fmt::format(", nothing from {}", to_hex(who.view()));
    return out;
  }
  std::string detail_json() const;

  std::shared_ptr<const sn_context> context;
  std::optional<consensus::qbft_machine> qbft;
  std::optional<sync::sync_machine> sync;
  std::size_t validators = 0;
  std::optional<consensus_metrics> metrics; ///< there from its first message on
  stall_watch stall;
  int reentry_waits = 0; ///< how often a re-entry was put off as blocks seemed to be missing
  std::map<address, std::uint64_t> double_votes; ///< seen by this node: the block that the author lied about
  std::uint64_t timer_serial[consensus::timer_kinds] = {}; ///< by timer_kind
};

std::string consensus_state::detail_json() const {
  if (!qbft) return "{}";
  const auto s = qbft->status();
  json::array silent;
  for (const auto& who : s.silent_validators)
    silent.emplace_back(to_hex(who.view()));
  json::array resting;
  for (const auto& who : s.resting)
    resting.emplace_back(to_hex(who.view()));
  json::array liars;
  for (const auto& [who, block_num] : double_votes)
    liars.push_back(json::object{{"account", to_hex(who.view())}, {"block_num", block_num}});
  return json::serialize(
      json::object{{"block_num", s.block_num},
                   {"double_votes", std::move(liars)},
                   {"round_num", s.round_num},
                   {"validator", s.validator},
                   {"silent", s.silent},
                   {"reentering", s.reentering},
                   {"stands_still", stall.text()},
                   {"active", s.active},
                   {"proposer", to_hex(s.proposer.view())},
                   {"resting", std::move(resting)},
                   {"validators", validators},
                   {"quorum", s.quorum},
                   {"prepares", s.prepares},
                   {"commits", s.commits},
                   {"round_changes", s.round_changes},
                   {"prepared_round", s.prepared ? json::value(s.prepared->round_num) : nullptr},
                   {"silent_validators", std::move(silent)},
                   {"parked_messages", s.parked_messages},
                   {"parked_bytes", s.parked_bytes},
                   {"sync_target", sync->target()},
                   {"sync_waiting_blocks", sync->waiting_blocks()},
                   {"sync_waiting_bytes", sync->waiting_bytes()}});
}

using self_pointer = role_actor<consensus_state>*;

// Carrying out what the machines want

struct carry_out {
  self_pointer self;

  template <class Action>
  void to_chain(Action& what) const {
    self->tell(sibling(*self, "chain"), std::move(what));
  }
  template <class Action>
  void to_neighbors(Action& what) const {
    self->tell(sibling(*self, peers_hub), std::move(what));
  }

  void operator()(consensus::persist& what) const { to_chain(what); }
  void operator()(consensus::build_block& what) const { to_chain(what); }
  void operator()(consensus::validate_block& what) const { to_chain(what); }
  void operator()(consensus::commit_block& what) const { to_chain(what); }
  void operator()(consensus::broadcast& what) const { to_neighbors(what); }
  void operator()(consensus::send_to& what) const { to_neighbors(what); }
  void operator()(consensus::send_decided& what) const { to_neighbors(what); }
  void operator()(consensus::penalize& what) const { to_neighbors(what); }
  void operator()(const consensus::set_timer& what) const {
    auto& serial = self->state().timer_serial[static_cast<std::size_t>(what.timer.kind)];
    self->delayed_send(self, what.after, timer_due{what.timer, ++serial});
  }
  void operator()(const consensus::cancel_timer& what) const {
    ++self->state().timer_serial[static_cast<std::size_t>(what.kind)];
  }
  void operator()(const consensus::request_sync& what) const;
  void operator()(const consensus::evidence& what) const {
    auto& s = self->state();
    const auto proof = ledger::encode_double_vote(what.proof);
    log::warning(s.context->log_source,
                 "the validator {} signed two different {}s for block {}, round {}; proof: {}",
                 to_hex(what.author.view()), to_string(what.proof.kind), what.proof.block_num,
                 what.proof.round_num, to_hex(proof));
    s.double_votes[what.author] = what.proof.block_num;
    self->tell(sibling(*self, "membership"), membership::double_vote_seen{what.author, proof});
  }
  void operator()(consensus::reentry_seen& what) const { to_chain(what); }
  void operator()(const consensus::report& what) const {
    log::warning(self->state().context->log_source, "{}", what.text);
  }

  void operator()(sync::action::ask_range& what) const { to_neighbors(what); }
  void operator()(sync::action::penalize& what) const {
    self->tell(sibling(*self, peers_hub), consensus::penalize{what.neighbor, std::move(what.why)});
  }
  void operator()(sync::action::import_blocks& what) const {
    import_range out{what.first, std::move(what.blocks), {}};
    for (std::size_t i = 0; i < out.blocks.size(); ++i)
      out.records.push_back(self->state().qbft->records_with_block(out.first + i));
    to_chain(out);
  }
};

void step(self_pointer self, consensus::event what) {
  auto& s = self->state();
  if (!s.qbft) return; // without a chain the event is dropped; its sender will send it again
  for (auto& action : s.qbft->step(std::move(what)))
    std::visit(carry_out{self}, action);
}

void carry_out_sync(self_pointer self) {
  for (auto& action : self->state().sync->take_actions())
    std::visit(carry_out{self}, action);
}

void carry_out::operator()(const consensus::request_sync& what) const {
  self->state().sync->on_claim(what.neighbor, what.block_num, now());
  carry_out_sync(self);
}

void begin(self_pointer self, const consensus_ready& ready) {
  auto& s = self->state();
  s.qbft.emplace(consensus::machine_options{.domain = ready.domain},
                 consensus::make_signature_scheme(*s.context->key));
  s.sync.emplace(sync::sync_options{.snapshot_gap = s.context->options.snapshot_gap},
                 ready.start.head.block_num);
  s.validators = ready.start.validators.size();
  step(self, ready.start);
  self->delayed_send(self, sync_interval, tick{});
  self->tell(sibling(*self, peers_hub), consensus_wanted{}); // who is connected already
}

void timer_fired(self_pointer self, const timer_due& what) {
  auto& s = self->state();
  if (what.serial != s.timer_serial[static_cast<std::size_t>(what.timer.kind)]) return;
  // Neighbors may have the very block at which this node is to re-enter.
  const bool lacks_blocks = what.timer.kind == consensus::timer_kind::reentry && s.sync && s.sync->behind();
  if (lacks_blocks && s.reentry_waits++ < reentry_waits_max)
    self->delayed_send(self, reentry_wait, timer_due{what});
  else
    step(self, consensus::timer_fired{what.timer});
}

/// Tells the operator when the chain stands still, and what to do about it.
void watch_for_stall(self_pointer self) {
  auto& s = self->state();
  if (s.qbft && s.stall.look(s.qbft->status(), s.validators, now()))
    log::warning(s.context->log_source, "{}", s.stall.text());
}

/// Hands `event` to the catching-up machine, if that exists yet.
template <class Event>
void sync_step(self_pointer self, Event event) {
  auto& s = self->state();
  if (!s.sync) return;
  event(*s.sync);
  carry_out_sync(self);
}

caf::behavior consensus_behavior(self_pointer self) {
  self->state().metrics.emplace(self->env().metrics, self->state().context->options.node_name);
  // The chain handles this after all that an earlier consensus actor asked for; the answers to that are not
  // for this one.
  self->tell(sibling(*self, "chain"), consensus_wanted{});
  return {
      [=](const consensus_ready& ready) { begin(self, ready); },
      // from the chain
      [=](const consensus::work_available& what) { step(self, what); },
      [=](const consensus::block_built& what) { step(self, what); },
      [=](const consensus::block_validated& what) { step(self, what); },
      [=](const consensus::persisted& what) { step(self, what); },
      [=](const consensus::head_changed& what) {
        self->state().validators = what.validators.size();
        step(self, what);
        sync_step(self, [&](auto& sync) { sync.on_head(what.head.block_num, false, now()); });
      },
      [=](const range_imported& what) {
        sync_step(self, [&](auto& sync) { sync.on_head(what.head_num, true, now()); });
      },
      [=](const range_refused& what) {
        sync_step(self,
                  [&](auto& sync) { sync.on_import_failed(what.block_num, what.blame, what.why, now()); });
      },
      [=](const snapshot_pivot& what) {
        sync_step(self, [&](auto& sync) {
          if (what.taken) sync.on_snapshot_taken(now());
          sync.on_pivot(what.block_num, now());
        });
      },
      [=](const snapshot_useless& what) {
        sync_step(self, [&](auto& sync) { sync.on_no_snapshot(what.neighbor, now()); });
      },
      // from neighbors
      [=](const neighbor_message& what) {
        step(self, consensus::message{what.neighbor, what.raw});
      },
      [=](const consensus::neighbor_connected& what) { step(self, what); },
      [=](const consensus::neighbor_gone& what) {
        step(self, what);
        sync_step(self, [&](auto& sync) { sync.on_neighbor_gone(what.neighbor, now()); });
      },
      [=](const neighbor_head& what) {
        sync_step(self, [&](auto& sync) {
          if (what.certificate) sync.on_identity(what.neighbor, *what.certificate);
          sync.on_claim(what.neighbor, what.block_num, now());
        });
      },
      [=](const neighbor_blocks& what) {
        sync_step(self, [&](auto& sync) { sync.on_blocks(what.neighbor, what.first, what.blocks, now()); });
      },
      // time
      [=](const timer_due& what) { timer_fired(self, what); },
      [=](tick) {
        watch_for_stall(self);
        sync_step(self, [](auto& sync) { sync.tick(now()); });
        auto& s = self->state();
        if (s.qbft) s.metrics->look(s.qbft->status(), s.validators, *s.sync);
        if (const auto& sync = s.sync)
          self->tell(sibling(*self, "chain"), snapshot_neighbors{sync->claims(), sync->snapshot_claims()});
        self->delayed_send(self, sync_interval, tick{});
      },
      [=](const admin_query&) { return self->state().detail_json(); },
  };
}

} // namespace

start_function consensus_actor(std::shared_ptr<const sn_context> context) {
  return role<consensus_state>(consensus_behavior, std::move(context));
}

} // namespace swarm::actors
