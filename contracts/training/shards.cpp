#include "contracts/training/shards.hpp"

#include "base/assert.hpp"
#include "base/hash_tree.hpp"
#include "base/sum_tree.hpp"
#include "contracts/training/measures.hpp"

#include <algorithm>
#include <map>

namespace swarm::contracts {

namespace {

/// What SHA-256 of a node of the tree costs, as the EVM charges it: 60 plus 12 per word.
constexpr std::uint64_t node_gas = 60 + 12 * 3;

/// The size that all models of the round have, if there is one and their merge may be made in shards. The model of who has left
/// may be gone, and then nobody could make a shard: the leader merges, and leaves it out.
std::optional<std::uint64_t> common_size(const training_state& state, const std::vector<participant>& in,
                                         bool method_allows) {
  std::optional<std::uint64_t> out;
  for (const auto& one : in) {
    if (one.peer.in_weightage == 0) continue;
    if (!is_at_work(one.peer)) return std::nullopt;
    const auto size = state.check_in(one.index).size;
    if (out && *out != size) return std::nullopt;
    if (!out && !(method_allows && is_sharded(size, state.counts.contributors))) return std::nullopt;
    out = size;
  }
  return out;
}

/// From now on for who makes, or measures, a shard. The first is the largest.
void give_time(training_state& state, const shard_plan& plan) {
  auto& shards = state.shards();
  const auto part = std::min(shards.size, plan.chunks_of(0).count * model_chunk_bytes);
  const auto now = state.storage().host().block_time();
  // What was made under a leader before need not be made again, so the first opening counts.
  if (shards.since == 0) shards.since = static_cast<std::uint32_t>(now);
  shards.until = now + seconds_to_check(part * state.counts.contributors);
  shards.lasts = static_cast<std::uint32_t>(shards.until - shards.since);
}

} // namespace

void rounds::open_shards(const std::vector<participant>& in) {
  auto& shards = state_.shards();
  shards_slot fresh;
  fresh.again_from = shards.again_from;
  fresh.since = shards.since;
  shards = fresh;
  // What came to nothing once in this round its leaders make as a whole.
  if (state_.checking().proposals > 0 || state_.round.round_num < shards.again_from) return;
  // What nobody checks is accepted at once, and nobody would have all of it.
  if (state_.is_unverified()) return;
  const auto method = parse_merge_method(state_.merge_method()).value();
  const auto models = state_.counts.contributors;
  const auto size = common_size(state_, in, may_be_sharded(method, models, state_.rules));
  if (!size) return;
  const auto aside = set_aside();
  std::vector<std::uint16_t> who;
  for (const auto& one : in)
    if (one.peer.in_weightage > 0 && is_at_work(one.peer) && !is_barred(one)
        && (aside.empty() || !aside.contains(organisation_of(one.index))))
      who.push_back(one.index);
  if (!is_sharded(*size, who.size())) return;
  if (state_.rules >= rules_with_measures) {
    const auto sums = static_cast<std::uint16_t>(sums_of(method, models));
    state_.set_measures({state_.round.round_num, state_.round.term, sums, sums > 0});
  }
  shards.size = *size;
  shards.makers = static_cast<std::uint16_t>(who.size());
  const auto plan = plan_of(*size, shards.makers);
  peer_set makers, made;
  for (std::uint32_t place = 0; place < plan.makers(); ++place) {
    const bool has_units = plan.units_of(place).count > 0;
    makers.set(who[place], true);
    made.set(who[place], !has_units);
    if (has_units) ++shards.missing;
  }
  state_.store(peer_sets::makers, makers);
  state_.store(peer_sets::made, made);
  state_.store(peer_sets::declined, {});
  state_.store(peer_sets::replaced, {});
  give_time(state_, plan);
}

shard_board::shard_board(training_state& state) : state_(state) {
  if (state.shards().makers == 0) return;
  measures_ = state.measures();
  makers_ = state.load(peer_sets::makers).indexes();
  made_ = state.load(peer_sets::made);
  declined_ = state.load(peer_sets::declined);
  replaced_ = state.load(peer_sets::replaced);
}

shard_state shard_board::state_of(std::uint32_t place) const {
  const auto maker = makers_.at(place);
  if (replaced_.has(maker)) return shard_state::made_by_leader;
  if (made_.has(maker)) return shard_state::made;
  return declined_.has(maker) ? shard_state::declined : shard_state::awaited;
}

std::uint16_t shard_board::author_of(std::uint32_t place) const {
  return replaced_.has(makers_.at(place)) ? state_.counts.leader : makers_.at(place);
}

std::vector<shard_author> shard_board::authors() const {
  std::vector<shard_author> out;
  for (std::uint32_t place = 0; place < count(); ++place) {
    const auto author = author_of(place);
    out.push_back({state_.peer(author).account, state_.check_in(author).in_organisation});
  }
  return out;
}

std::vector<hash32> shard_board::roots_of(std::uint32_t place) const {
  std::vector<hash32> out;
  if (is_measuring() || !is_made(state_of(place))) return out;
  const auto own = plan().units_of(place);
  for (auto unit = own.first; unit < own.end(); ++unit)
    out.push_back(state_.shard_node(0, unit));
  return out;
}

std::vector<hash32> shard_board::totals() const {
  return state_.sums_of_unit(training_state::all_units, words_of_sums(sums()));
}

bool shard_board::measure(std::uint32_t place, const std::vector<hash32>& words) {
  const auto units = plan().units_of(place);
  const auto each = words_of_sums(sums());
  for (std::uint64_t i = 0; i < units.count; ++i)
    state_.set_sums_of_unit(units.first + i, std::span(words).subspan(i * each, each));
  made_.set(makers_.at(place), true);
  state_.put(peer_sets::made, makers_.at(place), true);
  if (--state_.shards().missing > 0) return false;
  begin_making();
  return true;
}

/// All units are measured: from their totals follows how each chunk is merged, so the same makers make their shards.
void shard_board::begin_making() {
  const auto shape = plan();
  const auto each = words_of_sums(sums());
  std::vector<double> all;
  for (std::uint64_t unit = 0; unit < shape.units(); ++unit) {
    const auto own = unpack_sums(state_.sums_of_unit(unit, each), sums()).value();
    all.insert(all.end(), own.begin(), own.end());
  }
  state_.set_sums_of_unit(training_state::all_units,
                          pack_sums(sums_above(std::move(all), sums(), tree_height(shape.units()))));
  measures_.open = false;
  state_.set_measures(measures_);
  auto& shards = state_.shards();
  for (std::uint32_t place = 0; place < count(); ++place) {
    const bool has_units = shape.units_of(place).count > 0;
    made_.set(makers_[place], !has_units);
    if (!has_units) continue;
    ++shards.missing;
    // Who has left since it has measured makes nothing.
    if (!is_at_work(state_.peer(makers_[place]))) decline(place);
  }
  state_.store(peer_sets::made, made_);
  shards.since = 0;
  give_time(state_, shape);
}

void shard_board::decline(std::uint32_t place) {
  declined_.set(makers_.at(place), true);
  state_.put(peer_sets::declined, makers_.at(place), true);
}

/// Whether most organisations have made half of what is theirs.
bool shard_board::have_most_made() const {
  std::map<organisation_id, std::pair<std::uint32_t, std::uint32_t>>
      shares; // of shards: all, and those that are made
  const auto shape = plan();
  for (std::uint32_t place = 0; place < count(); ++place) {
    if (shape.units_of(place).count == 0) continue;
    auto& [all, made] = shares[state_.check_in(makers_[place]).in_organisation];
    ++all;
    if (state_of(place) == shard_state::made) ++made;
  }
  const auto have = static_cast<std::size_t>(std::ranges::count_if(
      shares, [](const auto& each) { return 2 * each.second.second >= each.second.first; }));
  return 2 * have > shares.size();
}

void shard_board::hasten() {
  auto& shards = state_.shards();
  auto rest = count() / 2;
  while (rest > shards.missing)
    rest /= 2;
  if (rest == 0 || rest != shards.missing || !have_most_made()) return;
  const auto took = state_.storage().host().block_time() - shards.since + 1; // it has whole seconds
  shards.lasts = static_cast<std::uint32_t>(std::min<std::uint64_t>(shards.lasts, seconds_for_others(took)));
}

/// Whether all that stands below the node is made.
bool shard_board::is_complete(const shard_plan& plan, unsigned level, std::uint64_t index) const {
  const auto first = index << level;
  const auto last = std::min(((index + 1) << level) - 1, plan.units() - 1);
  for (auto place = plan.place_of_unit(first); place <= plan.place_of_unit(last); ++place)
    if (!made_.has(makers_[place])) return false;
  return true;
}

/// Whose sibling is missing is kept until that is made, too. Only the first and the last one of `known` can be.
shard_board::nodes shard_board::level_above(const shard_plan& plan, unsigned level, const nodes& known) {
  const auto width = tree_width(plan.units(), level);
  const auto last = known.first + known.second.size() - 1;
  const auto child = [&](std::uint64_t index) -> std::optional<hash32> {
    if (index >= known.first && index <= last) return known.second[index - known.first];
    if (!is_complete(plan, level, index)) return std::nullopt;
    return state_.shard_node(level, index);
  };
  nodes out{0, {}};
  for (auto parent = known.first / 2; parent <= last / 2; ++parent) {
    const auto left = child(2 * parent);
    const bool has_right = 2 * parent + 1 < width;
    const auto right = has_right ? child(2 * parent + 1) : std::nullopt;
    if (left && (right || !has_right)) {
      if (out.second.empty()) out.first = parent;
      if (right) state_.storage().host().charge(node_gas);
      out.second.push_back(right ? tree_node(*left, *right) : *left);
    } else if (level > 0) {
      const auto kept = left ? 2 * parent : 2 * parent + 1;
      state_.set_shard_node(level, kept, left ? *left : *right);
    }
  }
  return out;
}

std::optional<hash32> shard_board::make(std::uint32_t place, const std::vector<hash32>& roots,
                                        bool by_leader) {
  const auto maker = makers_.at(place);
  made_.set(maker, true);
  state_.put(peer_sets::made, maker, true);
  if (by_leader) {
    replaced_.set(maker, true);
    state_.put(peer_sets::replaced, maker, true);
  }
  --state_.shards().missing;
  const auto shape = plan();
  nodes known{shape.units_of(place).first, roots};
  for (std::size_t i = 0; i < roots.size(); ++i)
    state_.set_shard_node(0, known.first + i, roots[i]);
  for (unsigned level = 0; tree_width(shape.units(), level) > 1 && !known.second.empty(); ++level)
    known = level_above(shape, level, known);
  if (known.second.empty()) return std::nullopt;
  SWARM_ASSERT(state_.shards().missing == 0);
  return known.second.front();
}

} // namespace swarm::contracts
