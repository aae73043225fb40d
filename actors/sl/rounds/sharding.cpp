#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sl/rounds/shard_view.hpp"
#include "contracts/training/dealt.hpp"

#include <algorithm>

// A large merge is made in runs by all who contribute. Where that does not come to an end, its leader makes it.
namespace swarm::rounds {

using contracts::shard_state;

/// What this node has made stands as long as the round has the same models and gives out the same runs.
shard_marks& peer_machine::mark_shards(membership& training) {
  const auto& head = view_->head;
  auto& marks = training.shards;
  const round_and_term key{head.round_num, head.term};
  if (marks.of == key && std::exchange(marks.looked_at, view_->block_num) == view_->block_num) return marks;
  auto task = shard_task(*view_, options_.self, 0);
  std::vector<address> makers;
  for (const auto& shard : view_->shards.shards)
    makers.push_back(shard.maker);
  if (marks.of.first != key.first || marks.inputs != task.inputs || marks.size != view_->shards.size
      || marks.makers != makers) {
    drop_shard(training);
    marks = {};
    marks.looked_at = view_->block_num;
    marks.inputs = std::move(task.inputs);
    marks.size = view_->shards.size;
    marks.makers = std::move(makers);
  }
  if (std::exchange(marks.of, key) != key) {
    marks.since.reset();
    marks.given_up = false;
  }
  // The totals may be others when all was measured once more.
  const auto totals = measures_of(*view_).totals;
  const bool measures = is_measured_now(*view_);
  if (marks.measures != measures || (!measures && marks.totals != totals)) {
    drop_shard(training);
    if (!measures && std::exchange(marks.totals, totals) != totals) marks.runs.clear();
    marks.measures = measures;
    marks.since.reset();
  }
  return marks;
}

/// What has become of the run at `place`; none while it is being made.
const shard_marks::made* peer_machine::make_shard(membership& training, std::uint32_t place, time_point now) {
  auto& marks = training.shards;
  const auto& known = marks.measures ? marks.sums : marks.runs;
  if (const auto found = known.find(place); found != known.end()) return &found->second;
  if (marks.running || now < marks.make_again) return nullptr;
  auto task = shard_task(*view_, options_.self, place);
  task.id = ++last_check_;
  marks.running = {task.id, place};
  act(action::start_check{std::move(task)});
  return nullptr;
}

/// True while the merge is made so, and this node has nothing else to do for it.
bool peer_machine::merge_in_shards(session& s, time_point now) {
  if (!is_made_in_shards(*view_)) return false;
  auto& marks = mark_shards(s.training);
  const auto& head = view_->head;
  if (!marks.since) marks.since = now;
  marks.late_at =
      *marks.since + std::chrono::seconds(view_->shards.lasts) + turn_to_end(*view_, options_.self);
  const auto own = shard_of(*view_, options_.self);
  const auto state = own ? view_->shards.shards[*own].state : shard_state::made;
  // Of what is measured nothing has to be here once it is committed.
  if (own && (state == shard_state::awaited || (state == shard_state::made && !marks.measures))) {
    const auto* made = make_shard(s.training, *own, now);
    if (made != nullptr && state == shard_state::awaited) {
      commit_shard(s, *own, *made);
      return true;
    }
  }
  if (head.leader == options_.self) return lead_shards(s, marks, now);
  const auto awaited = shards_that_are(*view_, shard_state::awaited);
  const bool leader_is_due = now >= marks.late_at || awaited.empty() || is_left_to_leader();
  if (leader_is_due) return false;
  wait_for(fmt::format("round {}: {}waiting for {} to make parts of the merge (term {})", head.round_num,
                       !marks.running   ? ""
                       : marks.measures ? "measuring a part of the models, "
                                        : "making a part of the merge, ",
                       names_of(*view_, makers_of(*view_, awaited)), head.term),
           now);
  accuse_silent(s, now);
  return true;
}

/// Where models are measured nobody makes what another one declines.
bool peer_machine::is_left_to_leader() const {
  return has_measures(*view_) && !shards_that_are(*view_, shard_state::declined).empty();
}

/// This node leads: it makes what others cannot or do not. What it cannot make either is a reason to make the merge as a
/// whole, without those whose models cannot be used.
bool peer_machine::lead_shards(session& s, shard_marks& marks, time_point now) {
  if (marks.given_up) return false;
  const auto& head = view_->head;
  auto missing = shards_that_are(*view_, shard_state::declined);
  const auto awaited = shards_that_are(*view_, shard_state::awaited);
  if (now >= marks.late_at) missing.insert(missing.end(), awaited.begin(), awaited.end());
  wait_for(fmt::format("leading round {}, term {}: waiting for {} to make parts of the merge", head.round_num,
                       head.term, names_of(*view_, makers_of(*view_, awaited))),
           now);
  if (missing.empty()) {
    accuse_silent(s, now);
    return true;
  }
  if (has_measures(*view_)) {
    act(action::note{
        true, fmt::format("round {}: the merge is made as a whole, as {} did not make their parts of it",
                          head.round_num, names_of(*view_, makers_of(*view_, missing)))});
    marks.given_up = true;
    drop_shard(s.training);
    return false;
  }
  // What one part could not be made of is missing for all.
  const auto own = shard_of(*view_, options_.self);
  const bool has_failed = own && marks.runs.contains(*own) && marks.runs.at(*own).hashes.empty();
  const auto* made = has_failed ? &marks.runs.at(*own) : make_shard(s.training, missing.front(), now);
  if (made == nullptr) return true;
  if (made->hashes.empty()) {
    act(action::note{true,
                     fmt::format("round {}: the merge is made as a whole, as a part of it cannot be made: {}",
                                 head.round_num, made->failure)});
    marks.given_up = true;
    drop_shard(s.training);
    return false;
  }
  commit_shard(s, missing.front(), *made);
  return true;
}

void peer_machine::commit_shard(session& s, std::uint32_t place, const shard_marks::made& made) {
  const auto& head = view_->head;
  if (made.hashes.empty())
    act(action::note{true, fmt::format("round {}: this node cannot make its part of the merge: {}",
                                       head.round_num, made.failure)});
  if (s.training.shards.measures)
    return send(s, calls::kind::measure_shard,
                contracts::encode(contracts::measure_shard_args{head.generation, head.round_num, head.term,
                                                                place, made.hashes}),
                fmt::format("{} part {} of the models of round {}",
                            made.hashes.empty() ? "decline to measure" : "measure", place, head.round_num));
  send(s, calls::kind::commit_shard,
       contracts::encode(contracts::commit_shard_args{head.generation, head.round_num, head.term, place,
                                                      roots_of(*view_, made.hashes)}),
       fmt::format("{} part {} of the merge of round {}", made.hashes.empty() ? "decline" : "commit", place,
                   head.round_num));
}

/// Once the proposal is there, others need what this node has made of it; one that was started again makes it anew. True while
/// it does.
bool peer_machine::remakes_shard(session& s, time_point now) {
  if (!was_made_in_shards(*view_)) return false;
  const auto own = shard_of(*view_, options_.self);
  if (!own || view_->shards.shards[*own].state != shard_state::made) return false;
  mark_shards(s.training);
  return make_shard(s.training, *own, now) == nullptr;
}

/// Nobody has all of a merge that was made in parts. So who attests it has it first, where it can be had.
bool peer_machine::waits_for_merge(session& s, checking& phase, time_point now) {
  const auto& digest = view_->proposal.digest;
  if (!was_made_in_shards(*view_) || models_.local.contains(digest)) return false;
  if (!phase.merge_until) phase.merge_until = now + check_time() / 2;
  if (now >= *phase.merge_until) return false;
  if (models_.fetching != digest && now >= phase.fetch_again) {
    phase.fetched = false;
    phase.fetch_again = now + shard_marks::pause;
    fetch_early(s, phase);
  }
  wait_for(
      fmt::format("round {}: fetching the parts of the merge that others have made", view_->head.round_num),
      now);
  return true;
}

/// False when the check that is done is none of a run that this node makes.
bool peer_machine::take_shard(session& s, const event::check_done& done, time_point now) {
  auto& marks = s.training.shards;
  if (!marks.running || marks.running->first != done.id) return false;
  const auto place = std::exchange(marks.running, std::nullopt)->second;
  auto& known = marks.measures ? marks.sums : marks.runs;
  if (!done.outcome) {
    act(action::note{true, fmt::format("round {}: a part of the merge cannot be made yet: {}", marks.of.first,
                                       done.outcome.error().message)});
    if (++marks.failures < shard_marks::failures_max) {
      marks.make_again = now + shard_marks::pause;
      return true;
    }
    known[place] = {{}, done.outcome.error().message};
  } else if (done.outcome->verdict == check_outcome::right) {
    known[place] = {marks.measures ? done.outcome->sums : done.outcome->made, {}};
  } else {
    known[place] = {{}, done.outcome->text};
  }
  return true;
}

/// Whatever the round has come to, no run is made for one that is over.
void peer_machine::drop_stale_shard(session& s) {
  const auto& head = view_->head;
  const auto& marks = s.training.shards;
  if (!marks.running) return;
  const bool goes_on =
      marks.of.first == head.round_num && (is_made_in_shards(*view_) || was_made_in_shards(*view_));
  if (!goes_on) drop_shard(s.training);
}

void peer_machine::drop_shard(membership& training) {
  if (std::exchange(training.shards.running, std::nullopt)) act(action::cancel_check{});
}

} // namespace swarm::rounds
