#include "contracts/testing/organisations_probe.hpp"

#include <map>
#include <set>

namespace swarm::contracts {

std::vector<organisation_view> organisations_probe::organisations() const {
  std::vector<organisation_view> out;
  const auto count = ask(organisation_count_args{}).to_u64();
  while (out.size() < count) {
    const auto part = ask(organisations_args{out.size(), count});
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::vector<motion_view> organisations_probe::motions() const {
  std::vector<motion_view> out;
  const auto count = ask(motion_count_args{}).to_u64();
  while (out.size() < count) {
    const auto part = ask(motions_args{out.size(), count});
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::string organisations_probe::broken_invariant() const {
  std::set<organisation_id> ids;
  for (const auto& one : organisations()) {
    if (!ids.insert(one.id).second) return fmt::format("organisation {} is listed twice", one.id);
    if (one != organisation(one.id)) return fmt::format("organisation {} has two views", one.id);
    if (named(one.name) != one.id) return fmt::format("the name {} does not lead to {}", one.name, one.id);
    if (!std::is_sorted(one.anchors.begin(), one.anchors.end())) return "anchors are not sorted";
    for (const auto& anchor : one.anchors)
      if (owner_of(anchor) != one.id) return fmt::format("an anchor of {} is not its own", one.id);
  }
  if (ids.empty()) return "there is no organisation";
  std::set<hash32> keys;
  std::map<organisation_id, std::size_t> votes;
  for (const auto& one : motions()) {
    if (!keys.insert(one.key).second) return "a motion is listed twice";
    if (one.voters.empty()) return "a motion has no voter";
    for (const auto voter : one.voters) {
      if (!ids.contains(voter)) return fmt::format("{} votes, and is no organisation", voter);
      if (++votes[voter] > organisation_votes_max) return fmt::format("{} has too many votes", voter);
    }
  }
  return {};
}

} // namespace swarm::contracts
