#include "actors/swop/task/runner_machine.hpp"

#include <fmt/format.h>

namespace swarm::swop {

using contracts::taskrunner_state;

void runner_machine::step(const event::taskrunner_read& news, time_point) {
  read_ = news;
  go_on();
}

/// What a call changed is seen in the contract. One that failed may have been too late, or too early.
void runner_machine::step(const event::call_done& news, time_point now) {
  if (unlistening_) return leave_now(); // or its SN does not take it: a SWCI can dismiss it
  calling_ = !news.ok;
  retry_at_ = news.ok ? time_point::max() : now + retry_wait;
}

void runner_machine::step(const event::part_here& news, time_point) {
  if (!part_) part_ = current{news.part};
}

void runner_machine::step(const event::part_gone& news, time_point) {
  if (!part_ || part_->id != news.part) return;
  part_.reset();
  actions_.emplace_back(action::clean_up{});
  go_on();
}

void runner_machine::step(const event::leave&, time_point) {
  leaving_ = true;
  if (part_) end({task_failure::swop_stopped, 0});
  go_on();
}

void runner_machine::step(const event::tick&, time_point now) {
  if (now < retry_at_) return;
  retry_at_ = time_point::max();
  calling_ = false;
  go_on();
}

void runner_machine::leave_now() {
  left_ = true;
  actions_.emplace_back(action::left{});
}

void runner_machine::call(runner_action what) {
  calling_ = true;
  actions_.push_back(std::move(what));
}

void runner_machine::end(failure why) {
  if (std::exchange(part_->ending, true)) return;
  actions_.emplace_back(action::end_part{part_->id, why});
}

part_id runner_machine::told_part() const {
  const auto& [head, swop] = read_->view;
  return {head.run, head.times.assigned, swop.attempt};
}

/// Whether the taskrunner waits for peers and this SWOP has some.
bool runner_machine::is_wanted() const {
  const auto& [head, swop] = read_->view;
  const bool has_peers = head.type != contracts::task_type::run_swarm || slots_ > 0;
  if (swop.status == part_status::invited) return has_peers;
  return has_peers && head.state == taskrunner_state::enrolling && head.mode != contracts::assign_mode::target
         && swop.status == part_status::none && head.enrolled + head.invited < head.quorum;
}

/// The part under way is the one that the contract speaks of, or it is ended.
void runner_machine::see_to_part() {
  const auto& [head, swop] = read_->view;
  const bool takes_part = head.state != taskrunner_state::idle && swop.status >= part_status::active;
  if (part_ && (!takes_part || part_->id != told_part())) return end({});
  if (!cleaned_) {
    cleaned_ = true;
    actions_.emplace_back(action::clean_up{takes_part ? std::optional(told_part()) : std::nullopt});
  }
  if (part_) {
    if (!part_->ending) actions_.emplace_back(action::tell_part{{swop, read_->pairs}});
    return;
  }
  if (leaving_ || swop.status != part_status::active || !takes_part) return;
  part_ = current{told_part()};
  actions_.emplace_back(action::begin_part{part_->id, head.task, swop.pairs});
  actions_.emplace_back(action::tell_part{{swop, read_->pairs}});
}

void runner_machine::go_on() {
  if (left_) return;
  if (!read_) {
    if (leaving_) leave_now();
    return;
  }
  see_to_part();
  if (calling_) return;
  const auto& [head, swop] = read_->view;
  if (leaving_ && !part_) {
    if (!swop.listening) return leave_now();
    unlistening_ = true;
    call(action::unlisten{});
  } else if (leaving_) {
    return;
  } else if (!swop.listening || swop.slots != slots_) {
    call(action::listen{slots_});
  } else if (is_wanted() && !part_) {
    call(action::enrol{head.run});
  }
}

std::optional<part_id> runner_machine::part() const {
  return part_ ? std::optional(part_->id) : std::nullopt;
}

std::string runner_machine::status() const {
  if (!read_) return "waits for its taskrunner";
  const auto& [head, swop] = read_->view;
  if (part_ && part_->ending) return fmt::format("ends its part in run {}", part_->id.run);
  if (part_) return fmt::format("task {}, run {}", head.task, part_->id.run);
  if (!swop.listening) return "is about to listen";
  return head.state == taskrunner_state::idle ? "waits for a task"
                                              : fmt::format("takes no part in run {}", head.run);
}

} // namespace swarm::swop
