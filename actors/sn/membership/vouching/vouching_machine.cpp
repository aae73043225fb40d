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

/// How many SNs of this organisation act before this one, of which it is a member.
std::size_t vouching_machine::place() const {
  std::size_t before = 0;
  for (const auto& sn : council_) {
    if (sn.account == self_) break;
    if (sn.organisation == own_organisation()) ++before;
  }
  return before;
}

/// The same for one applicant: the SN that it came through is the first.
std::size_t vouching_machine::place_for(const applicant& one) const {
  if (one.parent == self_) return 0;
  const auto at = std::find_if(council_.begin(), council_.end(), [&](const member_sn& sn) {
    return sn.account == one.parent && sn.organisation == own_organisation();
  });
  const auto here = std::find_if(council_.begin(), council_.end(),
                                 [&](const member_sn& sn) { return sn.account == self_; });
  return place() + (at != council_.end() && at > here ? 1 : 0);
}

/// How many SNs settle an applicant before this one. Each organisation is the first for some applicants, by their accounts.
std::size_t vouching_machine::place_to_settle(const address& account) const {
  std::set<organisation_id> all;
  for (const auto& sn : council_)
    all.insert(sn.organisation);
  if (all.empty()) return 0;
  const auto own = own_organisation().value_or(organisation_id{0});
  const auto at = static_cast<std::size_t>(std::distance(all.begin(), all.lower_bound(own)));
  return (at + account[19]) % all.size() + place();
}

std::vector<address> vouching_machine::accounts() const {
  std::vector<address> out;
  for (const auto& [account, one] : applicants_)
    out.push_back(account);
  return out;
}

void vouching_machine::step(const event::council& news, time_point now) {
  council_ = news.sns;
  step(event::tick{}, now);
}

void vouching_machine::step(const event::applied& news, time_point now) {
  const auto known = applicants_.find(news.account);
  const bool again = known != applicants_.end() && known->second.statement == news.statement;
  if (again && (known->second.good || !news.objection.empty())) return;
  if (known == applicants_.end() && applicants_.size() >= applicants_max) return;
  auto& one = applicants_[news.account];
  const auto vouched_by = again ? std::move(one.vouched_by) : std::set<organisation_id>();
  one = {.statement = news.statement,
         .organisation = news.organisation,
         .parent = news.parent,
         .good = news.objection.empty(),
         .since = now,
         .vouched_by = vouched_by,
         .vouched_at = {},
         .accused = false,
         .settle_at = {},
         .settled = 0};
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
  const auto own = own_organisation();
  accused_[news.organisation] = now;
  if (!own) return;
  if (news.organisation == *own) {
    answer_at_ = now + turn * place();
    return answer(now);
  }
  for (auto& [account, one] : applicants_)
    if (one.good && !one.settle_at) one.settle_at = now + settle_after + turn * place_to_settle(account);
}

void vouching_machine::step(const event::answered& news, time_point) {
  if (news.organisation == own_organisation()) answer_at_ = {};
}

void vouching_machine::answer(time_point now) {
  if (!answer_at_ || now < *answer_at_ || !own_organisation()) return;
  answer_at_ = now + answer_again_after;
  actions_.emplace_back(action::answer{});
}

void vouching_machine::step(const event::lost& news, time_point now) {
  if (news.account == self_ || !own_organisation()) return;
  if (removed_.size() >= notes_max)
    std::erase_if(removed_, [&](const auto& one) { return now >= one.second + remove_again_after; });
  const auto [at, is_new] = removed_.try_emplace(news.account, now);
  if (!is_new && now < at->second + remove_again_after) return;
  at->second = now;
  actions_.emplace_back(
      action::say{fmt::format("{} is removed from the network: {}", news.who, news.why), true});
  actions_.emplace_back(action::remove{news.account});
}

void vouching_machine::step(event::tick, time_point now) {
  answer(now);
  for (auto& [account, one] : applicants_)
    look_at(account, one, now);
}

void vouching_machine::look_at(const address& account, applicant& one, time_point now) {
  const auto own = own_organisation();
  if (!own || !one.good) return;
  const auto wait = turn * place_for(one);
  const bool due = one.vouched_at ? now >= *one.vouched_at + vouch_again_after : now >= one.since + wait;
  if (due && !one.vouched_by.contains(*own)) vouch(account, one, now);
  if (!one.accused && one.vouched_by.contains(*own) && now >= one.since + patience + wait)
    accuse(account, one, now);
  if (one.settle_at && now >= *one.settle_at) settle(account, one, now);
}

void vouching_machine::settle(const address& account, applicant& one, time_point now) {
  if (!settles_.afford(one.organisation, now)) return;
  one.settle_at = {};
  if (++one.settled < settles_max)
    one.settle_at = now + settle_after; // perhaps it was too early, or got lost
  actions_.emplace_back(action::settle{account});
}

void vouching_machine::vouch(const address& account, applicant& one, time_point now) {
  if (!budget_.afford(one.organisation, now)) return;
  one.vouched_at = now;
  ++vouches_;
  actions_.emplace_back(action::vouch{account, one.statement});
}

/// Accuses organisations that have not vouched. One that was accused lately, by anybody, is not again.
void vouching_machine::accuse(const address& account, applicant& one, time_point now) {
  one.accused = true;
  for (const auto& sn : council_) {
    if (!sn.live || one.vouched_by.contains(sn.organisation)) continue;
    const auto [at, is_new] = accused_.try_emplace(sn.organisation, now);
    if (!is_new && now < at->second + accuse_again_after) continue;
    at->second = now;
    actions_.emplace_back(action::accuse{sn.organisation});
  }
  one.settle_at = now + settle_after + turn * place_to_settle(account);
}

} // namespace swarm::vouching
