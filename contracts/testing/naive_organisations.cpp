#include "contracts/testing/naive_organisations.hpp"

#include <algorithm>
#include <set>

namespace swarm::contracts {

namespace {

std::string small(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

} // namespace

naive_organisations::naive_organisations(const std::vector<ledger::founder>& founders) {
  for (const auto& one : founders) {
    ++last_id_;
    organisations_.push_back({.id = last_id_,
                              .name = one.name,
                              .anchors = one.anchors,
                              .limits = organisation_limits{},
                              .members = static_cast<std::uint32_t>(one.validators.size())});
    for (const auto& account : one.validators)
      accounts_[account] = last_id_;
  }
}

organisation_view* naive_organisations::find(organisation_id id) {
  for (auto& one : organisations_)
    if (one.id == id) return &one;
  return nullptr;
}

organisation_id naive_organisations::voter_of(const address& caller) const {
  const auto found = accounts_.find(caller);
  if (found == accounts_.end()) return 0;
  for (const auto& one : organisations_)
    if (one.id == found->second) return one.id;
  return 0;
}

bool naive_organisations::is_open(const motion_view& what) const {
  if (block_num > what.expires_block) return false;
  if (what.kind == motion_kind::admit) return true;
  return std::any_of(organisations_.begin(), organisations_.end(),
                     [&](const auto& one) { return one.id == what.organisation; });
}

bool naive_organisations::are_free(const std::vector<hash32>& anchors, organisation_id besides) const {
  const std::set<hash32> distinct(anchors.begin(), anchors.end());
  if (anchors.empty() || anchors.size() > 16 || distinct.size() != anchors.size()
      || distinct.contains(hash32{}))
    return false;
  for (const auto& one : organisations_)
    for (const auto& anchor : one.anchors)
      if (one.id != besides && distinct.contains(anchor)) return false;
  return true;
}

std::size_t naive_organisations::needed(const motion_view& what) const {
  std::size_t all = 0;
  for (const auto& one : organisations_)
    if (one.members > 0 && !(what.kind == motion_kind::remove && one.id == what.organisation)) ++all;
  const auto half = all / 2 + 1;
  return what.kind == motion_kind::remove && half < 2 ? 2 : half;
}

std::size_t naive_organisations::counted(const motion_view& what) const {
  std::size_t out = 0;
  for (const auto& one : organisations_)
    if (one.members > 0 && !(what.kind == motion_kind::remove && one.id == what.organisation)
        && std::count(what.voters.begin(), what.voters.end(), one.id) == 1)
      ++out;
  return out;
}

motion_view* naive_organisations::find_motion(const hash32& key) {
  for (auto& one : motions_)
    if (one.key == key) return &one;
  return nullptr;
}

void naive_organisations::withdraw(organisation_id by, const hash32& key) {
  std::erase(find_motion(key)->voters, by);
  std::erase_if(motions_, [](const auto& one) { return one.voters.empty(); });
}

void naive_organisations::tidy(organisation_id by) {
  std::vector<hash32> over;
  for (const auto& one : motions_)
    if (!is_open(one) && std::count(one.voters.begin(), one.voters.end(), by) == 1) over.push_back(one.key);
  for (const auto& key : over)
    withdraw(by, key);
}

bool naive_organisations::cast(const address& caller, motion_view what) {
  const auto by = voter_of(caller);
  tidy(by);
  std::vector<hash32> own;
  for (const auto& one : motions_)
    if (std::count(one.voters.begin(), one.voters.end(), by) == 1) own.push_back(one.key);
  for (const auto key : own) {
    const auto other = *find_motion(key);
    if (key == what.key || other.kind != what.kind || other.organisation != what.organisation
        || small(other.name) != small(what.name))
      continue;
    withdraw(by, key);
    std::erase(own, key);
    events.emplace_back(vote_taken_back{key, by, caller});
    break;
  }
  std::erase_if(motions_, [&](const auto& one) { return one.key == what.key && !is_open(one); });
  auto* standing = find_motion(what.key);
  const bool repeated =
      standing != nullptr && std::count(standing->voters.begin(), standing->voters.end(), by) == 1;
  if (!repeated && own.size() >= 8) return false;
  if (standing == nullptr) {
    what.expires_block = block_num + 1'000'000;
    motions_.push_back(what);
    standing = &motions_.back();
    events.emplace_back(motion_begun{what.key, what.kind, what.organisation, what.name, what.anchors,
                                     what.limits, what.expires_block});
  }
  if (!repeated) {
    standing->voters.push_back(by);
    events.emplace_back(organisation_voted{what.key, by, caller});
  }
  if (counted(*standing) >= needed(*standing)) {
    const auto passed = *standing;
    std::erase_if(motions_, [&](const auto& one) { return one.key == passed.key; });
    pass(passed);
    return true;
  }
  return !repeated;
}

void naive_organisations::pass(const motion_view& what) {
  auto* target = find(what.organisation);
  switch (what.kind) {
  case motion_kind::admit:
    ++last_id_;
    organisations_.push_back({last_id_, what.name, block_num, what.anchors, organisation_limits{}, 0});
    events.emplace_back(organisation_admitted{last_id_, what.name, what.anchors});
    return;
  case motion_kind::set_anchors:
    target->anchors = what.anchors;
    events.emplace_back(anchors_changed{what.organisation, what.anchors});
    return;
  case motion_kind::set_limits:
    target->limits = what.limits;
    events.emplace_back(limits_changed{what.organisation, what.limits});
    return;
  default:
    events.emplace_back(organisation_removed{what.organisation, target->name});
    std::erase_if(organisations_, [&](const auto& one) { return one.id == what.organisation; });
    for (auto& one : motions_)
      std::erase(one.voters, what.organisation);
    std::erase_if(motions_, [](const auto& one) { return one.voters.empty(); });
  }
}

bool naive_organisations::call(const address& caller, admit_organisation_args args) {
  if (voter_of(caller) == 0 || args.name.empty() || args.name.size() > 64 || args.name.front() == ' '
      || args.name.back() == ' ' || args.name.find('\n') != std::string::npos || !are_free(args.anchors, 0))
    return false;
  for (const auto& one : organisations_)
    if (small(one.name) == small(args.name)) return false;
  std::sort(args.anchors.begin(), args.anchors.end());
  return cast(
      caller,
      {.key = motion_key(args), .kind = motion_kind::admit, .name = args.name, .anchors = args.anchors});
}

bool naive_organisations::call(const address& caller, const remove_organisation_args& args) {
  const auto by = voter_of(caller);
  if (by == 0 || by == args.organisation || find(args.organisation) == nullptr) return false;
  return cast(caller,
              {.key = motion_key(args), .kind = motion_kind::remove, .organisation = args.organisation});
}

bool naive_organisations::call(const address& caller, set_anchors_args args) {
  std::sort(args.anchors.begin(), args.anchors.end());
  const auto* target = find(args.organisation);
  if (voter_of(caller) == 0 || target == nullptr || !are_free(args.anchors, args.organisation)
      || target->anchors == args.anchors)
    return false;
  return cast(caller, {.key = motion_key(args),
                       .kind = motion_kind::set_anchors,
                       .organisation = args.organisation,
                       .anchors = args.anchors});
}

bool naive_organisations::call(const address& caller, const set_limits_args& args) {
  const auto* target = find(args.organisation);
  const auto& l = args.limits;
  if (voter_of(caller) == 0 || target == nullptr || target->limits == l || l.nodes == 0 || l.trainings == 0
      || l.peers_per_training == 0 || l.chain_bytes_per_day == 0 || l.p2p_places == 0 || l.model_bytes == 0)
    return false;
  return cast(caller, {.key = motion_key(args),
                       .kind = motion_kind::set_limits,
                       .organisation = args.organisation,
                       .limits = l});
}

bool naive_organisations::call(const address& caller, const take_back_vote_args& args) {
  const auto by = voter_of(caller);
  const auto* what = find_motion(args.motion);
  if (by == 0 || what == nullptr || !is_open(*what)
      || std::count(what->voters.begin(), what->voters.end(), by) == 0)
    return false;
  tidy(by);
  withdraw(by, args.motion);
  events.emplace_back(vote_taken_back{args.motion, by, caller});
  return true;
}

std::vector<organisation_view> naive_organisations::organisations() const {
  return organisations_;
}

std::vector<motion_view> naive_organisations::motions() const {
  auto out = motions_;
  for (auto& one : out) {
    one.open = is_open(one);
    one.needed = static_cast<std::uint16_t>(needed(one));
  }
  return out;
}

} // namespace swarm::contracts
