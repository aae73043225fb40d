#include "contracts/training/dealing.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace swarm::contracts {

bool is_elementwise(const merge_method& method) {
  return method.kind == merge_method::mean || method.kind == merge_method::coordmedian
         || method.kind == merge_method::trimmedmean;
}

namespace {

std::uint64_t chunks_in(std::uint64_t size) {
  return (size - 1) / model_chunk_bytes + 1;
}

} // namespace

std::uint64_t chunks_to_deal(std::uint64_t size, const merge_method& method) {
  return is_elementwise(method) ? chunks_in(size) : 1;
}

bool is_checked_whole(std::uint64_t size, std::size_t checkers) {
  return checkers <= whole_checks_max && chunks_in(size) * checkers <= whole_checks_max;
}

bool is_checked_by_all(std::uint64_t size, std::size_t checkers) {
  return checkers <= checks_per_chunk || is_checked_whole(size, checkers);
}

hash32 mixed_with(const hash32& mix, const address& account, const hash32& seed) {
  bytes both(account.begin(), account.end());
  both.insert(both.end(), seed.begin(), seed.end());
  auto out = keccak256(both);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(out[i] ^ mix[i]);
  return out;
}

namespace {

/// Those that check: of the organisations besides the leader's, if possible of some that are not set aside; and of the
/// leader's where that makes too few.
std::vector<std::size_t> choose(organisation_id leaders, const std::vector<checker>& candidates) {
  const auto all_that = [&candidates](auto&& fits) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (fits(candidates[i])) out.push_back(i);
    return out;
  };
  const auto is_own = [leaders](const checker& one) { return one.organisation == leaders; };
  auto own = all_that([&](const auto& one) { return is_own(one) && !one.set_aside; });
  auto others = all_that([&](const auto& one) { return !is_own(one) && !one.set_aside; });
  if (others.empty()) others = all_that([&](const auto& one) { return !is_own(one); });
  if (others.empty() && own.empty()) own = all_that(is_own);
  std::set<organisation_id> organisations;
  for (const auto at : others)
    organisations.insert(candidates[at].organisation);
  if (organisations.size() < checks_per_chunk) others.insert(others.end(), own.begin(), own.end());
  return others;
}

} // namespace

std::vector<std::size_t> deal_order(const hash32& mix, organisation_id leaders_organisation,
                                    const std::vector<checker>& candidates) {
  return in_deal_order(mix, candidates, choose(leaders_organisation, candidates));
}

std::vector<std::size_t> in_deal_order(const hash32& mix, const std::vector<checker>& candidates,
                                       std::vector<std::size_t> out) {
  std::map<std::size_t, hash32> keys;
  std::map<organisation_id, hash32> least;
  for (const auto at : out) {
    bytes what(mix.begin(), mix.end());
    what.insert(what.end(), candidates[at].account.begin(), candidates[at].account.end());
    const auto key = keccak256(what);
    keys.emplace(at, key);
    auto& first = least.try_emplace(candidates[at].organisation, key).first->second;
    first = std::min(first, key);
  }
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    const auto rank = [&](std::size_t at) {
      return std::tie(least.at(candidates[at].organisation), keys.at(at));
    };
    return rank(a) < rank(b);
  });
  return out;
}

deal::deal(const std::vector<organisation_id>& organisations, std::uint64_t chunks, bool all_to_all)
    : places_(organisations.size()), chunks_(chunks), all_to_all_(all_to_all) {
  for (std::size_t place = 0; place < organisations.size(); ++place) {
    if (place == 0 || organisations[place] != organisations[place - 1]) groups_.push_back({place, 0});
    ++groups_.back().size;
    group_of_.push_back(groups_.size() - 1);
  }
  copies_ = std::min(checks_per_chunk, groups_.size() == 1 ? groups_.front().size : groups_.size());
}

deal::deal(std::size_t places, std::vector<std::vector<std::size_t>> places_of_units,
           std::uint64_t unit_chunks, std::uint64_t chunks)
    : places_(places), chunks_(chunks), units_(std::move(places_of_units)), counts_(places),
      unit_chunks_(unit_chunks) {
  for (std::size_t unit = 0; unit < units_.size(); ++unit)
    for (const auto place : units_[unit])
      counts_[place] += std::min(unit_chunks, chunks - unit * unit_chunks);
}

namespace {

template <class Number>
std::vector<Number> all_up_to(Number count) {
  std::vector<Number> out(count);
  std::iota(out.begin(), out.end(), Number{0});
  return out;
}

} // namespace

// Chunks go around in rows of one for each organisation, and copy j of a chunk goes to the organisation j after that of the
// first. So each organisation has `copies_` turns in a row, and its places take the turns one after the other.

std::vector<std::size_t> deal::places_of(std::uint64_t chunk) const {
  if (all_to_all_) return all_up_to(places());
  if (!units_.empty()) return units_[chunk / unit_chunks_];
  std::vector<std::size_t> out;
  for (std::size_t copy = 0; copy < copies_; ++copy) {
    const auto row = chunk / groups_.size();
    const auto& to = groups_[(chunk + copy) % groups_.size()];
    out.push_back(to.first + (row * copies_ + copy) % to.size);
  }
  return out;
}

std::uint64_t deal::chunk_at(std::size_t group, std::uint64_t turn) const {
  const auto row = turn / copies_;
  const auto copy = turn % copies_;
  return row * groups_.size() + (group + groups_.size() - copy % groups_.size()) % groups_.size();
}

std::vector<std::uint64_t> deal::chunks_of_units(std::size_t place) const {
  std::vector<std::uint64_t> out;
  for (std::size_t unit = 0; unit < units_.size(); ++unit)
    if (std::ranges::find(units_[unit], place) != units_[unit].end())
      for (auto chunk = unit * unit_chunks_; chunk < std::min((unit + 1) * unit_chunks_, chunks_); ++chunk)
        out.push_back(chunk);
  return out;
}

std::vector<std::uint64_t> deal::chunks_of(std::size_t place) const {
  if (all_to_all_) return all_up_to(chunks_);
  if (!units_.empty()) return chunks_of_units(place);
  const auto group = group_of_[place];
  const auto turns = ((chunks_ + groups_.size() - 1) / groups_.size()) * copies_;
  std::vector<std::uint64_t> out;
  for (auto turn = std::uint64_t{place - groups_[group].first}; turn < turns; turn += groups_[group].size)
    if (const auto chunk = chunk_at(group, turn); chunk < chunks_) out.push_back(chunk);
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t deal::count_of(std::size_t place) const {
  if (all_to_all_) return chunks_;
  if (!units_.empty()) return counts_[place];
  const auto group = group_of_[place];
  const auto size = groups_[group].size;
  const auto at = place - groups_[group].first;
  const auto full_turns = chunks_ / groups_.size() * copies_;
  auto out = full_turns / size + (at < full_turns % size ? 1 : 0);
  for (auto turn = full_turns; turn < full_turns + copies_; ++turn) // of the last row, which may not be full
    if (turn % size == at && chunk_at(group, turn) < chunks_) ++out;
  return out;
}

std::uint64_t deal::count_max() const {
  std::uint64_t out = 0;
  for (std::size_t place = 0; place < places(); ++place)
    out = std::max(out, count_of(place));
  return out;
}

} // namespace swarm::contracts
