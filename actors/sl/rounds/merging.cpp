#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// A closed round: this node leads it or watches its leader.
namespace swarm::rounds {

using contracts::leave_reason;
using contracts::round_phase;

namespace {
constexpr duration merge_pause_max = std::chrono::seconds(30);
} // namespace

void peer_machine::go_on(session& s, merging& phase, time_point now) {
  if (!s.request || loads_first(s, now)) return;
  // A check-in of the former process counts as well.
  if (!is_in(s) && !is_listed(*view_, options_.self)) return come_late(s, now);
  if (merge_in_shards(s, now)) return;
  if (view_->head.leader == options_.self) return lead(s, phase, now);
  merge_beside_leader(s);
  watch_leader(s, now);
}

void peer_machine::come_late(session& s, time_point now) {
  const auto& head = view_->head;
  wait_for(fmt::format("came late for round {}, contributes to the next one; waiting for {} to merge{}",
                       head.round_num, name_of(*view_, head.leader),
                       is_hopeless(*view_) ? ", but none of that round's peers gives a sign of life" : ""),
           now);
  accuse_silent(s, now);
}

void peer_machine::lead(session& s, merging& phase, time_point now) {
  if (phase.job && phase.job->outcome) return commit(s, *phase.job->outcome);
  if (phase.failed && another_may_lead(*view_, options_.self)) return yield(s);
  if (phase.job || now < s.training.leading.again) return;
  const auto& head = view_->head;
  phase.job.emplace();
  const auto size = model_size_of(*view_, options_.self);
  action::start_merge start{head.round_num, head.term, head.merge_method, merge_inputs(*view_, size),
                            wrong_sizes(*view_, size)};
  if (const auto* made = made_beside(s, start.inputs)) {
    phase.job->outcome = *made;
    return commit(s, *made);
  }
  drop_merge_beside(s);
  wait_for(fmt::format("leading round {}, term {}: merging {} models", head.round_num, head.term,
                       start.inputs.size()),
           now);
  act(std::move(start));
}

void peer_machine::commit(session& s, const merge_outcome& outcome) {
  if (!make_durable(outcome.digest)) return;
  const auto& head = view_->head;
  std::vector<address> excluded;
  std::vector<contracts::exclusion_reason> reasons;
  for (const auto& out : outcome.excluded) {
    excluded.push_back(out.peer);
    reasons.push_back(out.reason);
  }
  send(s, calls::kind::commit,
       contracts::encode_commit_merge({s.training.generation, head.round_num, head.term, outcome.digest,
                                       outcome.size, outcome.contributors, excluded, reasons}),
       fmt::format("commit the merge of round {}", head.round_num));
}

/// Leaves the term to the next leader, as this node could not merge.
void peer_machine::yield(session& s) {
  const auto& head = view_->head;
  if (s.training.marks.suspected == round_and_term{head.round_num, head.term}) return;
  send(s, calls::kind::suspect,
       contracts::encode_suspect_leader({s.training.generation, head.round_num, head.term}),
       fmt::format("leave round {}, term {}, to the next leader", head.round_num, head.term));
}

/// Gives a slow leader time, but suspects one that is gone, makes no progress or takes longer than anybody may.
void peer_machine::watch_leader(session& s, time_point now) {
  const auto& head = view_->head;
  wait_for(fmt::format("round {}: waiting for {} to merge (term {})", head.round_num,
                       name_of(*view_, head.leader), head.term),
           now);
  auto& marks = s.training.marks;
  const round_and_term key{head.round_num, head.term};
  if (!marks.watch || marks.watch->of != key)
    marks.watch =
        leader_watch{.of = key, .since = now, .progress_at = now, .probe_at = now + options_.leader_interval};
  auto& watch = *marks.watch;
  if (now >= watch.probe_at) {
    watch.probe_at = now + options_.leader_interval;
    if (const auto* leader = find_peer(*view_, head.leader))
      act(action::probe_leader{head.leader, leader->endpoint, head.round_num, head.term});
  }
  const auto& told = marks.suspected;
  const bool has_told = told && told->first == head.round_num && told->second >= head.term;
  const bool is_gone = watch.unheard_since && now - *watch.unheard_since >= options_.leader_gone;
  const bool stands_still = now - watch.progress_at >= options_.leader_stall;
  const bool is_slow = now - watch.since >= leader_time_max(*view_, options_.leader_max);
  if (has_told || !(is_gone || stands_still || is_slow)) return accuse_silent(s, now);
  send(s, calls::kind::suspect,
       contracts::encode_suspect_leader({s.training.generation, head.round_num, head.term}),
       fmt::format("suspect the leader of round {}, term {}", head.round_num, head.term));
}

void peer_machine::step(const event::leader_progress& news, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s == nullptr || !s->training.marks.watch) return;
  auto& watch = *s->training.marks.watch;
  if (watch.of != round_and_term{news.round_num, news.term}) return;
  watch.unheard_since.reset();
  if (watch.progress == news.progress) return;
  watch.progress = news.progress;
  watch.progress_at = now;
}

