#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/opening.hpp"
#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sl/rounds/shard_view.hpp"
#include "contracts/training/dealt.hpp"

#include <algorithm>
#include <set>

// A merge that is proposed: this node makes again what is dealt to it, and judges what others challenge.
namespace swarm::rounds {

using contracts::challenge_kind;
using contracts::round_phase;

namespace {

/// After a check that came to nothing.
constexpr auto check_pause = std::chrono::seconds(1);
/// So long before a stage ends a node says that it was not served, if it could not look by then: who says nothing is barred.
constexpr auto last_word = std::chrono::milliseconds(1500);

bool is_awaited(const contract_view& view, const address& who) {
  return std::ranges::find(view.checks.awaited, who) != view.checks.awaited.end();
}

peer_list awaited_peers(const contract_view& view) {
  peer_list out;
  for (const auto& who : view.checks.awaited)
    if (const auto* peer = find_peer(view, who)) out.push_back(peer);
  return out;
}

/// Of what others say is wrong, in the words of a challenge.
std::string text_of(const contract_view& view) {
  const auto& checks = view.checks;
  const auto by = name_of(view, checks.challenger);
  switch (checks.kind) {
  case challenge_kind::chunk:
    if (checks.number >= checks.chunks)
      return fmt::format("{} says that part {} of the models is not measured to what {} says", by,
                         checks.number - checks.chunks, name_of(view, author_of_chunk(view, checks.number)));
    return fmt::format("{} says that chunk {} of the merge, made by {}, is not what the models give", by,
                       checks.number, name_of(view, author_of_chunk(view, checks.number)));
  case challenge_kind::unserved:
    return fmt::format("{} says that chunk {} of the merge cannot be checked", by, checks.number);
  case challenge_kind::exclusion:
    break;
  }
  const auto& out = view.proposal.excluded;
  return fmt::format("{} says that {} should not be left out of the merge", by,
                     checks.number < out.size() ? name_of(view, out[checks.number]) : "somebody");
}

std::vector<std::uint64_t> in_whole_units(const contracts::shards_view& shards,
                                          const std::vector<std::uint64_t>& chunks) {
  const auto plan = contracts::plan_of(shards.size, static_cast<std::uint32_t>(shards.shards.size()));
  std::set<std::uint64_t> out;
  for (const auto chunk : chunks) {
    const auto unit = plan.chunks_of_unit(chunk / plan.unit_chunks());
    for (auto each = unit.first; each < unit.end(); ++each)
      out.insert(each);
  }
  return {out.begin(), out.end()};
}

} // namespace

void peer_machine::enter_checking(session& s) {
  const auto& [head, checks] = std::tie(view_->head, view_->checks);
  const round_and_term key{head.round_num, head.term};
  const bool disputed = head.phase == round_phase::disputed;
  auto* phase = std::get_if<checking>(&s.phase);
  if (phase == nullptr || phase->of != key) {
    drop_merge(s);
    drop_check(s);
    s.phase = checking{.of = key, .attempt = checks.attempt, .disputed = disputed};
  } else if (phase->attempt != checks.attempt || phase->disputed != disputed) {
    phase->attempt = checks.attempt;
    phase->disputed = disputed;
    phase->since.reset();
    phase->own_until.reset();
    phase->load_until.reset();
    phase->dealt.reset();
  }
  if (is_checked_now(*view_)) mark_proposal(s.training.checks, key);
}

/// Another leader may propose the same as the last one, which was refuted: it is challenged again.
void peer_machine::mark_proposal(check_marks& marks, const round_and_term& of) {
  const auto& proposal = view_->proposal;
  if (marks.digest != proposal.digest || marks.contributors != proposal.contributors
      || marks.excluded != proposal.excluded)
    marks = {.digest = proposal.digest, .contributors = proposal.contributors, .excluded = proposal.excluded};
  if (std::exchange(marks.of, of) == of) return;
  marks.exclusions_stand = marks.challenged = marks.refused = false;
  if (marks.wrong && marks.wrong->verdict == check_outcome::unserved) marks.wrong.reset();
}

void peer_machine::go_on(session& s, checking& phase, time_point now) {
  if (!s.request || loads_first(s, now)) return;
  const auto& head = view_->head;
  if (head.phase == round_phase::stopped)
    return wait_for(
        fmt::format(
            "round {} is stopped: as many peers find that the merge of {} is wrong as that it is right; "
            "find out who is mistaken, then reset the training",
            head.round_num, name_of(*view_, head.leader)),
        now);
  if (!is_checked_now(*view_)) return; // the view is of before
  if (remakes_shard(s, now)) return wait_for_checks(s, phase, now);
  fetch_early(s, phase);
  load_ahead(s, now);
  if (is_awaited(*view_, options_.self)) {
    if (view_->checks.attempt == 0) {
      if (reveal_seed(s)) return;
    } else if (head.phase == round_phase::disputed) {
      judge(s, phase, now);
    } else {
      check_deal(s, phase, now);
    }
  }
  if (!calls_.hold_up(now)) wait_for_checks(s, phase, now);
}

/// What is proposed is fetched while it is checked, as it is the merge most of the time. Who gives it slowly holds up nobody: the
/// merge of another one is asked for all the same. Of a merge made in shards this node need not fetch what it makes to check it,
/// which it knows once the seeds are revealed; a program that is given it ahead waits for neither.
void peer_machine::fetch_early(const session& s, checking& phase) {
  const auto& proposal = view_->proposal;
  const bool has_size = proposal.size == model_size_of(*view_, options_.self);
  const auto& beside = s.training.beside;
  if ((beside && beside->is_under_way()) || phase.fetched || !is_in(s) || s.training.checks.wrong
      || models_.fetching || !has_size || models_.local.contains(proposal.digest))
    return;
  auto shards = shards_of_proposal(*view_);
  std::vector<std::uint64_t> made_here;
  if (!shards.empty() && is_awaited(*view_, options_.self) && !may_load_ahead(s)) {
    if (view_->checks.attempt == 0) return;
    if (view_->head.phase != round_phase::disputed)
      made_here = contracts::chunks_dealt_to(view_->checks, view_->proposal, view_->shards, options_.self);
    std::erase_if(made_here, [&](std::uint64_t chunk) { return s.training.checks.right.contains(chunk); });
  }
  phase.fetched = true;
  models_.fetching = proposal.digest;
  auto holders =
      shards.empty() ? holders_of_proposal(*view_, options_.self) : holders_of(shards, options_.self);
  act(action::fetch{proposal.digest, proposal.size, std::move(holders), std::move(shards),
                    std::move(made_here)});
}

/// True when it does.
bool peer_machine::reveal_seed(session& s) {
  const auto& head = view_->head;
  const auto* own = find_check_in(*view_, options_.self);
  if (own == nullptr) return false;
  const auto seed =
      seed_behind(options_.secret, s.contract, head.generation, head.round_num, own->digest, own->seed_hash);
  if (!seed) return false;
  send(s, calls::kind::reveal_seed,
       contracts::encode(contracts::reveal_seed_args{head.generation, head.round_num, head.term, *seed}),
       fmt::format("reveal a seed of round {}", head.round_num));
  return true;
}

/// True once nothing of `chunks` is left to check; otherwise sees to it that they are.
bool peer_machine::check(session& s, checking& phase, std::vector<std::uint64_t> chunks, time_point now) {
  const auto& marks = s.training.checks;
  std::erase_if(chunks, [&](std::uint64_t chunk) { return marks.right.contains(chunk); });
  if (chunks.empty() || marks.wrong || has_made(s)) return true;
  if (is_late(phase, now)) {
    drop_check(s);
    s.training.checks.wrong = check_outcome{
        check_outcome::unserved, 0, {}, "nobody has given in time what it takes to check it", {}};
    return true;
  }
  // What a unit is measured to is checked with all its chunks.
  if (contracts::is_measured(view_->head, view_->proposal)) chunks = in_whole_units(view_->shards, chunks);
  if (waits_for_own(s, phase, now) || loads_before_checking(s, phase, now)) return false;
  if (phase.running && phase.looked_at == view_->block_num) return false;
  phase.looked_at = view_->block_num;
  auto task = check_of(*view_, options_.self, std::move(chunks), !marks.exclusions_stand);
  task.shards = shards_of_proposal(*view_);
  wait_for(fmt::format("round {}: checking {} of the merge that {} proposes", view_->head.round_num,
                       task.whole ? "all" : fmt::format("{} chunks", task.chunks.size()),
                       name_of(*view_, view_->head.leader)),
           now);
  if (phase.running) task.id = phase.running->id;
  if (phase.running == task || now < phase.check_again) return false;
  task.id = ++last_check_;
  phase.running = task;
  act(action::start_check{std::move(task)});
  return false;
}

void peer_machine::check_deal(session& s, checking& phase, time_point now) {
  auto& marks = s.training.checks;
  if (marks.wrong && std::exchange(marks.refused, false)) challenge_refused(marks, phase, now);
  if (!phase.dealt)
    phase.dealt = contracts::chunks_dealt_to(view_->checks, view_->proposal, view_->shards, options_.self);
  if (!check(s, phase, *phase.dealt, now)) return;
  if (marks.wrong && !marks.challenged) return challenge(s, *marks.wrong);
  if (marks.wrong) return; // others have not borne it out
  if (waits_for_merge(s, phase, now)) return;
  const auto& head = view_->head;
  send(s, calls::kind::attest,
       contracts::encode(
           contracts::attest_args{head.generation, head.round_num, head.term, view_->checks.attempt}),
       fmt::format("attest the merge of round {}", head.round_num));
}

/// An exclusion for which the contract takes no challenge stands, or others have judged it; what was not served may be now.
void peer_machine::challenge_refused(check_marks& marks, checking& phase, time_point now) {
  if (marks.wrong->verdict == check_outcome::wrong_chunk) return; // it stays wrong
  if (marks.wrong->verdict == check_outcome::wrong_exclusion) marks.exclusions_stand = true;
  if (marks.wrong->verdict == check_outcome::unserved) phase.check_again = now + check_pause;
  marks.wrong.reset();
}

/// Says what this node finds of what another one challenges.
void peer_machine::judge(session& s, checking& phase, time_point now) {
  const auto& [head, checks, marks] = std::tie(view_->head, view_->checks, s.training.checks);
  const auto number = checks.kind == challenge_kind::exclusion ? 0 : checks.number;
  auto chunks = contracts::chunks_to_judge(head, view_->proposal, number);
  if (!check(s, phase, std::move(chunks), now)) return;
  const bool holds = !marks.wrong; // where something else is wrong, the proposal does not hold either
  act(action::note{!holds, fmt::format("round {}: {}; this node finds {}", head.round_num, text_of(*view_),
                                       holds ? "nothing wrong with it" : "so, too: " + marks.wrong->text)});
  send(s, calls::kind::judge,
       contracts::encode(
           contracts::judge_args{head.generation, head.round_num, head.term, checks.attempt, holds}),
       fmt::format("judge the merge of round {}", head.round_num));
}

void peer_machine::challenge(session& s, const check_outcome& wrong) {
  const auto& [head, checks] = std::tie(view_->head, view_->checks);
  contracts::challenge_args args{head.generation, head.round_num,        head.term,
                                 checks.attempt,  challenge_kind::chunk, wrong.number};
  if (wrong.verdict == check_outcome::unserved) {
    args.kind = challenge_kind::unserved;
    args.number = 0; // it is said of all of it
  }
  if (wrong.verdict == check_outcome::wrong_exclusion) {
    const auto& out = view_->proposal.excluded;
    args.kind = challenge_kind::exclusion;
    args.number = static_cast<std::uint64_t>(std::ranges::find(out, wrong.excluded) - out.begin());
  }
  const auto author = args.kind == challenge_kind::chunk ? author_of_chunk(*view_, args.number) : head.leader;
  act(action::note{true, fmt::format("round {}: what {} has made of the merge is wrong: {}", head.round_num,
                                     name_of(*view_, author), wrong.text)});
  send(s, calls::kind::challenge, contracts::encode(args),
       fmt::format("challenge the merge of round {}", head.round_num));
}

void peer_machine::step(const event::check_done& done, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s != nullptr && take_shard(*s, done, now)) return reconcile(now);
  auto* phase = s != nullptr ? std::get_if<checking>(&s->phase) : nullptr;
  if (phase == nullptr || !phase->running || phase->running->id != done.id) return;
  const auto task = *std::exchange(phase->running, std::nullopt);
  auto& marks = s->training.checks;
  if (!done.outcome) {
    act(action::note{true, fmt::format("round {}: the merge cannot be checked yet: {}", task.round_num,
                                       done.outcome.error().message)});
    phase->check_again = now + check_pause;
  } else if (done.outcome->verdict == check_outcome::right) {
    marks.right.insert(task.chunks.begin(), task.chunks.end());
  } else {
    marks.wrong = *done.outcome;
  }
  reconcile(now);
}

