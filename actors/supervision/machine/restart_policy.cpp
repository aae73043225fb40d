#include "actors/supervision/machine/restart_policy.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::actors {

namespace {

std::string in_words(const exit_info& how) {
  switch (how.kind) {
  case exit_kind::normal:
    return "ended though it is to run for ever";
  case exit_kind::shutdown:
  case exit_kind::restarting:
    return "was shut down by somebody else";
  case exit_kind::killed:
    return "was killed";
  case exit_kind::error:
    break;
  }
  return how.text.empty() ? "an error without text" : how.text;
}

std::string in_seconds(duration period) {
  return fmt::format("{:g} s", std::chrono::duration<double>(period).count());
}

bool to_be_restarted(restart when, exit_kind kind) {
  if (when == restart::permanent) return true;
  return when == restart::transient && (kind == exit_kind::error || kind == exit_kind::killed);
}

} // namespace

bool restart_policy::add(std::string name, restart when) {
  if (has(name)) return false;
  children_.push_back({std::move(name), when});
  return true;
}

void restart_policy::remove(std::string_view name) {
  std::erase_if(children_, [&](const child& c) { return c.name == name; });
}

bool restart_policy::has(std::string_view name) const {
  return std::any_of(children_.begin(), children_.end(), [&](const child& c) { return c.name == name; });
}

std::vector<std::string> restart_policy::names() const {
  std::vector<std::string> out;
  for (const auto& c : children_)
    out.push_back(c.name);
  return out;
}

restart_decision restart_policy::child_exited(std::string_view name, const exit_info& how, time_point now) {
  const auto self =
      std::find_if(children_.begin(), children_.end(), [&](const child& c) { return c.name == name; });
  SWARM_ASSERT(self != children_.end());
  restart_decision out;
  if (!to_be_restarted(self->when, how.kind)) {
    if (self->when == restart::temporary) {
      out.forget.push_back(self->name);
      children_.erase(self);
    }
    return out;
  }
  while (!restarts_.empty() && now - restarts_.front().at > limit_.period)
    restarts_.pop_front();
  restarts_.push_back({now, self->name, how.failures});
  for (const auto& past : restarts_) {
    out.failures += past.failures;
    if (past.name == name) out.own_failures += past.failures;
  }
  if (out.failures > limit_.max_restarts) {
    out.escalate = give_up_reason(name, how, out);
    return out;
  }
  auto first = strategy_ == strategy::one_for_all ? children_.begin() : self;
  const auto last = strategy_ == strategy::one_for_one ? std::next(self) : children_.end();
  for (auto it = first; it != last; ++it) {
    const bool again = it->when != restart::temporary;
    if (it != self) out.stop.insert(out.stop.begin(), it->name);
    (again ? out.restart : out.forget).push_back(it->name);
  }
  for (const auto& gone : out.forget)
    remove(gone);
  return out;
}

std::string restart_policy::give_up_reason(std::string_view name, const exit_info& how,
                                           const restart_decision& count) const {
  if (how.failures > 1) return fmt::format("{}: child \"{}\" gave up; {}", path_, name, how.text);
  const auto of_this = count.own_failures;
  const auto others = count.failures - of_this;
  const auto siblings = others == 0 ? std::string{} : fmt::format(" (its siblings {})", others);
  return fmt::format("{}: child \"{}\" failed {} time{}{} within {}, {} allowed; last error: {}", path_, name,
                     of_this, of_this == 1 ? "" : "s", siblings, in_seconds(limit_.period),
                     limit_.max_restarts, in_words(how));
}

} // namespace swarm::actors
