#include "contracts/testing/random_calls.hpp"

namespace training_model_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

template <class Event>
const std::size_t event_index = training_event(Event{}).index();

void random_register(twin_world& both, const address& caller) {
  auto& random = both.random;
  register_peer_args args;
  args.min_peers = both.crowded ? 4 : mostly(random, 2u);
  if (!both.crowded && both.has_organisations() && random.below(4) == 0) args.min_peers = 3;
  args.merge_method = both.measured && random.below(6) != 0 ? "geomedian"
                      : random.below(30) == 0               ? "geomedian"
                      : random.below(30) == 0               ? "trimmedmean:0.25"
                      : random.below(40) == 0               ? "bogus"
                                                            : "mean";
  args.weightage = random.below(20) == 0 ? 101 : static_cast<std::uint32_t>(1 + random.below(100));
  args.train_end = static_cast<on_train_end>(random.below(3));
  args.epochs_total = static_cast<std::uint32_t>(random.below(50));
  args.can_lead = random.below(3) != 0;
  both.call(caller, args);
}

void random_check_in(twin_world& both, const address& caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  check_in_args args;
  args.generation = mostly(random, head.generation);
  args.round_num = mostly(random, head.round_num);
  args.weightage = random.below(4) == 0 ? 0 : static_cast<std::uint32_t>(random.below(103));
  opening what;
  if (args.weightage > 0) {
    // Few digests, so that some are the same.
    both.seeds[caller] = some_hash(random());
    what = {some_hash(random.below(6)), some_hash(random()), seed_link(both.seeds[caller], links)};
    args.commitment = commitment_of(caller, head.generation, head.round_num, what);
    args.size = both.in_shards && random.below(25) != 0 ? large_size : 1 + random.below(1000);
    args.layout_digest = some_hash(random.below(both.has_organisations() ? 5 : 40) == 0 ? 1 : 0);
  }
  args.base_round = mostly(random, head.merged_round);
  if (random.below(3) == 0) args.base_round = random.below(head.round_num);
  args.finished = random.below(6) == 0;
  if (both.call(caller, args) && args.weightage > 0) both.openings[caller] = what;
}

void random_reveal(twin_world& both, const address& caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  if (random.below(both.crowded ? 200 : 12) == 0) {
    both.world.skip_seconds(random.below(2 * reveal_seconds));
    both.call(caller, close_reveals_args{mostly(random, head.generation), mostly(random, head.round_num)});
    return;
  }
  auto what = both.openings[caller];
  if (random.below(30) == 0) what.salt = some_hash(random());
  both.call(caller, reveal_args{mostly(random, head.generation), mostly(random, head.round_num), what.digest,
                                what.salt, what.seed_hash});
}

void random_commit(twin_world& both, const address& caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  commit_merge_args args;
  args.generation = mostly(random, head.generation);
  args.round_num = mostly(random, head.round_num);
  args.term = mostly(random, head.term);
  args.digest = some_hash(random());
  args.size = 1 + random.below(12 << 20);
  if (random.below(60) == 0) args.size = model_bytes_max + 1;
  for (const auto& one : both.twin.check_ins()) {
    if (one.weightage == 0 && random.below(40) != 0) continue;
    if (random.below(both.crowded ? 8 : 5) == 0) {
      args.excluded.push_back(one.peer);
      args.reasons.push_back(static_cast<exclusion_reason>(random.below(3)));
    } else {
      args.contributors.insert(args.contributors.begin()
                                   + static_cast<std::ptrdiff_t>(random.below(args.contributors.size() + 1)),
                               one.peer);
    }
    if (random.below(60) == 0) args.contributors.push_back(one.peer);
  }
  both.call(caller, args);
}

