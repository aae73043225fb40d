#include "actors/sl/files/gather/chunk_plan.hpp"

#include <algorithm>
#include <tuple>

namespace swarm::actors {

namespace {

/// So many runs are wanted of each holder, so that small models are spread out, too.
constexpr std::uint64_t runs_wanted = 4;
/// As long as nobody knows.
constexpr duration pace_unknown = std::chrono::seconds(1);

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27) * 0x94d049bb133111ebU;
  return value ^ value >> 31;
}

} // namespace

chunk_plan::chunk_plan(std::vector<bool> here, std::size_t holders, bool spread, std::uint64_t seed)
    : spread_(spread), places_(spread ? others_max + 1 : 1), seed_(seed), here_(std::move(here)),
      held_(here_.size()), missing_(static_cast<std::uint64_t>(std::ranges::count(here_, false))),
      run_(here_.size()), holders_(holders), had_by_(here_.size()), asked_(here_.size()) {
  const auto shared_by = runs_wanted * std::min(holders, others_max + 1);
  if (spread_)
    run_ = std::clamp<std::uint64_t>(here_.size() / std::max<std::uint64_t>(1, shared_by), 1, run_max);
  for (auto& each : holders_) {
    each.has_all = !spread_ || &each == &holders_.front();
    each.map.resize(here_.size());
  }
}

void chunk_plan::made_by(std::size_t which, std::uint64_t first, std::uint64_t count) {
  spread_ = true;
  places_ = std::min(holders_.size(), makers_max);
  for (auto& each : holders_)
    each.has_all = false;
  auto& who = holders_[which];
  who.made_first = first;
  who.made_count = count;
  for (auto i = first; i < first + count; ++i)
    if (!who.map[i]) who.map[i] = true, ++had_by_[i];
}

void chunk_plan::hold(const std::vector<std::uint64_t>& chunks) {
  for (const auto index : chunks)
    if (index < held_.size()) held_[index] = true;
}

// What comes

void chunk_plan::drop(std::size_t which) {
  auto& who = holders_[which];
  forget_map(who);
  who.state = stand::dropped;
}

void chunk_plan::forget_map(const holder& of) {
  if (of.state == stand::dropped) return;
  for (std::size_t i = 0; i < here_.size(); ++i)
    if (of.map[i]) --had_by_[i];
}

void chunk_plan::chunk_here(std::uint64_t index) {
  if (here_[index]) return;
  here_[index] = true;
  --missing_;
}

void chunk_plan::map_here(std::uint64_t id, const std::vector<bool>& map, time_point now) {
  const auto found = open_.extract(id);
  if (found.empty()) return;
  const auto which = found.mapped().what.holder;
  auto& who = holders_[which];
  who.map_asked = false;
  if (who.state == stand::dropped) return;
  bool brings = false;
  for (std::size_t i = 0; i < here_.size(); ++i) {
    const bool has_it = map[i] || (who.map[i] && i - who.made_first < who.made_count);
    brings = brings || (has_it && !who.map[i] && !here_[i]);
    if (has_it && !who.map[i]) ++had_by_[i];
    if (!has_it && who.map[i]) --had_by_[i];
    who.map[i] = has_it;
  }
  if (!brings) return barren_map(which, now);
  who.barren = 0;
  who.map_pause = map_pause_min;
  who.map_again = now + who.map_pause;
}

/// It has nothing new. Its place is given to another one, if one waits.
void chunk_plan::barren_map(std::size_t which, time_point now) {
  auto& who = holders_[which];
  who.map_again = now + who.map_pause;
  who.map_pause = std::min(who.map_pause * 2, map_pause_max);
  if (++who.barren < barren_max || who.runs > 0) return;
  if (std::ranges::find(holders_, stand::waiting, &holder::state) != holders_.end()) drop(which);
}

