#include "base/hash.hpp"
#include "base/hash_tree.hpp"
#include "base/random.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training/dealt.hpp"
#include "contracts/training/measures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace training_liars_test {

// The peers of all organisations but one do what they should; those of one, however many they are, do what they like.

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint32_t links = 100; ///< of the chains of seeds

hash32 some_hash(std::uint64_t number) {
  return keccak256(fmt::format("{}", number));
}

/// One training, and what is true of its proposals.
class swarm_of {
public:
  /// The organisations have so many peers each; the first one lies. Models are so large that they are merged in shards, or
  /// are not; and are measured before, or are not.
  swarm_of(std::uint64_t seed, const std::vector<std::uint16_t>& sizes, bool in_shards, bool measured)
      : chunks(in_shards ? 18 : 9), in_shards_(in_shards), measured_(measured), random_(seed),
        world_(make_contracts(), {}, founders(sizes)), probe_(world_, where_) {
    std::uint16_t number = 0;
    for (std::size_t of = 0; of < sizes.size(); ++of)
      for (std::uint16_t i = 0; i < sizes[of]; ++i)
        peers_.push_back({test_account(number++), of == 0});
    for (const auto& peer : peers_) {
      REQUIRE(register_node(world_, peer.account, node_type::sl).ok);
      register_peer_args args{static_cast<std::uint32_t>(peers_.size()), measured ? "geomedian" : "mean", 1};
      must(peer.account, args);
    }
  }

  /// Plays until the round is merged; returns how many calls it took.
  std::size_t play_round() {
    const auto round_num = probe_.head().round_num;
    check_in(round_num);
    std::size_t calls = 0;
    while (probe_.head().merged_round < round_num) {
      REQUIRE(++calls < 400);
      const auto head = probe_.head();
      REQUIRE(head.phase != round_phase::stopped);
      if (head.phase == round_phase::merging && gives_up(head)) continue;
      if (head.phase == round_phase::merging)
        probe_.shards().shards.empty() ? propose(head) : make_shards(head);
      else if (head.phase == round_phase::disputed)
        judge(head);
      else
        check(head);
    }
    const auto merge = probe_.merge_of(round_num);
    CHECK(merge.digest == true_digest);
    put_together += merge.shards > 0 ? 1 : 0;
    for (const auto& peer : probe_.peers())
      if (peer.barred_until > 0) CHECK(is_liar(peer.account));
    CHECK(!merge.checkers.empty());
    return calls;
  }

  std::size_t false_proposals = 0;
  std::size_t falsely_measured = 0;
  std::size_t put_together = 0; ///< merges, of shards
  std::size_t given_up = 0;     ///< terms of leaders that did nothing

private:
  struct player {
    address account;
    bool lies = false;
  };
  static std::vector<ledger::founder> founders(const std::vector<std::uint16_t>& sizes) {
    std::vector<std::vector<std::uint16_t>> accounts;
    std::uint16_t number = 0;
    for (const auto size : sizes) {
      auto& own = accounts.emplace_back();
      for (std::uint16_t i = 0; i < size; ++i)
        own.push_back(number++);
    }
    return test_founders(accounts);
  }

  template <class Args>
  bool call(const address& from, const Args& args) {
    const bool ok = world_.send(from, where_, encode(args)).ok;
    REQUIRE(probe_.broken_invariant() == "");
    return ok;
  }
  template <class Args>
  void must(const address& from, const Args& args) {
    const auto done = world_.send(from, where_, encode(args));
    REQUIRE_MESSAGE(done.ok, revert_text(done.output));
  }
  bool is_liar(const address& who) const {
    return std::any_of(peers_.begin(), peers_.end(),
                       [&](const auto& peer) { return peer.account == who && peer.lies; });
  }
  bool by_chance(std::uint64_t of) { return random_.below(of) == 0; }

  void check_in(std::uint64_t round_num) {
    std::map<address, opening> what;
    for (const auto& peer : peers_) {
      seeds_[peer.account] = some_hash(random_());
      what[peer.account] = {some_hash(random_()), some_hash(1), seed_link(seeds_[peer.account], links)};
      must(peer.account,
           check_in_args{1, round_num, commitment_of(peer.account, 1, round_num, what[peer.account]),
                         in_shards_ ? chunks * model_chunk_bytes : 4000, some_hash(2), 1, round_num - 1,
                         false});
    }
    for (const auto& [account, own] : what)
      must(account, reveal_args{1, round_num, own.digest, own.salt, own.seed_hash});
  }