/// Of a shard that is not made, by its maker or the leader mostly.
void random_shard(twin_world& both, address caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  const auto now = both.twin.shards();
  if (now.shards.empty()) return random_commit(both, caller);
  std::vector<std::uint32_t> missing;
  for (std::uint32_t place = 0; place < now.shards.size(); ++place)
    if (!is_made(now.shards[place].state)) missing.push_back(place);
  if (missing.empty()) return random_commit(both, caller);
  auto which = missing[random.below(missing.size())];
  if (random.below(20) == 0) which = static_cast<std::uint32_t>(random.below(now.shards.size() + 1));
  const bool is_declined = which < now.shards.size() && now.shards[which].state == shard_state::declined;
  const bool measures = both.twin.measures().open; // the leader does that for nobody
  if (measures && random.below(4) == 0)
    return void(measure_all(both, [&both](std::uint64_t words) { return some_sums(both, words); }));
  if (random.below(10) != 0)
    caller = is_declined || which >= now.shards.size() || (!measures && random.below(4) == 0)
                 ? head.leader
                 : now.shards[which].maker;
  if (random.below(12) == 0) both.world.skip_seconds(random.below(1000));
  const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
  auto count = which < now.shards.size() ? plan.units_of(which).count : 1;
  count = random.below(measures ? 40 : 12) == 0 ? 0 : mostly(random, count);
  if (measures && random.below(20) != 0)
    return void(both.call(
        caller, measure_shard_args{mostly(random, head.generation), mostly(random, head.round_num),
                                   mostly(random, head.term), which,
                                   some_sums(both, std::min<std::uint64_t>(count, 100)
                                                       * words_of_sums(both.twin.measures().sums))}));
  both.call(caller, commit_shard_args{mostly(random, head.generation), mostly(random, head.round_num),
                                      mostly(random, head.term), which, some_roots(both, count)});
}

void random_challenge(twin_world& both, const address& caller, const checks_view& checks) {
  auto& random = both.random;
  const auto head = both.twin.head();
  both.call(caller,
            challenge_args{
                mostly(random, head.generation), mostly(random, head.round_num), mostly(random, head.term),
                mostly(random, checks.attempt), static_cast<challenge_kind>(random.below(3)),
                random.below(3) == 0 ? random.below(checks.chunks + (both.measured ? 30 : 1)) : 0});
}

/// What happens to a proposal. Those who are awaited speak mostly.
void random_check(twin_world& both, address caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  const auto checks = both.twin.checks();
  const auto generation = mostly(random, head.generation);
  const auto round_num = mostly(random, head.round_num);
  const auto term = mostly(random, head.term);
  const auto attempt = mostly(random, checks.attempt);
  const bool ends = both.quarrels && head.phase == round_phase::disputed; // before many have voted
  if (random.below(ends ? 2 : both.crowded ? 25 : 9) == 0) {
    both.world.skip_seconds(random.below(ends ? 3 * check_seconds : 2 * check_seconds));
    both.call(caller, close_checks_args{generation, round_num, term, attempt});
    return;
  }
  if (random.below(both.quarrels ? 2 : 8) == 0) return random_challenge(both, caller, checks);
  if (!checks.awaited.empty() && random.below(10) != 0)
    caller = checks.awaited[random.below(checks.awaited.size())];
  if (head.phase == round_phase::disputed ? random.below(20) != 0 : random.below(40) == 0)
    both.call(caller, judge_args{generation, round_num, term, attempt, random.below(2) == 0});
  else if (checks.attempt == 0)
    both.call(caller, reveal_seed_args{generation, round_num, term,
                                       random.below(20) == 0 ? some_hash(1) : next_seed(both, caller)});
  else
    both.call(caller, attest_args{generation, round_num, term, attempt});
}

void random_accusation(twin_world& both, const address& caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  both.world.skip_seconds(random.below(3) == 0 ? no_accusing_seconds / 2 : random.below(8));
  if (random.below(5) == 0) {
    both.call(caller, answer_accusation_args{mostly(random, head.generation)});
    return;
  }
  auto other = test_account(static_cast<std::uint16_t>(random.below(peer_accounts)));
  if (random.below(2) == 0)
    for (const auto& peer : both.twin.peers())
      if (peer.accused_since > 0) other = peer.account;
  both.call(caller, accuse_peer_args{mostly(random, head.generation), other});
}

