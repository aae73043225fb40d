#include "base/hash_tree.hpp"
#include "contracts/testing/naive_training.hpp"
#include "contracts/training/measures.hpp"
#include "contracts/training/sharding.hpp"

#include <algorithm>
#include <functional>

// How a merge is made in shards.
namespace swarm::contracts {

void naive_training::open_shards() {
  shards_.clear();
  sums_ = 0;
  measuring_ = false;
  if (proposals_ > 0 || round_ < shards_again_from_) return;
  std::set<std::uint64_t> sizes;
  std::vector<address> who;
  const auto aside = set_aside();
  for (const auto* peer : in_round()) {
    if (peer->in->model.weightage == 0) continue;
    sizes.insert(peer->in->model.size);
    const auto state = peer->view.state;
    if (state != peer_state::active && state != peer_state::finished) return;
    if (!is_barred(*peer) && !aside.contains(peer->in_organisation)) who.push_back(peer->view.account);
  }
  const auto method = parse_merge_method(method_).value();
  if (sizes.size() != 1 || !is_sharded(*sizes.begin(), who.size())
      || !may_be_sharded(method, contributors(), rules_with_measures))
    return;
  sums_ = sums_of(method, contributors());
  measuring_ = sums_ > 0;
  shards_size_ = *sizes.begin();
  const auto plan = plan_of(shards_size_, static_cast<std::uint32_t>(who.size()));
  for (std::uint32_t place = 0; place < who.size(); ++place) {
    shards_.push_back({who[place], {}, {}, false, {}, {}});
    if (plan.chunks_of(place).count == 0) shards_.back().by = who[place];
  }
  give_time();
}

void naive_training::give_time() {
  const auto plan = plan_of(shards_size_, static_cast<std::uint32_t>(shards_.size()));
  std::uint64_t most = 0;
  for (std::uint32_t place = 0; place < shards_.size(); ++place)
    most = std::max(most, std::min(shards_size_, plan.chunks_of(place).count * model_chunk_bytes));
  if (shards_since_ == 0) shards_since_ = block_time;
  shards_until_ = block_time + check_seconds + most * contributors() / check_bytes_per_second;
  shards_lasts_ = shards_until_ - shards_since_;
}

shard_state naive_training::state_of(const shard& one) const {
  if (one.by.is_zero()) return one.declined ? shard_state::declined : shard_state::awaited;
  return one.by == one.maker && !one.declined ? shard_state::made : shard_state::made_by_leader;
}

std::vector<shard_author> naive_training::authors() const {
  std::vector<shard_author> out;
  for (const auto& one : shards_) {
    const auto who = one.by.is_zero() ? one.maker : one.by;
    out.push_back({who, members_[place_of(who)].in_organisation});
  }
  return out;
}

bool naive_training::call(const address& caller, const measure_shard_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || !peer->in || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || args.term != term_
      || phase_ != round_phase::merging || !measuring_ || args.shard >= shards_.size())
    return false;
  auto& own = shards_[args.shard];
  if (!own.by.is_zero() || own.declined || caller != own.maker) return false;
  events.emplace_back(shard_measured{caller, round_, generation_, term_, args.shard, args.sums});
  own.declined = args.sums.empty();
  if (own.declined) return true;
  const auto units =
      plan_of(shards_size_, static_cast<std::uint32_t>(shards_.size())).units_of(args.shard).count;
  const auto each = (sums_ + 3) / 4;
  if (args.sums.size() != units * each) return false;
  for (std::size_t i = 0; i < units; ++i) {
    const auto sums = unpack_sums(std::span(args.sums).subspan(i * each, each), sums_);
    if (!sums) return false;
    own.sums.insert(own.sums.end(), sums->begin(), sums->end());
  }
  own.by = caller;
  own.words = args.sums;
  const auto missing = std::ranges::count_if(shards_, [](const shard& one) { return one.by.is_zero(); });
  if (missing > 0) {
    hasten(static_cast<std::uint64_t>(missing));
    return true;
  }
  measuring_ = false;
  events.emplace_back(models_measured{round_, generation_, term_, pack_sums(totals())});
  for (auto& one : shards_) {
    if (one.words.empty()) continue;
    one.by = {};
    const auto state = find(one.maker)->view.state;
    one.declined = state != peer_state::active && state != peer_state::finished;
  }
  shards_since_ = 0;
  give_time();
  return true;
}

/// As RFC 6962 cuts its trees: at the largest power of two below the number of units.
std::vector<double> naive_training::totals() const {
  std::vector<double> all;
  for (const auto& one : shards_)
    all.insert(all.end(), one.sums.begin(), one.sums.end());
  const std::function<double(std::size_t, std::size_t, std::size_t)> add =
      [&](std::size_t first, std::size_t count, std::size_t which) -> double {
    if (count == 1) return all[first * sums_ + which];
    std::size_t cut = 1;
    while (2 * cut < count)
      cut *= 2;
    return add(first, cut, which) + add(first + cut, count - cut, which);
  };
  std::vector<double> out;
  for (std::size_t i = 0; i < sums_; ++i)
    out.push_back(add(0, all.size() / sums_, i));
  return out;
}

