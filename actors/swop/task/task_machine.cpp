#include "actors/swop/task/task_machine.hpp"

#include <algorithm>

namespace swarm::swop {

task_machine::task_machine(options from) : options_(from) {
  if (!runs_swarm()) return;
  for (std::uint32_t i = 0; i < options_.pairs; ++i)
    pairs_.emplace_back(i);
}

void task_machine::begin(time_point now) {
  step_ = task_step::preparing_volumes;
  actions_.emplace_back(action::prepare{});
  tell(now);
}

void task_machine::step(const event::prepared& news, time_point now) {
  if (!std::holds_alternative<preparing>(phase_)) return;
  phase_ = running{};
  if (news.why.code != task_failure::none) {
    fail_all(news.why);
  } else if (!runs_swarm()) {
    working_ = true;
    actions_.emplace_back(action::work{});
  }
  go_on(now);
}

void task_machine::step(const event::programs_seen& news, time_point now) {
  for (std::uint32_t i = 0; i < pairs_.size(); ++i)
    for (const auto kind : {program_kind::sl, program_kind::ml}) {
      const auto at = std::ranges::find_if(
          news.all, [&](const auto& each) { return each.index == i && each.kind == kind; });
      if (at == news.all.end())
        pairs_[i].take_none(kind);
      else
        pairs_[i].take(*at, now);
    }
  go_on(now);
}

void task_machine::step(const event::start_failed& news, time_point now) {
  if (news.index < pairs_.size()) pairs_[news.index].take(news);
  go_on(now);
}

void task_machine::step(const event::session_seen& news, time_point now) {
  if (news.index < pairs_.size()) pairs_[news.index].take(news, now);
  go_on(now);
}

void task_machine::step(const event::work_going& news, time_point now) {
  step_ = news.step;
  number_ = news.number;
  tell(now);
}

void task_machine::step(const event::work_ended& news, time_point now) {
  working_ = false;
  if (!outcome_) outcome_ = news.why;
  go_on(now);
}

void task_machine::step(const event::contract_seen& news, time_point now) {
  contract_ = news;
  go_on(now);
}

void task_machine::step(const event::report_done&, time_point now) {
  reporting_ = false;
  actions_.emplace_back(action::read{});
  go_on(now);
}

void task_machine::step(const event::stop& why, time_point now) {
  if (std::holds_alternative<done>(phase_)) return;
  const bool tell_it = why.why.code != task_failure::none;
  phase_ = stopping{tell_it};
  if (working_) actions_.emplace_back(action::end_work{});
  fail_all(tell_it ? why.why : failure{task_failure::swop_stopped, 0});
  go_on(now);
}

void task_machine::step(const event::tick&, time_point now) {
  go_on(now);
}

void task_machine::fail_all(failure why) {
  if (!runs_swarm() && !outcome_) outcome_ = why;
  for (auto& pair : pairs_)
    pair.fail(why);
}

bool task_machine::all_ended() const {
  return !working_ && std::ranges::all_of(pairs_, &pair_life::ended);
}

/// The contract has all that there is to say.
bool task_machine::told() const {
  return contract_ && !reporting_ && contract_->part.status != part_status::active;
}

bool task_machine::over() const {
  return all_ended() && (runs_swarm() || outcome_);
}

void task_machine::go_on(time_point now) {
  if (std::holds_alternative<done>(phase_)) return;
  if (!std::holds_alternative<preparing>(phase_))
    for (auto& pair : pairs_)
      pair.go_on(actions_, now);
  tell(now);
  const auto* end = std::get_if<stopping>(&phase_);
  if (end == nullptr || !over() || (end->tell && !told())) return;
  phase_ = done{};
  actions_.emplace_back(action::finished{});
}

// What the contract is told

action::report task_machine::own_report() const {
  action::report out;
  out.step = step_;
  out.number = number_;
  if (working_ || !outcome_) return out;
  out.step = task_step::ended;
  out.number = 0;
  out.status = outcome_->code == task_failure::none ? part_status::complete : part_status::failed;
  out.why = *outcome_;
  return out;
}

namespace {

/// A part or a pair as the contract has it, in the form of a report.
template <class View>
action::report known_of(const View& from) {
  action::report out;
  out.status = from.status;
  out.step = from.step;
  out.why.code = from.failure;
  if (from.failure == task_failure::none)
    out.number = from.number;
  else
    out.why.number = from.number;
  return out;
}

bool has_ended(const action::report& report) {
  return report.status == part_status::complete || report.status == part_status::failed;
}

} // namespace

/// True: a report is under way now.
bool task_machine::tell_one(const action::report& wanted, const action::report& known, time_point now) {
  if (has_ended(known) || wanted == known) return false;
  const bool matters = wanted.status != known.status || wanted.sl != known.sl;
  if (!matters && progress_told_ != time_point::min() && now < progress_told_ + report_interval) {
    tell_at_ = progress_told_ + report_interval;
    return false;
  }
  if (!matters) progress_told_ = now;
  reporting_ = true;
  contract_.reset();
  actions_.emplace_back(wanted);
  return true;
}

void task_machine::tell(time_point now) {
  tell_at_.reset();
  tell_next(now);
}

/// One report at a time, what has ended first: the contract's answer says what it lacks.
void task_machine::tell_next(time_point now) {
  const auto* end = std::get_if<stopping>(&phase_);
  if (reporting_ || !contract_ || std::holds_alternative<done>(phase_) || (end != nullptr && !end->tell))
    return;
  const auto& part = contract_->part;
  if (part.status != part_status::active) return;
  if (std::holds_alternative<preparing>(phase_)) {
    tell_one(own_report(), known_of(part), now);
    return;
  }
  for (const bool ended_ones : {true, false})
    for (std::uint32_t i = 0; i < std::min(pairs_.size(), contract_->pairs.size()); ++i) {
      const auto wanted = pairs_[i].report();
      if (has_ended(wanted) != ended_ones) continue;
      auto known = known_of(contract_->pairs[i]);
      known.index = i;
      known.sl = contract_->pairs[i].sl;
      if (tell_one(wanted, known, now)) return;
    }
  if (!runs_swarm()) tell_one(own_report(), known_of(part), now);
}

time_point task_machine::wake_at() const {
  auto out = tell_at_.value_or(time_point::max());
  for (const auto& pair : pairs_)
    out = std::min(out, pair.wake_at());
  return out;
}

} // namespace swarm::swop
