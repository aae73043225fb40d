#include "actors/sn/membership/vouching/vouching_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::vouching {

using namespace std::chrono_literals;

std::optional<organisation_id> vouching_machine::own_organisation() const {
  for (const auto& sn : council_)
    if (sn.account == self_) return sn.organisation;
  return std::nullopt;
}

/// How many SNs of this organisation act before this one.
std::size_t vouching_machine::place_for(const applicant& one) const {
  if (one.parent == self_) return 0;
  const auto own = own_organisation();
  std::size_t before = 0;
  for (const auto& sn : council_) {
    if (sn.organisation != own || sn.account == self_ || !sn.live) continue;
    if (sn.account == one.parent) ++before;
  }
  for (const auto& sn : council_) {
    if (sn.account == self_) break;
    if (sn.organisation == own && sn.live && sn.account != one.parent) ++before;
  }
  return before;
}

/// False while the last time is not long enough ago; otherwise it is now.
bool vouching_machine::note(std::map<address, time_point>& in, const address& account, duration again_after,
                            time_point now) {
  if (in.size() >= notes_max)
    std::erase_if(in, [&](const auto& one) { return now >= one.second + again_after; });
  const auto [at, is_new] = in.try_emplace(account, now);
  if (!is_new && now < at->second + again_after) return false;
  if (is_new && in.size() > notes_max) {
    in.erase(at);
    return false;
  }
  at->second = now;
  return true;
}

void vouching_machine::step(const event::council& news, time_point now) {
  council_ = news.sns;
  step(event::tick{}, now);
}

void vouching_machine::step(const event::applied& news, time_point now) {
  const auto known = applicants_.find(news.account);
  if (known != applicants_.end() && known->second.statement == news.statement) return;
  if (known == applicants_.end() && applicants_.size() >= applicants_max) return;
  auto& one = applicants_[news.account];
  one = {.statement = news.statement,
         .organisation = news.organisation,
         .parent = news.parent,
         .good = news.objection.empty(),
         .since = now,
         .vouched_by = {},
         .vouched_at = {},
         .accused = false,
         .settle_at = {}};
  if (!one.good) return refuse(news, now);
  look_at(news.account, one, now);
}

void vouching_machine::refuse(const event::applied& news, time_point now) {
  ++refusals_;
  last_refusal_ = fmt::format("{}: {}", news.who, news.objection);
  auto& last = told_[news.organisation];
  if (last != time_point{} && now < last + say_again_after) return;
  last = now;
  actions_.emplace_back(
      action::say{fmt::format("this SN does not vouch for {}: {}", news.who, news.objection), true});
}

void vouching_machine::step(const event::vouched& news, time_point now) {
  const auto at = applicants_.find(news.account);
  if (at == applicants_.end() || at->second.statement != news.statement) return;
  at->second.vouched_by.insert(news.by);
  look_at(news.account, at->second, now);
}

void vouching_machine::step(const event::closed& news, time_point) {
  applicants_.erase(news.account);
  removed_.erase(news.account);
}

void vouching_machine::step(const event::accused& news, time_point now) {
  if (news.account == self_) return actions_.emplace_back(action::answer{}), void();
  note(accused_, news.account, 0s, now);
  for (auto& [account, one] : applicants_)
    if (one.good && !one.settle_at) one.settle_at = now + settle_after + turn * place_for(one);
}

void vouching_machine::step(const event::lost& news, time_point now) {
  if (news.account == self_ || !own_organisation() || !note(removed_, news.account, remove_again_after, now))
    return;
  actions_.emplace_back(
      action::say{fmt::format("{} is removed from the network: {}", news.who, news.why), true});
  actions_.emplace_back(action::remove{news.account});
}

void vouching_machine::step(event::tick, time_point now) {
  for (auto& [account, one] : applicants_)
    look_at(account, one, now);
}

void vouching_machine::look_at(const address& account, applicant& one, time_point now) {
  const auto own = own_organisation();
  if (!own || !one.good) return;
  const auto wait = turn * place_for(one);
  const bool due = one.vouched_at ? now >= *one.vouched_at + vouch_again_after : now >= one.since + wait;
  if (due && !one.vouched_by.contains(*own)) vouch(account, one, now);
  if (!one.accused && one.vouched_by.contains(*own) && now >= one.since + patience + wait) accuse(one, now);
  if (one.settle_at && now >= *one.settle_at) {
    one.settle_at = {};
    actions_.emplace_back(action::settle{account});
  }
}

void vouching_machine::vouch(const address& account, applicant& one, time_point now) {
  if (!afford(one.organisation, now)) return;
  one.vouched_at = now;
  ++vouches_;
  actions_.emplace_back(action::vouch{account, one.statement});
}

bool vouching_machine::afford(organisation_id organisation, time_point now) {
  auto& one = budgets_.try_emplace(organisation, budget{vouches_burst, now}).first->second;
  const auto passed = std::chrono::duration<double>(now - one.at).count();
  one = {std::min(vouches_burst, one.left + passed * vouches_per_second), now};
  if (one.left < 1) return false;
  one.left -= 1;
  return true;
}

/// Accuses the SNs of organisations that have not vouched. One that was accused lately, by anybody, is not again.
void vouching_machine::accuse(applicant& one, time_point now) {
  one.accused = true;
  for (const auto& sn : council_) {
    if (!sn.live || one.vouched_by.contains(sn.organisation)) continue;
    if (!note(accused_, sn.account, accuse_again_after, now)) continue;
    actions_.emplace_back(action::accuse{sn.account});
  }
  one.settle_at = now + settle_after;
}

} // namespace swarm::vouching
