#include "actors/swop/task/task_machine.hpp"

#include <algorithm>
#include <tuple>

namespace swarm::swop {

namespace {

bool has_ended(part_status status) {
  return status == part_status::complete || status == part_status::failed;
}

} // namespace

task_machine::task_machine(options from) : options_(from) {
  if (!runs_swarm()) return;
  for (std::uint32_t i = 0; i < options_.pairs; ++i)
    pairs_.emplace_back(i);
}

void task_machine::begin(time_point now) {
  read_asked_ = now;
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
  heard_ = true;
  // What has ended for the contract has ended, whatever is said of it now.
  for (std::uint32_t i = 0; i < std::min(pairs_.size(), news.pairs.size()); ++i)
    if (has_ended(news.pairs[i].status)) pairs_[i].fail({news.pairs[i].failure, 0});
  go_on(now);
}

void task_machine::step(const event::report_done&, time_point now) {
  reporting_.reset();
  read_asked_ = now;
  actions_.emplace_back(action::read{});
  go_on(now);
}

void task_machine::step(const event::stop& why, time_point now) {
  if (std::holds_alternative<done>(phase_)) {
    actions_.emplace_back(action::finished{}); // whoever asks has not heard it
    return;
  }
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

/// Nothing is started before the contract has said what has ended already.
bool task_machine::pairs_go_on() const {
  return std::holds_alternative<stopping>(phase_) || (std::holds_alternative<running>(phase_) && heard_);
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
  if (pairs_go_on())
    for (auto& pair : pairs_)
      pair.go_on(actions_, now);
  look_after_report(now);
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

} // namespace

/// A report or a reading that does not come is not waited for for ever.
void task_machine::look_after_report(time_point now) {
  if (std::holds_alternative<preparing>(phase_)) return;
  if (reporting_ ? now < *reporting_ + report_max : contract_ || now < read_asked_ + read_max) return;
  reporting_.reset();
  read_asked_ = now;
  actions_.emplace_back(action::read{});
}

/// True: a report is under way now.
bool task_machine::tell_one(action::report wanted, const action::report& known, time_point now) {
  if (has_ended(known.status)) return false;
  if (wanted.sl.is_zero()) wanted.sl = known.sl; // a restarted SWOP has not heard it yet
  auto& before = told_[wanted.index];
  const bool again = before.times > 0 && before.what == wanted;
  const auto as_told = wanted;
  if (again) wanted.sl = known.sl; // the account may be why it was refused
  if (wanted == known) return false;
  auto due = again ? before.at + before.wait : time_point::min();
  const bool is_progress = wanted.status == known.status;
  if (is_progress && progress_told_ != time_point::min())
    due = std::max(due, progress_told_ + report_interval);
  if (now < due) {
    tell_at_ = std::min(due, tell_at_.value_or(due));
    return false;
  }
  if (is_progress) progress_told_ = now;
  before = {as_told, now, again ? std::min(before.wait * 2, report_interval_max) : report_interval,
            again ? before.times + 1 : 1};
  reporting_ = now;
  contract_.reset();
  actions_.emplace_back(wanted);
  return true;
}

void task_machine::tell(time_point now) {
  tell_at_.reset();
  tell_next(now);
}

/// What has ended comes first, then that of which nothing was told for longest.
bool task_machine::tell_pairs(time_point now) {
  std::vector<std::tuple<bool, time_point, std::uint32_t>> order;
  for (std::uint32_t i = 0; i < std::min(pairs_.size(), contract_->pairs.size()); ++i)
    order.emplace_back(!has_ended(pairs_[i].report().status), told_[i].at, i);
  std::ranges::sort(order);
  for (const auto& [goes_on, at, i] : order) {
    auto known = known_of(contract_->pairs[i]);
    known.index = i;
    known.sl = contract_->pairs[i].sl;
    if (tell_one(pairs_[i].report(), known, now)) return true;
  }
  return false;
}

/// One report at a time: the contract's answer says what it lacks.
void task_machine::tell_next(time_point now) {
  const auto* end = std::get_if<stopping>(&phase_);
  if (reporting_ || !contract_ || std::holds_alternative<done>(phase_) || (end != nullptr && !end->tell))
    return;
  const auto& part = contract_->part;
  if (part.status != part_status::active) return;
  if (runs_swarm() && !std::holds_alternative<preparing>(phase_))
    tell_pairs(now);
  else
    tell_one(own_report(), known_of(part), now);
}

time_point task_machine::wake_at() const {
  if (finished()) return time_point::max();
  auto out = tell_at_.value_or(time_point::max());
  if (std::holds_alternative<preparing>(phase_)) return out;
  if (reporting_)
    out = std::min(out, *reporting_ + report_max);
  else if (!contract_)
    out = std::min(out, read_asked_ + read_max);
  if (!pairs_go_on()) return out;
  for (const auto& pair : pairs_)
    out = std::min(out, pair.wake_at());
  return out;
}

} // namespace swarm::swop