/// What takes the round on, of somebody.
void useful_call(twin_world& both) {
  auto& random = both.random;
  const auto head = both.twin.head();
  const auto caller = test_account(static_cast<std::uint16_t>(random.below(peer_accounts)));
  if (head.phase == round_phase::merging)
    return random.below(both.twin.measures().open ? 30 : 8) == 0 ? random_commit(both, head.leader)
                                                                 : random_shard(both, head.leader);
  if (head.phase == round_phase::verifying || head.phase == round_phase::disputed)
    return random_check(both, caller);
  const auto peers = both.twin.peers();
  const bool is_there = std::any_of(peers.begin(), peers.end(), [&](const peer_view& peer) {
    return peer.account == caller && peer.state != peer_state::left && peer.state != peer_state::odd;
  });
  if (!is_there) return random_register(both, caller);
  head.phase == round_phase::revealing ? random_reveal(both, caller) : random_check_in(both, caller);
}

void random_call(twin_world& both) {
  auto& random = both.random;
  const auto head = both.twin.head();
  auto caller = test_account(static_cast<std::uint16_t>(random.below(peer_accounts)));
  const auto dice = random.below(100);
  if (both.crowded && random.below(4) != 0 && head.phase < round_phase::stopped
      && head.phase != round_phase::complete)
    return useful_call(both);
  if (head.phase == round_phase::complete && random.below(8) == 0) return both.reset();
  if (head.phase == round_phase::stopped && random.below(20) == 0) return both.reset();
  const bool is_checked = head.phase == round_phase::verifying || head.phase == round_phase::disputed;
  if (is_checked ? random.below(4) != 0 : random.below(60) == 0) return random_check(both, caller);
  if (head.phase == round_phase::revealing ? random.below(2) == 0 : random.below(8) == 0)
    return random_reveal(both, caller);
  if (dice < 12) return random_register(both, caller);
  if (dice < 50) return random_check_in(both, caller);
  if (dice < 60) {
    const vote_close_args args{mostly(random, head.generation), mostly(random, head.round_num)};
    both.call(caller, args);
  } else if (dice < 72) {
    const suspect_leader_args args{mostly(random, head.generation), mostly(random, head.round_num),
                                   mostly(random, head.term)};
    both.call(caller, args);
  } else if (dice < 84) {
    if (random.below(10) != 0 && !head.leader.is_zero()) caller = head.leader;
    random.below(3) == 0 ? random_commit(both, caller) : random_shard(both, caller);
  } else if (dice < 91) {
    if (random.below(3) == 0 && !head.leader.is_zero()) caller = head.leader;
    const leave_peer_args args{static_cast<leave_reason>(random.below(9))};
    both.call(caller, args);
  } else if (dice < 93) {
    const report_refusal_args args{mostly(random, head.generation),
                                   static_cast<leave_reason>(random.below(14))};
    both.call(caller, args);
  } else if (dice < 95) {
    random_accusation(both, caller);
  } else if (dice < 99) {
    const report_loss_args args{
        head.generation, mostly(random, head.merged_round), static_cast<std::int64_t>(random()), -5, 3, 9};
    both.call(caller, args);
  } else if (random.below(10) == 0) {
    both.reset();
  } else if (both.has_organisations()) {
    both.move(test_account(peer_accounts - 1), static_cast<organisation_id>(1 + random.below(4)));
    random_register(both, test_account(peer_accounts - 1));
  }
}

/// Plays a training to its end: from some state on everyone who has not left acts as a good peer does. With
/// `leaders_die` the first leader of each round falls silent for as long as somebody else can lead.
class ending {
public:
  ending(const twin_world& from, bool leaders_die) : both_(from), leaders_die_(leaders_die) {}

  /// Returns the number of calls it took, or `limit` when it did not come to an end.
  std::size_t play(std::size_t limit) {
    while (calls_ < limit && both_.twin.head().phase != round_phase::complete
           && both_.twin.head().phase != round_phase::stopped) {
      const auto head = both_.twin.head();
      const auto peers = both_.twin.peers();
      if (head.phase == round_phase::collecting) {
        silent_ = {};
        bool moved = false;
        for (const auto& peer : peers)
          if (peer.state != peer_state::left) moved = check_in(peer.account, head.round_num) || moved;
        // Those that have to reveal before they count may check in as often as they like.
        moved = reveal(head.round_num, round_phase::collecting) || moved;
        if (!moved) join(peers); // everyone is in and they are fewer than minPeers: company has to come
      } else if (head.phase == round_phase::revealing) {
        end_reveals(head.round_num);
      } else if (head.phase == round_phase::verifying || head.phase == round_phase::disputed) {
        check(head);
      } else {
        merge();
      }
    }
    return calls_;
  }

private:
  /// An account that is no peer now becomes one.
  void join(const std::vector<peer_view>& peers) {
    const auto head = both_.twin.head();
    register_peer_args args;
    args.min_peers = std::max(head.min_peers, 1u);
    args.merge_method = head.merge_method.empty() ? "mean" : head.merge_method;
    args.weightage = 1;
    for (std::uint16_t i = 0; i < peer_accounts; ++i) {
      const bool taken = std::any_of(peers.begin(), peers.end(), [i](const auto& peer) {
        // An odd peer corrects itself.
        return peer.account == test_account(i) && peer.state != peer_state::left
               && peer.state != peer_state::odd;
      });
      if (taken) continue;
      REQUIRE(both_.call(test_account(i), args));
      ++calls_;
      return;
    }
    FAIL("all accounts take part and the round does not move on");
  }

