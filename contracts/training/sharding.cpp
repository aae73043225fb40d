#include "contracts/training/sharding.hpp"

#include "base/assert.hpp"
#include "contracts/training/measures.hpp"

#include <algorithm>
#include <set>

namespace swarm::contracts {

bool may_be_sharded(const merge_method& method, std::size_t models, std::uint64_t rules) {
  if (is_elementwise(method)) return true;
  return rules >= rules_with_measures && models <= measured_models_max && sums_of(method, models) > 0;
}

bool is_sharded(std::uint64_t size, std::size_t makers) {
  return makers >= 2 && size > model_chunk_bytes && size <= model_bytes_max
         && !is_checked_whole(size, makers - 1);
}

shard_plan::shard_plan(std::uint64_t chunks, std::uint32_t makers) : chunks_(chunks), makers_(makers) {
  SWARM_ASSERT(chunks > 0 && makers > 0);
  while ((std::uint64_t{2} << level_) * units_per_shard_min * makers <= chunks)
    ++level_;
}

shard_plan plan_of(std::uint64_t size, std::uint32_t makers) {
  return {(size - 1) / model_chunk_bytes + 1, makers};
}

run shard_plan::units_of(std::uint32_t place) const {
  const auto each = units() / makers_;
  const auto more = units() % makers_;
  return {place * each + std::min<std::uint64_t>(place, more), each + (place < more ? 1 : 0)};
}

run shard_plan::chunks_of_unit(std::uint64_t unit) const {
  const auto first = unit << level_;
  return {first, std::min(unit_chunks(), chunks_ - first)};
}

run shard_plan::chunks_of(std::uint32_t place) const {
  const auto own = units_of(place);
  const auto first = std::min(own.first << level_, chunks_);
  return {first, std::min(own.end() << level_, chunks_) - first};
}

std::uint32_t shard_plan::place_of_unit(std::uint64_t unit) const {
  const auto each = units() / makers_;
  const auto more = units() % makers_;
  const auto in_larger = more * (each + 1);
  const auto place = unit < in_larger ? unit / (each + 1) : more + (unit - in_larger) / each;
  return static_cast<std::uint32_t>(place);
}

std::vector<std::size_t> shard_deal_order(const hash32& mix, const std::vector<checker>& candidates) {
  std::set<organisation_id> free;
  for (const auto& one : candidates)
    if (!one.set_aside) free.insert(one.organisation);
  const bool needs_all = free.size() < checks_per_chunk;
  std::vector<std::size_t> who;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (needs_all || !candidates[i].set_aside) who.push_back(i);
  return in_deal_order(mix, candidates, std::move(who));
}

namespace {

/// Gives out units one after the other: to those organisations that have had the fewest.
class unit_dealer {
public:
  explicit unit_dealer(const std::vector<checker>& seats) : seats_(seats) {
    for (std::size_t place = 0; place < seats.size(); ++place) {
      if (place == 0 || seats[place].organisation != seats[place - 1].organisation)
        groups_.push_back({place, 0, seats[place].organisation, 0, 0});
      ++groups_.back().size;
    }
    for (std::size_t i = 0; i < groups_.size(); ++i)
      queue_.emplace(0, i);
  }

  std::vector<std::size_t> places_for(const shard_author& author) {
    std::vector<std::size_t> out;
    std::vector<std::size_t> asked, own;
    for (const auto& [turns, at] : queue_) {
      if (asked.size() == checks_per_chunk) break;
      (groups_[at].organisation == author.organisation ? own : asked).push_back(at);
    }
    for (const auto at : asked)
      take_turn(at, author, out);
    for (const auto at : own)
      if (out.size() < checks_per_chunk) take_turn(at, author, out);
    // All are of one or two organisations: others of the same make up what is missing.
    asked.insert(asked.end(), own.begin(), own.end());
    for (const auto at : asked)
      while (out.size() < checks_per_chunk && take_turn(at, author, out)) {
      }
    return out;
  }

private:
  struct group {
    std::size_t first = 0;
    std::size_t size = 0;
    organisation_id organisation = 0;
    std::uint64_t turns = 0;
    std::size_t next = 0; ///< of its places
  };

  /// False when all its places have the unit, or have made it.
  bool take_turn(std::size_t at, const shard_author& author, std::vector<std::size_t>& out) {
    auto& to = groups_[at];
    for (std::size_t tried = 0; tried < to.size; ++tried) {
      const auto place = to.first + to.next;
      to.next = (to.next + 1) % to.size;
      if (seats_[place].account == author.account || std::ranges::find(out, place) != out.end()) continue;
      out.push_back(place);
      queue_.erase({to.turns, at});
      queue_.emplace(++to.turns, at);
      return true;
    }
    return false;
  }

  const std::vector<checker>& seats_;
  std::vector<group> groups_;
  std::set<std::pair<std::uint64_t, std::size_t>> queue_; ///< turns and group
};

} // namespace

deal deal_shards(const std::vector<checker>& seats, const shard_plan& plan,
                 const std::vector<shard_author>& authors) {
  SWARM_ASSERT(authors.size() == plan.makers());
  unit_dealer dealer(seats);
  std::vector<std::vector<std::size_t>> places(plan.units());
  // The first of each shard, then the second of each: at the end nobody has to make up for those that he has made.
  for (std::uint64_t i = 0; i < plan.units_of(0).count; ++i)
    for (std::uint32_t place = 0; place < plan.makers(); ++place)
      if (const auto own = plan.units_of(place); i < own.count)
        places[own.first + i] = dealer.places_for(authors[place]);
  return {seats.size(), std::move(places), plan.unit_chunks(), plan.chunks()};
}

bool is_dealt_to_all(const std::vector<address>& candidates, const shard_plan& plan,
                     const std::vector<shard_author>& authors) {
  if (candidates.size() <= checks_per_chunk) return true;
  if (candidates.size() > checks_per_chunk + 1) return false;
  for (std::uint32_t place = 0; place < plan.makers(); ++place)
    if (plan.units_of(place).count > 0
        && std::ranges::find(candidates, authors[place].account) == candidates.end())
      return false;
  return true;
}

} // namespace swarm::contracts
