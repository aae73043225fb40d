#include "actors/swop/task/runner_machine.hpp"

#include <fmt/format.h>

#include <tuple>

namespace swarm::swop {

using contracts::taskrunner_state;

void runner_machine::step(const event::taskrunner_read& news, time_point now) {
  if (news.block_num < block_num_ && now < read_at_ + stale_max) {
    read_again_at_ = std::min(read_again_at_, now + retry_wait);
    return;
  }
  if (is_news(news)) call_pause_ = begin_pause_ = {};
  block_num_ = news.block_num;
  read_at_ = now;
  read_again_at_ = time_point::max();
  read_ = news;
  go_on();
}

/// What a call changed is seen in the contract. One that failed may have been too late, or too early.
void runner_machine::step(const event::call_done& news, time_point now) {
  calling_ = false;
  if (unlistening_) return leave_now(); // or its SN does not take it: a SWCI can dismiss it
  if (news.ok) {
    block_num_ = std::max(block_num_, news.block_num);
    read_again_at_ = now + retry_wait;
  } else {
    call_pause_.begin(now);
  }
  if (leaving_) go_on();
}

void runner_machine::step(const event::part_here& news, time_point) {
  if (!part_) {
    part_ = current{news.part, {}};
    if (leaving_) end({task_failure::swop_stopped, 0});
  } else if (part_->id == news.part && part_->ending) {
    actions_.emplace_back(action::end_part{part_->id, *part_->ending}); // a restarted one has not heard it
  }
}

void runner_machine::step(const event::part_gone& news, time_point now) {
  if (!part_ || part_->id != news.part) return;
  if (!part_->ending) begin_pause_.begin(now);
  part_.reset();
  keep({});
  go_on();
}

void runner_machine::step(const event::cleaned&, time_point) {
  cleaning_ = false;
  go_on();
}

void runner_machine::step(const event::leave&, time_point) {
  leaving_ = true;
  if (part_) end({task_failure::swop_stopped, 0});
  go_on();
}

void runner_machine::step(const event::tick&, time_point now) {
  const bool may_call = call_pause_.ends(now), may_begin = begin_pause_.ends(now);
  if (now >= read_again_at_) {
    read_again_at_ = now + retry_wait;
    actions_.emplace_back(action::read{});
  }
  if (may_call || may_begin) go_on();
}

void runner_machine::leave_now() {
  left_ = true;
  actions_.emplace_back(action::left{});
}

void runner_machine::call(runner_action what) {
  calling_ = true;
  actions_.push_back(std::move(what));
}

/// A part that tells the contract before its end can be told that nobody waits for that any more.
void runner_machine::end(failure why) {
  auto& ending = part_->ending;
  if (ending && (ending->code == task_failure::none || why.code != task_failure::none)) return;
  ending = why;
  actions_.emplace_back(action::end_part{part_->id, why});
}

void runner_machine::keep(std::optional<part_id> part) {
  if (kept_ && *kept_ == part) return;
  kept_ = part;
  cleaning_ = true;
  actions_.emplace_back(action::clean_up{part});
}

/// Whether something has changed on which it depends what this SWOP has to do.
bool runner_machine::is_news(const event::taskrunner_read& news) const {
  if (!read_) return true;
  const auto key = [](const event::taskrunner_read& from) {
    const auto& [head, swop] = from.view;
    return std::tuple(head.run, head.times.assigned, head.state, swop.listening, swop.status, swop.attempt);
  };
  return key(*read_) != key(news);
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

/// The part under way is the one that the contract speaks of, or it is ended. One that a SWCI has declared gone has
/// failed for the contract: nobody counts on what it does.
void runner_machine::see_to_part() {
  const auto& [head, swop] = read_->view;
  const bool takes_part = head.state != taskrunner_state::idle && swop.status >= part_status::active
                          && swop.failure != task_failure::left;
  if (part_ && (!takes_part || part_->id != told_part())) return end({});
  if (!leaving_) keep(takes_part ? std::optional(told_part()) : std::nullopt);
  if (part_) {
    actions_.emplace_back(action::tell_part{{swop, read_->pairs}});
    return;
  }
  if (leaving_ || swop.status != part_status::active || !takes_part || cleaning_ || begin_pause_.is_on())
    return;
  part_ = current{told_part(), {}};
  actions_.emplace_back(action::begin_part{part_->id, head.task, swop.pairs});
  actions_.emplace_back(action::tell_part{{swop, read_->pairs}});
}

void runner_machine::go_on() {
  if (left_) return;
  if (read_) see_to_part();
  if (calling_) return;
  if (leaving_) {
    if (!part_) keep({}); // of a former life, when nothing was heard of it yet
    if (part_ || cleaning_) return;
    if (!may_listen_ && (!read_ || !read_->view.swop.listening)) return leave_now();
    unlistening_ = true;
    return call(action::unlisten{});
  }
  if (!read_ || call_pause_.is_on() || read_again_at_ != time_point::max()) return;
  const auto& [head, swop] = read_->view;
  if (!swop.listening || swop.slots != slots_) {
    may_listen_ = true;
    call(action::listen{slots_});
  } else if (is_wanted() && !part_) {
    call(action::enrol{head.run, head.task});
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
