#include "actors/sl/rounds/calls.hpp"

#include "base/assert.hpp"

#include <utility>

namespace swarm::rounds {

namespace {
constexpr auto call_pause = std::chrono::seconds(1);
} // namespace

action::call calls::send_step(step_call about, action::call what) {
  SWARM_ASSERT(!step_);
  about.id = what.id = next_id_++;
  step_ = about;
  return what;
}

action::call calls::send_surely(action::call what) {
  what.id = next_id_++;
  sure_[what.id] = {what, std::nullopt};
  return what;
}

action::call calls::send_report(action::call what) {
  auto call = send_surely(std::move(what));
  report_ = call.id;
  return call;
}

action::call calls::send_leave(action::call what) {
  SWARM_ASSERT(!leave_);
  auto call = send_surely(std::move(what));
  leave_ = call.id;
  return call;
}

std::optional<calls::step_call> calls::take_step(std::uint64_t id) {
  if (!step_ || step_->id != id) return std::nullopt;
  return std::exchange(step_, std::nullopt);
}

/// A step call failed. The next one comes after a pause if this one was lost or others have failed before.
void calls::step_failed(bool has_receipt, time_point now) {
  if (++failures_ > 1 || !has_receipt) step_again_ = now + call_pause;
}

void calls::sure_call_lost(std::uint64_t id, time_point now) {
  sure_.at(id).again = now + call_pause;
}

bool calls::sure_call_done(std::uint64_t id) {
  sure_.erase(id);
  if (report_ == id) report_.reset();
  if (leave_ != id) return false;
  leave_.reset();
  return true;
}

std::vector<action::call> calls::due(time_point now) {
  std::vector<action::call> out;
  for (auto& [id, sure] : sure_) {
    if (!sure.again || now < *sure.again) continue;
    sure.again.reset();
    out.push_back(sure.call);
  }
  return out;
}

void calls::end_session() {
  step_.reset();
  step_again_ = {};
  failures_ = 0;
  if (report_) sure_.erase(*report_);
  report_.reset();
}

} // namespace swarm::rounds
