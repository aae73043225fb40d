#include "transport/p2p/neighbor_book.hpp"

#include <algorithm>

namespace swarm::p2p {

namespace {

constexpr std::size_t refusals_max = 256;
constexpr std::size_t scores_max = 256;
/// After a connection that lasted so long the waiting times start anew.
constexpr duration steady_after = std::chrono::seconds(5);
/// Endpoints that failed so often in a row wait for each other by time alone.
constexpr std::uint64_t failures_told_apart = 4;
/// What one organisation told of has this part of all dials.
constexpr std::size_t told_dials_part = 4;

} // namespace

bool fresh_one_stays(const address& own, const address& neighbor, const connection_facts& old,
                     const connection_facts& fresh) {
  if (old.neighbor_instance != fresh.neighbor_instance) return true;
  if (old.dialled_here != fresh.dialled_here) return fresh.dialled_here == (own < neighbor);
  return fresh.number > old.number;
}

neighbor_book::neighbor_book(const p2p_options& options, const address& own, std::uint64_t seed)
    : options_(options), own_(own), seed_(seed) {}

neighbor_book::target& neighbor_book::add(const std::string& endpoint, time_point now) {
  const auto found = targets_.find(endpoint);
  if (found != targets_.end()) return found->second;
  back_off waits(options_.dial_first, options_.dial_longest, ++seed_);
  return targets_.emplace(endpoint, target{.waits = waits, .next_at = now}).first->second;
}

void neighbor_book::configure(const std::string& endpoint, time_point now) {
  auto& entry = add(endpoint, now);
  entry.configured = true;
}

void neighbor_book::set_registered(const std::set<std::string>& endpoints, time_point now) {
  for (auto& [endpoint, entry] : targets_)
    entry.registered = endpoints.contains(endpoint);
  for (const auto& endpoint : endpoints)
    if (endpoint != options_.endpoint) add(endpoint, now).registered = true;
}

void neighbor_book::learn(const address& account, const std::string& endpoint, const hash32& told_by,
                          time_point now) {
  if (account == own_ || endpoint.empty() || endpoint == options_.endpoint || targets_.contains(endpoint))
    return;
  // One neighbor's claim must not redirect an account: the endpoint that was told first is tried until it has
  // failed often enough.
  const bool known = std::any_of(targets_.begin(), targets_.end(), [&](const auto& each) {
    return !each.second.stays() && each.second.account == account;
  });
  if (known || !make_room(told_by)) return;
  auto& entry = add(endpoint, now);
  entry.account = account;
  entry.told_by = told_by;
}

/// Room for one more endpoint that somebody of `told_by` tells of. When there is none, the organisation that told most
/// loses the one that failed most often, if it is another one.
bool neighbor_book::make_room(const hash32& told_by) {
  std::map<hash32, std::size_t> told;
  std::size_t learned = 0;
  for (const auto& [endpoint, entry] : targets_) {
    if (entry.stays()) continue;
    ++learned;
    if (entry.told_by) ++told[*entry.told_by];
  }
  if (learned < options_.learned_max) return true;
  const auto most = std::max_element(told.begin(), told.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == told.end() || told[told_by] + 1 >= most->second) return false;
  auto worst = targets_.end();
  for (auto at = targets_.begin(); at != targets_.end(); ++at)
    if (!at->second.stays() && !at->second.dialling && at->second.told_by == most->first
        && (worst == targets_.end() || at->second.waits.attempts() > worst->second.waits.attempts()))
      worst = at;
  if (worst == targets_.end()) return false;
  targets_.erase(worst);
  return true;
}

std::vector<neighbor_book::dial_order> neighbor_book::due(const std::set<address>& connected,
                                                          std::size_t under_way, time_point now) {
  using named = std::pair<const std::string, target>;
  std::vector<named*> waiting;
  for (auto& each : targets_) {
    const auto& entry = each.second;
    if (entry.dialling || entry.own || now < entry.next_at) continue;
    if (entry.account && (connected.contains(*entry.account) || refused(*entry.account, now))) continue;
    waiting.push_back(&each);
  }
  const auto rank = [](const named* of) {
    return std::pair(std::min(of->second.waits.attempts(), failures_told_apart), of->second.next_at);
  };
  std::stable_sort(waiting.begin(), waiting.end(),
                   [&](const named* a, const named* b) { return rank(a) < rank(b); });
  std::vector<dial_order> out;
  for (auto* each : waiting) {
    auto& [endpoint, entry] = *each;
    if (!may_dial(entry, under_way + out.size())) continue;
    entry.dialling = true;
    out.push_back({endpoint, entry.stays() ? std::nullopt : entry.account});
  }
  return out;
}

bool neighbor_book::may_dial(const target& which, std::size_t under_way) const {
  // Half of the places stay free for nodes that dial this one.
  if (under_way >= (which.stays() ? options_.neighbors_max : options_.neighbors_max / 2)) return false;
  std::size_t all = 0, told = 0, told_by_same = 0;
  for (const auto& [endpoint, entry] : targets_) {
    if (!entry.dialling || entry.connected) continue;
    ++all;
    told += entry.stays() ? 0 : 1;
    told_by_same += !entry.stays() && entry.told_by == which.told_by ? 1 : 0;
  }
  if (all >= options_.dials_max) return false;
  return which.stays()
         || (told < options_.dials_max / 2
             && told_by_same < std::max<std::size_t>(options_.dials_max / told_dials_part, 1));
}

void neighbor_book::answered(const std::string& endpoint, const address& account) {
  const auto found = targets_.find(endpoint);
  if (found == targets_.end()) return;
  found->second.account = account;
  found->second.connected = true;
}

void neighbor_book::is_own(const std::string& endpoint) {
  if (const auto found = targets_.find(endpoint); found != targets_.end()) found->second.own = true;
}

bool neighbor_book::dial_ended(const std::string& endpoint, duration lasted, const std::string& why,
                               time_point now) {
  const auto found = targets_.find(endpoint);
  if (found == targets_.end()) return false;
  auto& entry = found->second;
  entry.dialling = entry.connected = false;
  if (lasted >= steady_after) entry.waits.reset();
  entry.next_at = now + entry.waits.next();
  const bool news = why != entry.last_failure;
  entry.last_failure = why;
  const auto attempts = entry.waits.attempts();
  if (!entry.stays() && attempts >= options_.learned_failures) {
    targets_.erase(found);
    return news;
  }
  return news || (attempts & (attempts - 1)) == 0;
}

void neighbor_book::neighbor_gone(const address& account, time_point now) {
  for (auto& [endpoint, entry] : targets_)
    if (entry.account == account && !entry.dialling) {
      auto wait = back_off(options_.dial_first, options_.dial_first, ++seed_).next();
      entry.next_at = std::max(entry.next_at, now + wait);
    }
}

void neighbor_book::refuse(const address& account, const hash32& certificate, std::string reason,
                           time_point now) {
  std::erase_if(refusals_, [&](const auto& each) { return each.second.until <= now; });
  if (refusals_.size() >= refusals_max)
    refusals_.erase(std::min_element(refusals_.begin(), refusals_.end(), [](const auto& a, const auto& b) {
      return a.second.until < b.second.until;
    }));
  refusals_.insert_or_assign(account, refusal{certificate, std::move(reason), now + options_.refuse_for});
}

const neighbor_book::refusal* neighbor_book::refused(const address& account, time_point now) const {
  const auto found = refusals_.find(account);
  return found != refusals_.end() && now < found->second.until ? &found->second : nullptr;
}

const neighbor_book::refusal* neighbor_book::refused(const hash32& certificate, time_point now) const {
  for (const auto& [account, entry] : refusals_)
    if (entry.certificate == certificate && now < entry.until) return &entry;
  return nullptr;
}

double neighbor_book::points(const address& account, time_point now) const {
  const auto found = scores_.find(account);
  return found == scores_.end() ? 0 : found->second.points(now);
}

void neighbor_book::keep_points(const address& account, double points, time_point now) {
  scores_.erase(account);
  std::erase_if(scores_, [&](const auto& each) { return each.second.points(now) <= 0; });
  if (points <= 0 || scores_.size() >= scores_max) return;
  const auto& session = options_.session;
  scores_.emplace(account,
                  offence_score(session.offence_points_max, session.offence_points_per_second, points, now));
}

} // namespace swarm::p2p
