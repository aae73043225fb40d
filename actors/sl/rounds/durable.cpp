#include "actors/sl/rounds/peer_machine.hpp"

// What a power cut must not take once a transaction tells of it: models, and that this node is in a session.
namespace swarm::rounds {

/// The note of the session stands before everything else, and goes after everything else.
std::vector<machine_action> peer_machine::take_actions() {
  if (auto now = engaged_in(); now != noted_) {
    noted_ = std::move(now);
    actions_.insert(noted_ ? actions_.begin() : actions_.end(), action::note_session{noted_});
  }
  return std::exchange(actions_, {});
}

/// The training in which a process that ends now leaves a peer behind. While this node leaves another one it
/// is not yet a peer of its program's.
std::optional<std::string> peer_machine::engaged_in() const {
  if (calls_.is_leaving()) return calls_.leaves();
  const auto* s = std::get_if<session>(&state_);
  return s != nullptr ? std::optional(s->contract) : std::nullopt;
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
    if (has_to_leave(s)) leave(s.contract, contracts::leave_reason::disk_failed);
    refuse_program(fmt::format("the disk does not take the program's model: {}", why));
    wait_for("no program", now);
  } else if (view_->head.merged_digest == done.digest) {
    models_.local.erase(done.digest);
    fetch_failed(s, why, now);
  }
}

} // namespace swarm::rounds