/// Whether this node has to say now what it has to say in this stage.
bool peer_machine::is_late(const checking& phase, time_point now) const {
  return phase.since && now >= *phase.since + check_time() - last_word;
}

/// How long this stage lasts.
duration peer_machine::check_time() const {
  return std::chrono::seconds(view_->checks.lasts);
}

void peer_machine::wait_for_checks(session& s, checking& phase, time_point now) {
  const auto& [head, checks] = std::tie(view_->head, view_->checks);
  const auto missing = names_of(*view_, awaited_peers(*view_));
  if (!is_awaited(*view_, options_.self))
    wait_for(head.phase == round_phase::disputed ? fmt::format("round {}: {}; waiting for {} to judge",
                                                               head.round_num, text_of(*view_), missing)
             : checks.attempt == 0
                 ? fmt::format("round {}: waiting for {} to reveal a seed", head.round_num, missing)
                 : fmt::format("round {}: waiting for {} to check the merge of {}", head.round_num, missing,
                               name_of(*view_, head.leader)),
             now);
  if (!phase.since) {
    phase.since = now;
    phase.close_at = now + check_time() + turn_to_end(*view_, options_.self);
  }
  if (now < phase.close_at) return accuse_silent(s, now);
  phase.close_at = now + turn_again;
  send(s, calls::kind::close_checks,
       contracts::encode(
           contracts::close_checks_args{head.generation, head.round_num, head.term, checks.attempt}),
       fmt::format("go on with round {} without {}", head.round_num, missing));
}

/// Cancels a check whose proposal is not checked any more.
void peer_machine::drop_stale_check(session& s) {
  const auto* phase = std::get_if<checking>(&s.phase);
  if (phase == nullptr) return;
  const auto& head = view_->head;
  const bool goes_on = (head.phase == round_phase::verifying || head.phase == round_phase::disputed)
                       && phase->of == round_and_term{head.round_num, head.term};
  if (!goes_on) drop_check(s);
}

void peer_machine::drop_check(session& s) {
  auto* phase = std::get_if<checking>(&s.phase);
  if (phase == nullptr || !phase->running) return;
  act(action::cancel_check{});
  phase->running.reset();
}

/// Whatever an actor works on for this session.
void peer_machine::drop_work(session& s) {
  drop_merge(s);
  drop_merge_beside(s);
  drop_check(s);
  drop_shard(s.training);
}

} // namespace swarm::rounds
