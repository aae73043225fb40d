#include "actors/supervision/machine/supervisor_machine.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace swarm::actors {

using what = supervisor_action::what;

supervisor_machine::supervisor_machine(settings s)
    : settings_(std::move(s)), policy_(settings_.path, settings_.how, settings_.intensity) {}

supervisor_machine::actions supervisor_machine::start(const std::vector<child_rule>& children,
                                                      time_point now) {
  SWARM_ASSERT(!started_);
  started_ = true;
  for (const auto& rule : children) {
    SWARM_ASSERT(policy_.add(rule.name, rule.when));
    children_.push_back({rule});
  }
  return advance(now);
}

supervisor_machine::actions supervisor_machine::child_ready(std::string_view name, time_point now) {
  if (auto* c = find(name); c && c->now == state::starting) c->now = state::up;
  return advance(now);
}

supervisor_machine::actions supervisor_machine::child_exited(std::string_view name, const exit_info& how,
                                                             time_point now) {
  auto* c = find(name);
  if (!c || c->now == state::down) return {};
  const bool expected = !alive(*c) || c->to_stop || ending_;
  actions out;
  came_down(*c, out);
  if (!expected) {
    const auto decision = policy_.child_exited(name, how, now);
    c->wanted = false;
    carry_out(decision, now);
    for (const auto& gone : decision.forget) {
      auto* other = find(gone);
      if (!other || other->now != state::down) continue;
      out.push_back({what::forget, gone, {}});
      std::erase_if(children_, [&](const child& each) { return each.rule.name == gone; });
    }
  }
  auto more = advance(now);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

void supervisor_machine::carry_out(const restart_decision& decision, time_point now) {
  if (decision.failures > 0) failures_ = decision.failures;
  if (decision.escalate)
    return begin_end({exit_kind::error, *decision.escalate, decision.failures},
                     false); // restarts did not help
  for (const auto& name : decision.stop)
    if (auto* c = find(name); c && alive(*c)) c->to_stop = c->again = true;
  for (const auto& name : decision.forget)
    if (auto* c = find(name)) c->to_forget = true;
  for (const auto& name : decision.restart) {
    auto* c = find(name);
    c->wanted = true;
    c->not_before = now + pause_before(decision.own_failures);
  }
}

duration supervisor_machine::pause_before(unsigned failure) const {
  auto pause = settings_.backoff_first;
  for (unsigned i = 1; i < failure && pause < settings_.backoff_max; ++i)
    pause *= 2;
  return std::min(pause, settings_.backoff_max);
}

bool supervisor_machine::may_add(std::string_view name) const {
  return started_ && !ending_ && (!has(name) || !active(name));
}

supervisor_machine::actions supervisor_machine::add(const child_rule& rule, time_point now) {
  SWARM_ASSERT(may_add(rule.name));
  std::erase_if(children_, [&](const child& c) { return c.rule.name == rule.name; });
  policy_.remove(rule.name);
  policy_.add(rule.name, rule.when);
  children_.push_back({rule});
  return advance(now);
}

supervisor_machine::actions supervisor_machine::remove(std::string_view name, time_point now) {
  auto* c = find(name);
  if (!c) return {};
  policy_.remove(name);
  c->wanted = c->again = false;
  c->to_forget = true;
  actions out;
  if (alive(*c)) c->to_stop = true;
  if (c->now == state::down) came_down(*c, out);
  auto more = advance(now);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

supervisor_machine::actions supervisor_machine::stop(exit_info why, time_point now) {
  const bool again = why.kind != exit_kind::shutdown;
  if (!ending_) begin_end(std::move(why), again);
  return advance(now);
}

supervisor_machine::actions supervisor_machine::tick(time_point now) {
  return advance(now);
}

void supervisor_machine::begin_end(exit_info why, bool again) {
  ending_ = std::move(why);
  for (auto& c : children_) {
    c.wanted = false;
    c.again = again;
    if (alive(c)) c.to_stop = true;
  }
}

/// Erases the child when it is to be forgotten; then the reference is no longer valid.
void supervisor_machine::came_down(child& c, actions& out) {
  c.now = state::down;
  c.to_stop = c.again = false;
  if (!c.to_forget) return;
  const auto name = c.rule.name;
  out.push_back({what::forget, name, {}});
  std::erase_if(children_, [&](const child& each) { return each.rule.name == name; });
}

supervisor_machine::actions supervisor_machine::advance(time_point now) {
  actions out;
  if (!started_ || ended_) return out;
  if (!advance_stopping(now, out)) return out;
  if (ending_) {
    ended_ = true;
    out.push_back({what::end, {}, *ending_});
    return out;
  }
  advance_starting(now, out);
  return out;
}

/// Goes on stopping; true when nothing is left to stop.
bool supervisor_machine::advance_stopping(time_point now, actions& out) {
  for (auto& c : std::ranges::reverse_view(children_)) {
    if (c.now != state::stopping && c.now != state::killing) continue;
    if (now < c.until) return false;
    if (c.now == state::stopping) {
      c.now = state::killing;
      c.until = now + settings_.kill_grace;
      out.push_back({what::kill, c.rule.name, {}});
      return false;
    }
    c.now = state::stuck;
    c.to_stop = false;
    out.push_back({what::stuck, c.rule.name, {}});
    if (!ending_)
      begin_end(
          {exit_kind::error, fmt::format("{}: child \"{}\" is stuck: it neither stops nor can be killed",
                                         settings_.path, c.rule.name)},
          true);
  }
  for (auto& it : std::ranges::reverse_view(children_)) {
    if (!it.to_stop) continue;
    it.now = state::stopping;
    it.until = now + it.rule.shutdown_timeout;
    out.push_back({what::stop, it.rule.name, {it.again ? exit_kind::restarting : exit_kind::shutdown, {}}});
    return false;
  }
  return true;
}

void supervisor_machine::advance_starting(time_point now, actions& out) {
  const auto starting = [](const child& c) { return c.now == state::starting; };
  if (std::any_of(children_.begin(), children_.end(), starting)) return;
  bool waiting = false;
  for (auto& c : children_) {
    if (!c.wanted || c.now != state::down) continue;
    if (now < c.not_before) {
      waiting = true;
      if (settings_.how == strategy::one_for_one) continue;
      return;
    }
    c.now = state::starting;
    out.push_back({what::start, c.rule.name, {}});
    return;
  }
  if (waiting || ready_told_) return;
  ready_told_ = true;
  out.push_back({what::ready, {}, {}});
}

std::optional<time_point> supervisor_machine::deadline() const {
  std::optional<time_point> first;
  const auto consider = [&](time_point at) {
    if (!first || at < *first) first = at;
  };
  bool starting = false;
  for (const auto& c : children_) {
    if (c.now == state::stopping || c.now == state::killing) return c.until;
    starting = starting || c.now == state::starting;
  }
  if (starting || ended_) return first; // the next event comes from a child
  for (const auto& c : children_)
    if (c.wanted && c.now == state::down) consider(c.not_before);
  return first;
}

const supervisor_machine::child* supervisor_machine::find(std::string_view name) const {
  const auto it =
      std::find_if(children_.begin(), children_.end(), [&](const child& c) { return c.rule.name == name; });
  return it == children_.end() ? nullptr : &*it;
}

supervisor_machine::child* supervisor_machine::find(std::string_view name) {
  return const_cast<child*>(std::as_const(*this).find(name));
}

bool supervisor_machine::active(std::string_view name) const {
  const auto* c = find(name);
  return c && (c->wanted || c->now != state::down);
}

std::size_t supervisor_machine::running() const {
  return static_cast<std::size_t>(
      std::count_if(children_.begin(), children_.end(), [](const child& c) { return c.now != state::down; }));
}

} // namespace swarm::actors