void peer_machine::step(const event::leader_unheard& news, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s == nullptr || !s->training.marks.watch) return;
  auto& watch = *s->training.marks.watch;
  if (watch.of != round_and_term{news.round_num, news.term}) return;
  if (!watch.unheard_since) watch.unheard_since = now;
}

void peer_machine::step(const event::merge_done& done, time_point now) {
  auto* s = std::get_if<session>(&state_);
  const round_and_term of{done.round_num, done.term};
  if (s != nullptr && s->training.beside && s->training.beside->is_under_way()
      && s->training.beside->of == of)
    return take_merge_beside(*s->training.beside, done, now);
  auto* phase = s != nullptr ? std::get_if<merging>(&s->phase) : nullptr;
  if (phase == nullptr || !phase->job || phase->of != of) return;
  if (!done.outcome) {
    act(action::note{
        true, fmt::format("merging round {} failed: {}", done.round_num, done.outcome.error().message)});
    phase->job.reset();
    phase->failed = true;
    merge_failed(*s, now);
  } else if (done.outcome->contributors.empty()) {
    phase->job.reset();
    nothing_merged(*s, *done.outcome, now);
  } else {
    models_.local.insert(done.outcome->digest);
    models_.durable.reset();
    phase->job->outcome = *done.outcome;
    s->training.leading.pause = merge_pauses::first;
  }
  reconcile(now);
}

void peer_machine::merge_failed(session& s, time_point now) {
  auto& leading = s.training.leading;
  leading.again = now + leading.pause;
  leading.pause = std::min(leading.pause * 2, merge_pause_max);
}

/// No model of the round can be used. If this node's program brought one, it is told what is wrong with it.
/// Without this peer the round goes to the next leader or is collected anew.
void peer_machine::nothing_merged(session& s, const merge_outcome& outcome, time_point now) {
  const auto round_num = view_->head.round_num;
  const auto& out = outcome.excluded;
  const auto own =
      std::find_if(out.begin(), out.end(), [&](const left_out& o) { return o.peer == options_.self; });
  if (own != out.end() && s.request && is_in(s)) {
    leave(s.contract, leave_reason::model_unusable);
    refuse_program(
        fmt::format("no model of round {} can be merged; this program's: {}", round_num, own->text));
    return wait_for("no program", now);
  }
  act(action::note{true, fmt::format("no model of round {} can be merged", round_num)});
  const bool may_come = std::any_of(view_->check_ins.begin(), view_->check_ins.end(), [&](const auto& in) {
    const bool is_gone = find_peer(*view_, in.peer) != nullptr && !is_member(*view_, in.peer);
    return in.weightage > 0 && in.peer != options_.self && !is_gone;
  });
  if (may_come) return merge_failed(s, now); // once their nodes can be reached
  // All who brought a model have left. When the others leave too, the round is collected anew.
  leave(s.contract, leave_reason::nothing_to_merge);
  s.training.checked_in.reset();
  enter_registering(s, {.let_in = true, .stay_out_of = round_num});
}

/// Cancels the merge under way once this node does not lead that term any more.
void peer_machine::drop_stale_merge(session& s) {
  drop_stale_merge_beside(s);
  const auto* phase = std::get_if<merging>(&s.phase);
  if (phase == nullptr) return;
  const auto& head = view_->head;
  const bool leads = head.phase == round_phase::merging && head.leader == options_.self
                     && phase->of == round_and_term{head.round_num, head.term};
  if (!leads) drop_merge(s);
}

void peer_machine::drop_merge(session& s) {
  auto* phase = std::get_if<merging>(&s.phase);
  if (phase == nullptr || !phase->job) return;
  if (!phase->job->outcome) act(action::cancel_merge{});
  phase->job.reset();
}

} // namespace swarm::rounds