void naive_training::bar_silent_makers() {
  for (const auto& one : shards_)
    if (sums_ > 0 && block_time >= shards_until_ && one.by.is_zero() && !one.declined)
      bar(one.maker, bar_reason::silent);
}

measures_view naive_training::measures() const {
  if (shards().shards.empty() || sums_ == 0) return {};
  measures_view out{round_, term_, measuring_, static_cast<std::uint32_t>(sums_), {}, {}};
  if (measuring_) return out;
  out.totals = pack_sums(totals());
  const auto each = (sums_ + 3) / 4;
  for (const auto& one : shards_)
    for (std::size_t at = 0; at < one.words.size(); at += each)
      out.units.push_back(digest_of_sums(std::span(one.words).subspan(at, each)));
  return out;
}

bool naive_training::call(const address& caller, const commit_shard_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || !peer->in || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || args.term != term_
      || phase_ != round_phase::merging || measuring_ || args.shard >= shards_.size())
    return false;
  auto& own = shards_[args.shard];
  if (sums_ > 0 && (caller != own.maker || own.declined)) return false;
  const auto units =
      plan_of(shards_size_, static_cast<std::uint32_t>(shards_.size())).units_of(args.shard).count;
  if (!own.by.is_zero() || (caller != own.maker && caller != leader_)) return false;
  const bool is_first = caller == own.maker && !own.declined;
  if (args.roots.size() != units && !(is_first && args.roots.empty())) return false;
  if (!is_first && caller != leader_) return false;
  if (!is_first && !own.declined) {
    if (block_time < shards_since_ + shards_lasts_) return false;
    if (block_time >= shards_until_) bar(own.maker, bar_reason::silent);
  }
  events.emplace_back(shard_committed{caller, round_, generation_, term_, args.shard, args.roots});
  if (args.roots.empty()) {
    own.declined = true;
    return true;
  }
  own.by = caller;
  own.roots = args.roots;
  const auto missing = std::ranges::count_if(shards_, [](const shard& one) { return one.by.is_zero(); });
  if (missing == 0)
    put_together();
  else if (is_first)
    hasten(static_cast<std::uint64_t>(missing));
  return true;
}

void naive_training::hasten(std::uint64_t missing) {
  bool is_looked_at = false;
  for (auto rest = shards_.size() / 2; rest > 0; rest /= 2)
    is_looked_at = is_looked_at || rest == missing;
  std::map<organisation_id, std::vector<bool>> own;
  for (const auto& one : shards_)
    if (plan_of(shards_size_, static_cast<std::uint32_t>(shards_.size()))
            .units_of(static_cast<std::uint32_t>(&one - shards_.data()))
            .count
        > 0)
      own[members_[place_of(one.maker)].in_organisation].push_back(state_of(one) == shard_state::made);
  std::size_t have = 0;
  for (const auto& [organisation, made] : own)
    if (2 * std::count(made.begin(), made.end(), true) >= static_cast<std::ptrdiff_t>(made.size())) ++have;
  if (is_looked_at && 2 * have > own.size())
    shards_lasts_ = std::min(shards_lasts_, check_seconds + 4 * (block_time - shards_since_ + 1));
}

void naive_training::put_together() {
  std::vector<hash32> all;
  for (const auto& one : shards_)
    all.insert(all.end(), one.roots.begin(), one.roots.end());
  const auto digest = model_digest(shards_size_, model_chunk_bytes, tree_root(all));
  const auto count = static_cast<std::uint32_t>(shards_.size());
  merge_view merge{round_, block_num, term_, leader_, digest, shards_size_, {}, {}, {}, {}, count};
  for (const auto* peer : in_round())
    if (peer->in->model.weightage > 0) merge.contributors.push_back(peer->view.account);
  proposal_ = merge;
  events.emplace_back(merge_committed{
      round_, generation_, term_, leader_, digest, shards_size_, merge.contributors, {}, {}, count});
  open_checks();
}

/// Who has made the chunk, or the proposal.
address naive_training::author_of(challenge_kind kind, std::uint64_t number) const {
  if (proposal_.shards == 0 || kind != challenge_kind::chunk) return leader_;
  const auto plan = plan_of(shards_size_, proposal_.shards);
  if (number >= plan.chunks()) return shards_[plan.place_of_unit(number - plan.chunks())].by;
  return shards_[plan.place_of_chunk(number)].by;
}

shards_view naive_training::shards() const {
  const bool is_checked = phase_ == round_phase::verifying || phase_ == round_phase::disputed;
  if (phase_ == round_phase::merging ? shards_.empty() : !is_checked || proposal_.shards == 0) return {};
  const auto plan = plan_of(shards_size_, static_cast<std::uint32_t>(shards_.size()));
  shards_view out{round_,
                  term_,
                  phase_ == round_phase::merging,
                  shards_size_,
                  plan.unit_chunks(),
                  shards_since_ + shards_lasts_,
                  shards_lasts_,
                  {}};
  for (std::size_t i = 0; i < shards_.size(); ++i)
    out.shards.push_back({shards_[i].maker, state_of(shards_[i]), shards_[i].by, authors()[i].organisation});
  return out;
}

std::vector<hash32> naive_training::shard_roots(std::uint32_t which) const {
  return shards().shards.empty() ? std::vector<hash32>{} : shards_[which].roots;
}

} // namespace swarm::contracts
