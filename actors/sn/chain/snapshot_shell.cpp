#include "actors/sn/chain/snapshot_shell.hpp"

#include "actors/supervision/paths.hpp"
#include "base/log.hpp"

namespace swarm::actors {

namespace {

/// Tells consensus of the pivot: while there is one, blocks need not come one after the other.
void tell_pivot(role_actor<chain_state>* self, bool taken) {
  auto& s = self->state();
  const auto pivot = s.snapshot->proved_pivot();
  if (!taken && s.pivot_told && s.told_pivot == pivot) return;
  s.pivot_told = true;
  s.told_pivot = pivot;
  self->tell(sibling(*self, "consensus"), snapshot_pivot{pivot, taken});
}

} // namespace

ledger::block_ptr carry_out_snapshot(role_actor<chain_state>* self) {
  auto& s = self->state();
  auto out = s.snapshot->take();
  for (auto& text : out.reports)
    log::info(s.context->log_source, "{}", text);
  const auto neighbors = sibling(*self, peers_hub);
  for (auto& ask : out.asks)
    self->tell(neighbors, ask_part{ask.neighbor, ask.tag, sync::encode(ask.what)});
  for (auto& each : out.useless) {
    log::info(s.context->log_source, "no snapshot from neighbor {}: {}", each.neighbor, each.why.message);
    self->tell(sibling(*self, "consensus"), snapshot_useless{each.neighbor});
    if (each.lied) self->tell(neighbors, consensus::penalize{each.neighbor, std::move(each.why)});
  }
  for (auto& each : out.liars)
    self->tell(neighbors, consensus::penalize{each.neighbor, std::move(each.why)});
  tell_pivot(self, out.adopted != nullptr);
  if (out.fork) self->end_process(1, out.fork->message);
  if (out.broken) self->fail(*out.broken);
  return out.adopted;
}

void answer_part_question(role_actor<chain_state>* self, const part_wanted& what) {
  auto& s = self->state();
  if (!s.chain) return;
  const auto began = std::chrono::steady_clock::now();
  if (const auto wait = s.pacer.wait_of(what.neighbor, began); wait > duration::zero())
    return void(self->delayed_send(self, wait, what)); // others need this thread, too
  auto answer = s.server->answer(what.question, what.bytes_max);
  const auto ended = std::chrono::steady_clock::now();
  s.pacer.charge(what.neighbor, ended - began, ended);
  const auto neighbors = sibling(*self, peers_hub);
  if (answer)
    self->tell(neighbors, part_answer{what.neighbor, what.request_id, std::move(*answer)});
  else
    self->tell(neighbors, consensus::penalize{what.neighbor, std::move(answer).error()});
}

boost::json::object snapshot_json(const sync::snapshot_driver& of) {
  const auto now = of.status();
  return {{"phase", now.phase},
          {"pivot", now.pivot},
          {"nodes", now.nodes},
          {"node_bytes", now.node_bytes},
          {"nodes_waiting", now.nodes_waiting},
          {"open_questions", now.open_questions},
          {"peers", now.neighbors},
          {"blocks_skipped", now.blocks_skipped},
          {"blocks_missing", now.blocks_missing},
          {"trouble", now.trouble}};
}

} // namespace swarm::actors
