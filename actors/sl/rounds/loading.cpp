#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// How merged models are fetched and handed to the program.
namespace swarm::rounds {

namespace {
constexpr duration fetch_pause_first = std::chrono::milliseconds(500);
constexpr duration fetch_pause_max = std::chrono::seconds(5);
} // namespace

void peer_machine::go_on(session&, loading&, time_point now) {
  wait_for("the program evaluates the merged model", now);
}

/// True while the program is given a merge before this node goes on with the round. Afterwards the session
/// may be over.
bool peer_machine::loads_first(session& s, time_point now) {
  const auto& head = view_->head;
  auto& training = s.training;
  recall_check_in(s);
  const bool round_done = training.checked_in && head.merged_round >= *training.checked_in;
  if (s.request->closing) {
    if (!round_done) return false;
    // The program's training is over, so it is left alone until the last merge.
    training.checked_in.reset();
    training.base_round = head.merged_round;
    training.base_digest = head.merged_digest;
    return false;
  }
  forget_contradicted(training);
  const bool joins_late = !training.loaded && !training.checked_in && head.merged_round > 0;
  const bool lost =
      head.merged_digest == training.given_up; // what it would have merged goes into the next round
  const bool contests = !round_done && may_contest_layout(s);
  if (lost || contests || (!round_done && !joins_late)) return false;
  load_merged(s, now);
  return true;
}

/// Its program has come for the last merge, and has nothing to bring before it has that.
bool peer_machine::is_to_resume(const session& s) const {
  const auto& training = s.training;
  return s.params.resume && !training.loaded && !training.marks.checked_in && view_->head.merged_round > 0;
}

/// What this node itself has found to be wrong it does not load, whatever the others say.
void peer_machine::forget_contradicted(membership& training) {
  const auto& head = view_->head;
  const auto& [digest, wrong] = std::tie(training.checks.digest, training.checks.wrong);
  if (!wrong || wrong->verdict != check_outcome::wrong_chunk || digest != head.merged_digest
      || training.given_up == digest)
    return;
  training.given_up = digest;
  act(action::note{true,
                   fmt::format("the merge of round {} is not loaded: {}", head.merged_round, wrong->text)});
}

/// Fetches the newest merged model and hands it to the program.
void peer_machine::load_merged(session& s, time_point now) {
  const auto& head = view_->head;
  if (s.training.ahead) return; // the program evaluates what was proposed
  if (!head.layout_digest.is_zero() && head.layout_digest != s.request->model.layout) return refuse_layout(s);
  if (!get_merged(s, now)) return;
  drop_merge(s);
  s.phase = loading{{s.training.generation, head.merged_round, head.merged_digest}};
  act(action::ask_loss{head.merged_digest, s.training.generation, head.merged_round, false,
                       s.training.takes_back});
  wait_for(fmt::format("the program loads the merged model of round {}", head.merged_round), now);
}

/// Fetches the newest merged model unless it is in the store. Returns true once it is there.
bool peer_machine::get_merged(session& s, time_point now) {
  const auto& head = view_->head;
  if (models_.local.contains(head.merged_digest)) return true;
  if (models_.fetching == head.merged_digest || now < models_.fetch_again) return false;
  if (const auto why = wrong_size_of_merge(s); !why.empty()) {
    wait_for(why, now);
    fetch_failed(s, why, now);
    return false;
  }
  models_.fetching = head.merged_digest;
  act(action::fetch{head.merged_digest, head.merged_size, holders_of_merge(*view_, options_.self)});
  wait_for(fetch_text(s), now);
  return false;
}

/// Nothing else can be done before a program that resumes has its model, so it is said what that takes.
std::string peer_machine::fetch_text(const session& s) const {
  const auto& head = view_->head;
  const auto& failing = s.training.failing;
  const bool fails = failing && failing->digest == head.merged_digest;
  return fmt::format("fetching the merged model of round {}{}", head.merged_round,
                     fails && is_to_resume(s) ? fmt::format(
                         ", which nobody gives now: start the SL of {}, which merged it, or another one "
                         "that has it, with its data directory",
                         name_of(*view_, head.merged_by))
                                              : "");
}

/// All models of one layout have the same size, so the program's own model says how large a merge is. Empty:
/// it is said to have that size.
std::string peer_machine::wrong_size_of_merge(const session& s) const {
  const auto& head = view_->head;
  if (!s.request || s.request->model.size == 0 || s.request->model.layout != head.layout_digest
      || s.request->model.size == head.merged_size)
    return {};
  return fmt::format(
      "{} claims that it has {} bytes, but models of this training's layout have {}: it is not asked for",
      name_of(*view_, head.merged_by), head.merged_size, s.request->model.size);
}

void peer_machine::step(const event::model_fetched& fetched, time_point now) {
  if (models_.fetching != fetched.digest) return;
  models_.fetching.reset();
  auto* s = std::get_if<session>(&state_);
  if (fetched.layout) {
    models_.local.insert(fetched.digest);
    models_.durable.reset();
  } else if (s != nullptr && view_ && view_->head.merged_digest == fetched.digest) {
    fetch_failed(*s, fetched.layout.error().message, now);
  }
  reconcile(now);
}

void peer_machine::fetch_failed(session& s, const std::string& why, time_point now) {
  const auto& head = view_->head;
  auto& failing = s.training.failing;
  if (!failing || failing->digest != head.merged_digest)
    failing = {head.merged_digest, now, fetch_pause_first};
  act(action::note{true, fmt::format("cannot get the merged model {} of round {} yet: {}",
                                     to_hex(head.merged_digest.view()), head.merged_round, why)});
  models_.fetch_again = now + failing->pause;
  failing->pause = std::min(failing->pause * 2, fetch_pause_max);
  act(action::refresh{}); // there may be other holders now
  if (now - failing->since < options_.merge_lost || is_to_resume(s)) return;
  s.training.given_up = head.merged_digest;
  act(action::note{true,
                   fmt::format("the merged model of round {} is lost: nobody gives it", head.merged_round)});
}

void peer_machine::refuse_layout(const session& s) {
  const auto& head = view_->head;
  action::refuse_layout refusal{s.request->model.digest,
                                head.merged_digest,
                                head.merged_size,
                                head.layout_digest,
                                holders_of_merge(*view_, options_.self),
                                is_to_resume(s) ? head.merged_round : 0};
  if (head.merged_round == 0) {
    for (const auto& in : view_->check_ins) {
      if (in.weightage == 0 || in.peer == options_.self) continue;
      // Until it is revealed, a model is called by what its peer has committed to.
      refusal.other = in.digest.is_zero() ? in.commitment : in.digest;
      refusal.other_size = in.size;
      refusal.holders = {{in.peer, in.endpoint}};
      break;
    }
  }
  act(std::move(refusal));
  if (s.training.registered && is_member(*view_, options_.self))
    leave(s.contract, contracts::leave_reason::other_parameters);
  end_session(false, "the program's model has other parameters than its peers'");
}

} // namespace swarm::rounds
