#include "actors/sl/rounds/peer_machine.hpp"

// What a power cut must not take once a transaction tells of it: models, and that this node is in a session.
namespace swarm::rounds {

/// The note of the session stands before everything else, and goes after everything else.
std::vector<machine_action> peer_machine::take_actions() {
  if (const bool engaged = is_engaged(); engaged != noted_) {
    noted_ = engaged;
    actions_.insert(engaged ? actions_.begin() : actions_.end(), action::note_session{engaged});
  }
  return std::exchange(actions_, {});
}

/// Sees to it that the disk has a model before a call names it. True once it has.
bool peer_machine::make_durable(const hash32& digest) {
  if (models_.durable == digest) return true;
  if (!models_.writing) {
    models_.writing = digest;
    act(action::make_durable{digest});
  }
  return false;
}

void peer_machine::step(const event::model_durable& done, time_point now) {
  if (models_.writing != done.digest) return;
  models_.writing.reset();
  auto* s = std::get_if<session>(&state_);
  if (done.outcome) {
    models_.durable = done.digest;
  } else if (s != nullptr && view_) {
    write_failed(*s, done, now);
  }
  reconcile(now);
}

void peer_machine::write_failed(session& s, const event::model_durable& done, time_point now) {
  const auto& why = done.outcome.error().message;
  auto* phase = std::get_if<merging>(&s.phase);
  if (phase != nullptr && phase->job && phase->job->outcome && phase->job->outcome->digest == done.digest) {
    act(action::note{true, fmt::format("merging round {} failed: {}", phase->of.first, why)});
    phase->job.reset();
    merge_failed(s, now);
  } else if (s.request && s.request->model.digest == done.digest) {
    if (has_to_leave(s)) leave(contracts::leave_reason::disk_failed);
    refuse_program(fmt::format("the disk does not take the program's model: {}", why));
    wait_for("no program", now);
  } else if (view_->head.merged_digest == done.digest) {
    models_.local.erase(done.digest);
    fetch_failed(s, why, now);
  }
}

} // namespace swarm::rounds