void chunk_plan::strike(holder& who, time_point now) {
  const auto which = static_cast<std::size_t>(&who - holders_.data());
  if (++who.strikes >= (spread_ ? strikes_max : 1)) return drop(which);
  who.again = now + who.strikes * strike_pause;
}

void chunk_plan::ended(std::uint64_t id, ending how, time_point now) {
  const auto found = open_.extract(id);
  if (found.empty()) return;
  const auto& what = found.mapped().what;
  auto& who = holders_[what.holder];
  if (what.count == 0) {
    who.map_asked = false;
  } else {
    --who.runs;
    for (auto i = what.first; i < what.first + what.count; ++i)
      --asked_[i];
  }
  if (who.state == stand::dropped || how == ending::needless) return;
  if (how == ending::wrong || how == ending::slow) return drop(what.holder);
  if (how == ending::failed) return strike(who, now);
  if (how == ending::not_there && what.count == 0) return barren_map(what.holder, now);
  if (how == ending::not_there) {
    for (auto i = what.first; i < what.first + what.count; ++i)
      if (who.map[i]) who.map[i] = false, --had_by_[i];
    return strike(who, now);
  }
  const auto took = now - found.mapped().since;
  who.late = took >= late_after(what.count);
  const auto pace = std::max(duration(1), took / static_cast<std::int64_t>(what.count));
  who.pace = who.pace == duration::zero() ? pace : (3 * who.pace + pace) / 4;
  who.strikes = 0;
}

// Who is in time

duration chunk_plan::late_after(std::uint64_t count) const {
  auto pace = holders_.front().state == stand::asked ? holders_.front().pace : duration::zero();
  if (pace == duration::zero())
    for (const auto& each : holders_)
      if (each.pace > duration::zero() && (pace == duration::zero() || each.pace < pace)) pace = each.pace;
  if (pace == duration::zero()) pace = pace_unknown;
  const auto chunks = static_cast<std::int64_t>(count);
  return std::clamp<duration>(2 * chunks * pace, late_min, chunks * late_max);
}

bool chunk_plan::is_late(const request& what, time_point now) const {
  return now - what.since >= late_after(what.what.count);
}

bool chunk_plan::has_late_run(std::size_t which, time_point now) const {
  return std::ranges::any_of(open_, [&](const auto& each) {
    const auto& [what, since, is_told] = each.second;
    return what.holder == which && what.count > 0 && is_late(each.second, now);
  });
}

bool chunk_plan::is_prompt(std::size_t which, time_point now) const {
  const auto& who = holders_[which];
  return who.state == stand::asked && !who.late && now >= who.again && !has_late_run(which, now);
}

// What is asked

bool chunk_plan::misses(const holder& of) const {
  for (std::size_t i = 0; i < here_.size(); ++i)
    if (!here_[i] && !has(of, i)) return true;
  return false;
}

std::uint64_t chunk_plan::order_of(std::uint64_t index) const {
  return spread_ ? mixed(seed_ + 0x9e3779b97f4a7c15U * (index / run_ + 1)) : index;
}

/// Gives places to those who wait.
void chunk_plan::activate() {
  auto taken = static_cast<std::size_t>(std::ranges::count(holders_, stand::asked, &holder::state));
  for (auto& each : holders_) {
    if (taken >= places_) return;
    if (each.state != stand::waiting) continue;
    each.state = stand::asked;
    ++taken;
  }
}

std::vector<chunk_plan::ask> chunk_plan::take_asks(time_point now) {
  activate();
  if (is_complete()) return {};
  for (std::size_t which = 0; which < holders_.size(); ++which) {
    if (holders_[which].state != stand::asked || now < holders_[which].again) continue;
    ask_for_map(which, now);
    ask_for_runs(which, now);
  }
  return std::exchange(asks_, {});
}

void chunk_plan::ask_for_map(std::size_t which, time_point now) {
  auto& who = holders_[which];
  if (who.has_all || who.map_asked || now < who.map_again || who.maps >= maps_max || !misses(who)) return;
  who.map_asked = true;
  ++who.maps;
  start(which, 0, 0, now);
}