  /// The check-in is refused when the peer is in already.
  bool check_in(const address& account, std::uint64_t round_num) {
    const auto now = both_.twin.head();
    if (now.phase != round_phase::collecting || now.round_num != round_num) return false;
    const auto seed = some_hash(both_.random());
    const opening what{some_hash(both_.random()), some_hash(1), seed_link(seed, links)};
    check_in_args args{now.generation,
                       now.round_num,
                       commitment_of(account, now.generation, now.round_num, what),
                       both_.in_shards ? large_size : 1,
                       now.layout_digest,
                       1,
                       now.merged_round,
                       true};
    if (args.layout_digest.is_zero()) args.layout_digest = some_hash(0);
    ++calls_;
    if (!both_.call(account, args)) return false;
    both_.openings[account] = what;
    both_.seeds[account] = seed;
    return true;
  }

  /// Whoever can reveals its model. Returns whether anybody could.
  bool reveal(std::uint64_t round_num, round_phase phase) {
    bool moved = false;
    for (const auto& [account, what] : std::map(both_.openings)) {
      const auto now = both_.twin.head();
      if (now.phase != phase || now.round_num != round_num) break;
      ++calls_;
      moved =
          both_.call(account, reveal_args{now.generation, round_num, what.digest, what.salt, what.seed_hash})
          || moved;
    }
    return moved;
  }

  /// Those who do not want to or cannot reveal are not waited for longer than 10 s.
  void end_reveals(std::uint64_t round_num) {
    if (!leaders_die_) reveal(round_num, round_phase::revealing);
    const auto now = both_.twin.head();
    if (now.phase != round_phase::revealing) return;
    both_.world.skip_seconds(reveal_seconds);
    for (const auto& peer : both_.twin.peers()) {
      if (peer.state == peer_state::left) continue;
      ++calls_;
      REQUIRE(both_.call(peer.account, close_reveals_args{now.generation, round_num}));
      return;
    }
  }

  /// Everybody checks, and votes for the leader; or all are silent until the time is over.
  void check(const head_view& head) {
    const auto checks = both_.twin.checks();
    if (leaders_die_) {
      both_.world.skip_seconds(checks.until - std::min(checks.until, both_.world.block_time()));
      return end_stage(head, checks);
    }
    for (const auto& peer : checks.awaited) {
      const auto now = both_.twin.checks();
      if (now.attempt != checks.attempt || both_.twin.head().phase != head.phase) return;
      ++calls_;
      if (head.phase == round_phase::disputed)
        both_.call(peer, judge_args{head.generation, head.round_num, head.term, checks.attempt, true});
      else if (checks.attempt > 0)
        REQUIRE(both_.call(peer, attest_args{head.generation, head.round_num, head.term, checks.attempt}));
      else if (!both_.call(peer, reveal_seed_args{head.generation, head.round_num, head.term,
                                                  next_seed(both_, peer)}))
        both_.world.skip_seconds(seed_seconds);
    }
    if (checks.attempt == 0 && both_.twin.checks().attempt == 0) end_stage(head, both_.twin.checks());
  }

  void end_stage(const head_view& head, const checks_view& checks) {
    if (both_.twin.head().phase != head.phase) return;
    for (const auto& peer : both_.twin.peers()) {
      if (peer.state == peer_state::left) continue;
      ++calls_;
      REQUIRE(both_.call(peer.account,
                         close_checks_args{head.generation, head.round_num, head.term, checks.attempt}));
      return;
    }
  }

