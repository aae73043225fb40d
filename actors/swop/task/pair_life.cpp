#include "actors/swop/task/pair_life.hpp"

#include <algorithm>

namespace swarm::swop {

void pair_life::take(const program_fact& fact, time_point now) {
  auto& one = of(fact.kind);
  const bool is_news = fact.outcome && !one.ended;
  one.asked = true;
  one.runs = !fact.outcome;
  one.ended = fact.outcome.has_value();
  one.ended_ms = fact.ended_ms;
  one.why = fact.outcome.value_or(failure{});
  if (fact.kind != program_kind::ml || !is_news) return;
  // What the SL said before is old: it has to be asked how the session ended.
  session_ = session_state::unknown;
  heard_ = now;
  look_at_ = now;
}

void pair_life::take_none(program_kind kind) {
  auto& one = of(kind);
  if (!one.runs) return;
  one.runs = false;
  one.ended = true;
  one.why = {task_failure::processes_lost, 0};
}

void pair_life::take(const event::start_failed& news) {
  auto& one = of(news.kind);
  one.runs = false;
  one.ended = true;
  one.why = news.why;
}

void pair_life::take(const event::session_seen& news, time_point now) {
  if (!news.sl.is_zero()) account_ = news.sl;
  // A short training may be over within a second, and nobody could say any more which SL it was.
  look_at_ = now + (account_.is_zero() ? look_interval / 10 : look_interval);
  if (news.state == session_state::unknown) return;
  session_ = news.state;
  heard_ = now;
  told_step_ = news.step;
  told_number_ = news.number;
}

void pair_life::fail(failure why) {
  if (!verdict_) verdict_ = why;
}

/// The first one that failed says why: what fails after it, fails because of it.
void pair_life::judge(time_point now) {
  if (verdict_) return;
  const auto bad = [](const member& one) { return one.ended && one.why.code != task_failure::none; };
  if (bad(sl_) && bad(ml_))
    verdict_ = sl_.ended_ms != 0 && sl_.ended_ms < ml_.ended_ms ? sl_.why : ml_.why;
  else if (bad(ml_))
    verdict_ = ml_.why;
  else if (bad(sl_))
    verdict_ = sl_.why;
  else if (ml_.ended && (sl_.ended || session_ == session_state::none || now >= heard_ + silent_max))
    verdict_ = failure{};
  else if (sl_.ended && !ml_.asked)
    verdict_ = failure{task_failure::sl_exited, 0}; // well, but nobody has trained with it
}

void pair_life::go_on(std::vector<task_action>& to, time_point now) {
  if (ended_) return;
  judge(now);
  if (verdict_) {
    for (const auto kind : {program_kind::ml, program_kind::sl})
      if (auto& one = of(kind); one.runs && (!one.told_to_end || now >= *one.told_to_end + end_again)) {
        one.told_to_end = now;
        to.emplace_back(action::end_program{index_, kind});
      }
    // One that was asked to start and is not there yet is told to end when it is.
    ended_ = std::ranges::all_of(std::array{&sl_, &ml_},
                                 [](const member* one) { return one->ended || !one->asked; });
    return;
  }
  if (!sl_.asked) {
    sl_.asked = true;
    to.emplace_back(action::start{index_, program_kind::sl});
  } else if (sl_.runs && !ml_.asked) {
    ml_.asked = true;
    look_at_ = now;
    to.emplace_back(action::start{index_, program_kind::ml});
  }
  if (sl_.runs && ml_.asked && look_at_ && now >= *look_at_) {
    look_at_.reset();
    to.emplace_back(action::look{index_});
  }
}

time_point pair_life::wake_at() const {
  auto out = time_point::max();
  if (ended_) return out;
  if (verdict_) {
    for (const auto* one : {&sl_, &ml_})
      if (one->runs && one->told_to_end) out = std::min(out, *one->told_to_end + end_again);
    return out;
  }
  if (sl_.runs) out = look_at_.value_or(out);
  if (ml_.ended) out = std::min(out, heard_ + silent_max);
  return out;
}

task_step pair_life::step() const {
  if (ended_) return task_step::ended;
  if (verdict_) return task_step::stopping;
  if (sl_.ended && !ml_.ended) return task_step::waiting_for_end;
  if (!sl_.runs) return task_step::starting_sl;
  if (!ml_.runs && !ml_.ended) return task_step::starting_ml;
  if (ml_.ended) return task_step::waiting_for_peers;
  return told_step_;
}

action::report pair_life::report() const {
  action::report out;
  out.index = index_;
  out.sl = account_;
  out.step = step();
  if (!ended_) {
    out.number = contracts::number_word(out.step).empty() ? 0 : told_number_;
    return out;
  }
  out.status = failed() ? part_status::failed : part_status::complete;
  out.why = *verdict_;
  return out;
}

} // namespace swarm::swop