void chunk_plan::ask_for_runs(std::size_t which, time_point now) {
  auto& who = holders_[which];
  while (who.runs < (spread_ ? runs_per_holder : 1)) {
    auto next = first_of(left_for(who, now));
    if (next.count == 0 && spread_ && !has_late_run(which, now)) next = first_of(doubled_by(which, now));
    if (next.count == 0) return;
    ++who.runs;
    for (auto i = next.first; i < next.first + next.count; ++i)
      ++asked_[i];
    start(which, next.first, next.count, now);
  }
}

void chunk_plan::start(std::size_t which, std::uint64_t first, std::uint64_t count, time_point now) {
  const ask what{next_id_++, which, first, count};
  open_.emplace(what.id, request{what, now});
  asks_.push_back(what);
}

/// The chunks of `who` that nobody is asked for. Of the first one, only those that none of the others gives in time.
std::vector<bool> chunk_plan::left_for(const holder& who, time_point now) const {
  std::vector<bool> out(here_.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = !here_[i] && !held_[i] && asked_[i] == 0 && has(who, i);
  if (!spread_ || !who.has_all) return out;
  for (std::size_t other = 1; other < holders_.size(); ++other) {
    if (!is_prompt(other, now)) continue;
    for (std::size_t i = 0; i < out.size(); ++i)
      if (holders_[other].map[i]) out[i] = false;
  }
  return out;
}

/// The chunks that others were asked for and do not give in time.
std::vector<bool> chunk_plan::doubled_by(std::size_t which, time_point now) const {
  std::vector<bool> out(here_.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = !here_[i] && asked_[i] > 0 && has(holders_[which], i);
  for (const auto& [id, one] : open_) {
    const auto& what = one.what;
    if (what.count == 0 || (what.holder != which && is_late(one, now))) continue;
    for (auto i = what.first; i < what.first + what.count; ++i)
      out[i] = false;
  }
  return out;
}

/// The run that is to be asked for first, of length 0 when there is none.
chunk_plan::ask chunk_plan::first_of(const std::vector<bool>& candidates) const {
  std::optional<std::tuple<std::uint8_t, std::uint64_t, std::uint64_t>> best;
  for (std::uint64_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i]) continue;
    const std::tuple key(had_by_[i], order_of(i), i);
    if (!best || key < *best) best = key;
  }
  ask out;
  if (!best) return out;
  out.first = std::get<2>(*best);
  const auto end = std::min<std::uint64_t>(candidates.size(), (out.first / run_ + 1) * run_);
  while (out.first + out.count < end && candidates[out.first + out.count])
    ++out.count;
  return out;
}

std::vector<std::uint64_t> chunk_plan::take_needless() {
  std::vector<std::uint64_t> out;
  for (auto& [id, one] : open_) {
    const auto& what = one.what;
    if (one.is_told) continue;
    bool brings = what.count == 0;
    for (auto i = what.first; i < what.first + what.count; ++i)
      brings = brings || !here_[i];
    one.is_told = !brings || holders_[what.holder].state == stand::dropped;
    if (one.is_told) out.push_back(id);
  }
  return out;
}

bool chunk_plan::is_hopeless() const {
  if (is_complete() || std::ranges::find(held_, true) != held_.end()) return false;
  for (const auto& [id, one] : open_)
    if (holders_[one.what.holder].state != stand::dropped) return false;
  return std::ranges::all_of(holders_, [&](const holder& each) {
    if (each.state == stand::dropped) return true;
    if (each.state == stand::waiting || each.has_all) return false;
    if (each.barren < barren_max && each.maps < maps_max) return false;
    for (std::size_t i = 0; i < here_.size(); ++i)
      if (!here_[i] && each.map[i]) return false;
    return true;
  });
}

} // namespace swarm::actors