  /// Liars suspect whoever leads; a liar that leads may do nothing, which all others see. True when another one leads.
  bool gives_up(const head_view& head) {
    const bool is_idle = is_liar(head.leader) && by_chance(6);
    for (const auto& peer : peers_) {
      if (peer.account == head.leader || !(peer.lies ? by_chance(2) : is_idle)) continue;
      call(peer.account, suspect_leader_args{1, head.round_num, head.term});
    }
    const bool has_changed = probe_.head().term != head.term;
    CHECK(has_changed == is_idle);
    given_up += has_changed ? 1 : 0;
    return has_changed;
  }

  /// A liar leaves out somebody, changes a chunk, or does not serve some.
  void propose(const head_view& head) {
    const bool lies = is_liar(head.leader);
    false_chunks_.clear();
    false_units_.clear();
    false_exclusion_ = false;
    starved_.clear();
    commit_merge_args args{1, head.round_num, head.term, true_digest, chunks * model_chunk_bytes};
    for (const auto& peer : peers_)
      args.contributors.push_back(peer.account);
    if (lies && by_chance(3)) false_chunks_ = {measured_ ? 0 : random_.below(chunks)};
    if (lies && by_chance(3)) {
      false_exclusion_ = true;
      const auto at = args.contributors.end() - 1 - static_cast<std::ptrdiff_t>(random_.below(2));
      args.excluded.push_back(*at);
      args.contributors.erase(at);
      args.reasons.push_back(by_chance(2) ? exclusion_reason::not_finite : exclusion_reason::not_available);
    }
    for (const auto& peer : peers_)
      if (lies && by_chance(4)) starved_.insert(peer.account);
    if (!false_chunks_.empty() || false_exclusion_) {
      ++false_proposals;
      args.digest = some_hash(1'000 + random_.below(1'000'000));
    }
    must(head.leader, args);
  }

  /// True ones, or, of one unit, another.
  std::vector<hash32> roots_of(const shard_plan& plan, std::uint32_t place, bool lies) {
    const auto run = plan.chunks_of(place);
    const auto& leaves = false_units_.empty() ? leaves_ : leaves_by_false_totals_;
    auto out = tree_above(std::span(leaves).subspan(run.first, run.count), plan.unit_level());
    if (!lies) return out;
    const auto at = random_.below(out.size());
    out[at] = some_hash(1'000 + random_.below(1'000'000));
    const auto unit = plan.chunks_of_unit(plan.units_of(place).first + at);
    for (auto chunk = unit.first; chunk < unit.end(); ++chunk)
      false_chunks_.insert(chunk);
    return out;
  }

  /// A liar measures falsely, declines or is silent. False when some do not measure.
  bool measure(const head_view& head) {
    if (!probe_.measures().open) return true;
    false_units_.clear();
    const auto now = probe_.shards();
    const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
    for (std::uint32_t place = 0; place < plan.makers(); ++place) {
      const auto& own = now.shards[place];
      const bool lies = is_liar(own.maker);
      if (own.state != shard_state::awaited || (lies && by_chance(8))) continue;
      measure_shard_args args{1, head.round_num, head.term, place, {}};
      const auto units = plan.units_of(place);
      const auto wrong = lies && by_chance(2) ? units.first + random_.below(units.count) : units.end();
      const std::vector<double> right(probe_.measures().sums, 1.5), other(right.size(), 0.0);
      for (auto unit = units.first; unit < units.end() && !(lies && by_chance(40)); ++unit)
        for (const auto& word : pack_sums(unit == wrong ? other : right))
          args.sums.push_back(word);
      if (args.sums.size() != units.count * words_of_sums(right.size())) args.sums.clear();
      must(own.maker, args);
      if (wrong < units.end() && !args.sums.empty()) false_units_.insert(wrong);
    }
    if (!probe_.measures().open) return true;
    const auto until = probe_.shards().until;
    world_.skip_seconds(until - std::min(until, world_.block_time()));
    return false;
  }

  /// A liar makes a false shard, declines it or is silent; as the leader it makes what others have declined, falsely, or
  /// merges alone.
  void make_shards(const head_view& head) {
    false_chunks_.clear();
    false_exclusion_ = false;
    starved_.clear();
    if (measured_ && !measure(head)) return propose(head);
    const auto now = probe_.shards();
    const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
    const auto commit = [&](const address& who, std::uint32_t place, std::vector<hash32> roots) {
      must(who, commit_shard_args{1, head.round_num, head.term, place, std::move(roots)});
    };
    for (std::uint32_t place = 0; place < plan.makers(); ++place) {
      const auto& own = now.shards[place];
      const bool lies = is_liar(own.maker);
      if (is_made(own.state) || (lies && by_chance(6))) continue;
      if (lies && by_chance(6))
        commit(own.maker, place, {});
      else
        commit(own.maker, place, roots_of(plan, place, lies && by_chance(2)));
    }
    if (probe_.head().phase == round_phase::merging && is_liar(head.leader) && by_chance(2))
      return propose(head);
    if (probe_.head().phase == round_phase::merging)
      world_.skip_seconds(now.until - std::min(now.until, world_.block_time()));
    if (probe_.head().phase == round_phase::merging && measured_) return propose(head);
    for (std::uint32_t place = 0; probe_.head().phase == round_phase::merging; ++place)
      if (!is_made(probe_.shards().shards[place].state))
        commit(head.leader, place, roots_of(plan, place, is_liar(head.leader) && by_chance(2)));
    if (!false_chunks_.empty() || !false_units_.empty()) ++false_proposals;
    falsely_measured += false_units_.empty() ? 0 : 1;
  }

  void wait_for(const checks_view& checks, const head_view& head) {
    world_.skip_seconds(checks.until - std::min(checks.until, world_.block_time()));
    for (const auto& peer : peers_)
      if (!peer.lies)
        return must(peer.account, close_checks_args{1, head.round_num, head.term, checks.attempt});
  }

  void check(const head_view& head) {
    const auto checks = probe_.checks();
    bool moved = false;
    for (const auto& peer : peers_) {
      const auto now = probe_.head();
      if (now.phase != head.phase || now.term != head.term || probe_.checks().attempt != checks.attempt)
        return;
      moved = (peer.lies ? lie(peer.account, head, checks) : act(peer.account, head, checks)) || moved;
    }
    if (!moved) wait_for(checks, head);
  }

  static bool is_awaited(const checks_view& checks, const address& who) {
    return std::find(checks.awaited.begin(), checks.awaited.end(), who) != checks.awaited.end();
  }
  bool reveal_seed(const address& who, const head_view& head) {
    for (const auto& one : probe_.check_ins())
      for (std::uint32_t i = links; one.peer == who && i > 0; --i)
        if (seed_link(seeds_[who], i) == one.seed_hash)
          return call(who, reveal_seed_args{1, head.round_num, head.term, seed_link(seeds_[who], i - 1)});
    return false;
  }
  bool challenge(const address& who, const head_view& head, const checks_view& checks, challenge_kind kind,
                 std::uint64_t number) {
    return call(who, challenge_args{1, head.round_num, head.term, checks.attempt, kind, number});
  }

  /// A false chunk of those that are dealt to `who`, or a unit beyond the chunks.
  std::optional<std::uint64_t> draws_false_chunk(const address& who, const checks_view& checks) const {
    for (const auto chunk : chunks_dealt_to(checks, probe_.proposal(), probe_.shards(), who))
      if (false_chunks_.contains(chunk)) return chunk;
    if (false_units_.empty()) return std::nullopt;
    const auto now = probe_.shards();
    const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
    for (const auto chunk : chunks_dealt_to(checks, probe_.proposal(), now, who))
      if (false_units_.contains(chunk / plan.unit_chunks())) return chunks + chunk / plan.unit_chunks();
    return std::nullopt;
  }

  bool act(const address& who, const head_view& head, const checks_view& checks) {
    if (checks.attempt == 0) return is_awaited(checks, who) && reveal_seed(who, head);
    if (false_exclusion_ && challenge(who, head, checks, challenge_kind::exclusion, 0)) return true;
    if (!is_awaited(checks, who)) return false;
    if (starved_.contains(who)) return challenge(who, head, checks, challenge_kind::unserved, 0);
    if (const auto chunk = draws_false_chunk(who, checks))
      return challenge(who, head, checks, challenge_kind::chunk, *chunk);
    return call(who, attest_args{1, head.round_num, head.term, checks.attempt});
  }

  bool lie(const address& who, const head_view& head, const checks_view& checks) {
    if (checks.attempt == 0) return !by_chance(4) && is_awaited(checks, who) && reveal_seed(who, head);
    if (by_chance(4))
      return challenge(who, head, checks, static_cast<challenge_kind>(random_.below(3)),
                       in_shards_ && by_chance(2) ? random_.below(measured_ ? 2 * chunks : chunks) : 0);
    if (by_chance(3)) return false;
    return is_awaited(checks, who) && call(who, attest_args{1, head.round_num, head.term, checks.attempt});
  }

  /// What is challenged is right, as far as `who` can see.
  bool sees_it_hold(const address& who, const checks_view& checks) const {
    if (checks.kind == challenge_kind::chunk && checks.number >= chunks)
      return !false_units_.contains(checks.number - chunks);
    if (checks.kind == challenge_kind::chunk) return !false_chunks_.contains(checks.number);
    if (checks.kind == challenge_kind::exclusion) return !false_exclusion_;
    return !starved_.contains(who);
  }

  void judge(const head_view& head) {
    const auto checks = probe_.checks();
    for (const auto& who : checks.awaited) {
      if (probe_.head().phase != round_phase::disputed) return;
      const bool lies = is_liar(who);
      if (lies && by_chance(2)) continue;
      const bool holds = lies ? by_chance(2) : sees_it_hold(who, checks);
      must(who, judge_args{1, head.round_num, head.term, checks.attempt, holds});
    }
    if (probe_.head().phase == round_phase::disputed) wait_for(checks, head);
  }

  std::uint64_t chunks;
  bool in_shards_;
  bool measured_;
  std::vector<hash32> leaves_ = [this] {
    std::vector<hash32> out;
    while (out.size() < chunks)
      out.push_back(some_hash(out.size()));
    return out;
  }();
  std::vector<hash32> leaves_by_false_totals_ = [this] {
    std::vector<hash32> out;
    while (out.size() < chunks)
      out.push_back(some_hash(500 + out.size()));
    return out;
  }();
  const hash32 true_digest = model_digest(chunks * model_chunk_bytes, model_chunk_bytes, tree_root(leaves_));

  address where_ = training_address(default_training_name);
  seeded_random random_;
  memory_world world_;
  training_probe probe_;
  std::vector<player> peers_;
  std::map<address, hash32> seeds_;
  std::set<std::uint64_t> false_chunks_; ///< of which the units are false, where it is put together of shards
  std::set<std::uint64_t> false_units_;  ///< of which what they are measured to is false
  bool false_exclusion_ = false;
  std::set<address> starved_; ///< whom the leader does not serve
};

} // namespace

TEST_CASE("one organisation of liars merges nothing false, stops nothing and has nobody barred") {
  const std::vector<std::vector<std::uint16_t>> swarms{{1, 1, 1, 1}, {4, 1, 1, 1}, {1, 2, 1, 3},
                                                       {3, 2, 2, 1}, {2, 1, 1},    {5, 1, 1, 1}};
  for (const auto& [in_shards, measured] : {std::pair(false, false), {true, false}, {true, true}}) {
    CAPTURE(in_shards);
    CAPTURE(measured);
    std::size_t falsely_measured = 0;
    std::size_t false_proposals = 0, calls = 0, put_together = 0, given_up = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(seed);
      swarm_of swarm(seed, swarms[seed % swarms.size()], in_shards, measured);
      for (int round = 0; round < 25; ++round)
        calls = std::max(calls, swarm.play_round());
      false_proposals += swarm.false_proposals;
      put_together += swarm.put_together;
      given_up += swarm.given_up;
      falsely_measured += swarm.falsely_measured;
    }
    CHECK(false_proposals >= 50);
    CHECK(given_up >= 10);
    CHECK((in_shards ? put_together >= 500 : put_together == 0));
    CHECK((measured ? falsely_measured >= 50 : falsely_measured == 0));
    MESSAGE(false_proposals << " false proposals; the longest round took " << calls << " turns; "
                            << put_together << " merges of shards, " << falsely_measured
                            << " falsely measured, " << given_up << " idle leaders");
  }
}

} // namespace training_liars_test