  void merge() {
    const auto head = both_.twin.head();
    if (leaders_die_ && silent_.is_zero()) {
      silent_ = head.leader;
      return suspect(head);
    }
    if (!leaders_die_ && !both_.twin.shards().shards.empty() && !needs_leader(both_))
      return make_shards(head);
    commit_merge_args args;
    args.generation = head.generation;
    args.round_num = head.round_num;
    args.term = head.term;
    args.digest = some_hash(2);
    args.size = 1;
    for (const auto& one : both_.twin.check_ins())
      if (one.weightage > 0) args.contributors.push_back(one.peer);
    REQUIRE(both_.call(head.leader, args));
    ++calls_;
  }

  /// All makers do, and the leader what is declined.
  void make_shards(const head_view& head) {
    if (both_.twin.measures().open) {
      calls_ += measure_all(both_, [](std::uint64_t words) { return std::vector<hash32>(words); });
      REQUIRE_FALSE(both_.twin.measures().open);
    }
    const auto now = both_.twin.shards();
    const auto plan = plan_of(now.size, static_cast<std::uint32_t>(now.shards.size()));
    for (std::uint32_t place = 0; place < now.shards.size(); ++place) {
      const auto& own = now.shards[place];
      if (is_made(own.state)) continue;
      ++calls_;
      REQUIRE(both_.call(own.state == shard_state::declined ? head.leader : own.maker,
                         commit_shard_args{head.generation, head.round_num, head.term, place,
                                           some_roots(both_, plan.units_of(place).count)}));
    }
    REQUIRE(both_.twin.head().phase != round_phase::merging);
  }

  void suspect(const head_view& head) {
    const auto in = both_.twin.check_ins();
    const auto is_in = [&in](const address& account) {
      return std::any_of(in.begin(), in.end(), [&account](const auto& one) { return one.peer == account; });
    };
    const suspect_leader_args args{head.generation, head.round_num, head.term};
    std::size_t able = 0; // to speak against the leader
    for (const auto& peer : both_.twin.peers()) {
      if (peer.state == peer_state::left || peer.account == head.leader || !is_in(peer.account)) continue;
      both_.call(peer.account, args); // refused once the term has changed
      ++calls_;
      ++able;
    }
    if (able > 0) CHECK(both_.twin.head().term > head.term);
  }

  twin_world both_;
  bool leaders_die_;
  address silent_;
  std::size_t calls_ = 0;
};

} // namespace

TEST_CASE(
    "the training and its naive twin agree on long random call sequences, and it always can be finished") {
  std::size_t accepted = 0;
  std::map<std::string, std::size_t> seen;
  const auto organisations = test_founders({{0, 1}, {2, 3}, {4}, {5}});
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    twin_world both(seed, seed <= 60 ? std::vector<ledger::founder>{} : organisations);
    for (int step = 0; step < 700; ++step) {
      CAPTURE(step);
      random_call(both);
      for (const auto& event : both.twin.events)
        ++seen[std::to_string(event.index())];
      if (step % 50 == 49) {
        CHECK(ending(both, false).play(500) < 500);
        CHECK(ending(both, true).play(500) < 500);
      }
    }
    accepted += both.accepted;
  }
  CHECK(accepted > 4000);
  // Every kind of event must have come up often, or the sequences test less than they claim.
  for (std::size_t kind = 0; kind < std::variant_size_v<training_event>; ++kind) {
    CAPTURE(kind);
    const std::array owners{event_index<reset_asked>, event_index<reset_noted>,
                            event_index<organisation_invited>, event_index<verify_set>}; // owners.test.cpp
    if (std::find(owners.begin(), owners.end(), kind) != owners.end()) continue;
    const bool is_rare = kind == event_index<round_stopped> || kind == event_index<models_measured>;
    CHECK(seen[std::to_string(kind)] >= (is_rare ? 3 : 10));
  }
  std::string counts;
  for (const auto& [kind, count] : seen)
    counts += fmt::format(" {}:{}", kind, count);
  MESSAGE(accepted << " calls accepted, events" << counts);
}

} // namespace training_model_test
