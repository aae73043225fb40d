#include "actors/sl/rounds/testing/closed_round.hpp"
#include "base/hash.hpp"
#include "base/hash_tree.hpp"
#include "contracts/training/dealt.hpp"

#include <doctest/doctest.h>

#include <numeric>

namespace peer_shards_test {

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::round_phase;
using contracts::shard_state;

namespace {

/// Peers 1 to 4 make the merge of round 1 in shards. This node is peer 1, whose shard is the first one.
struct round_in_shards : machine_bench {
  /// With `late` it sees nothing of that before it is proposed.
  explicit round_in_shards(std::uint8_t leader = 2, bool late = false, session_params params = {}) {
    for (std::uint8_t number : {2, 3, 4})
      in(number);
    join(std::move(params));
    close(leader);
    give_out();
    if (!late) look();
  }
  /// This node has made and committed its shard.
  void make_own() {
    made(right());
    set(1, shard_state::made);
    done();
    clear();
  }

  void give_out() {
    auto& shards = view.shards;
    shards = {.round_num = view.head.round_num,
              .term = view.head.term,
              .open = true,
              .size = model_size,
              .unit_chunks = plan().unit_chunks(),
              .lasts = contracts::check_seconds};
    for (std::uint8_t number : {1, 2, 3, 4})
      shards.shards.push_back({account(number), shard_state::awaited, {}, 1});
  }
  static contracts::shard_plan plan() { return contracts::plan_of(model_size, 4); }
  void set(std::uint8_t number, shard_state state) {
    auto& shard = view.shards.shards.at(number - 1u);
    shard.state = state;
    shard.made_by = is_made(state) ? account(state == shard_state::made ? number : 2) : address{};
  }

  const check_task& task() const { return last<action::start_check>().task; }
  void made(result<check_outcome> outcome) { step(event::check_done{task().id, std::move(outcome)}); }
  check_outcome right() const {
    check_outcome out;
    for (const auto chunk : task().chunks)
      out.made.push_back(sha256(bytes(chunk + 1)));
    return out;
  }
  bytes commit(std::uint32_t place, const check_outcome& what) const {
    const auto roots = what.made.empty() ? what.made : tree_above(what.made, plan().unit_level());
    return contracts::encode(contracts::commit_shard_args{1, 1, view.head.term, place, roots});
  }
  void propose(std::uint32_t attempt = 1) {
    for (std::uint8_t number : {1, 2, 3, 4})
      set(number, shard_state::made);
    view.shards.open = false;
    view.head.phase = round_phase::verifying;
    view.proposal = {
        .round_num = 1, .term = view.head.term, .digest = digest(50), .size = model_size, .shards = 4};
    view.proposal.contributors = {account(1), account(2), account(3), account(4)};
    view.checks.round_num = 1;
    view.checks.term = view.head.term;
    view.checks.chunks = plan().chunks();
    view.checks.attempt = attempt;
    view.checks.lasts = contracts::check_seconds;
    view.checks.seats = {{account(3), 3}, {account(1), 1}, {account(4), 4}, {account(2), 2}};
    view.checks.awaited = {account(1), account(2), account(3), account(4)};
    std::uint64_t organisation = 1;
    for (auto& shard : view.shards.shards)
      shard.organisation = organisation++;
    clear();
    look();
  }
};

} // namespace

TEST_CASE("a maker makes its shard, commits it once, and waits for the others") {
  round_in_shards t;
  REQUIRE(t.count<action::start_check>() == 1);
  CHECK(t.task().makes);
  CHECK(t.task().inputs.size() == 4);
  std::vector<std::uint64_t> chunks(t.plan().chunks_of(0).count);
  std::iota(chunks.begin(), chunks.end(), 0);
  CHECK(t.task().chunks == chunks);
  CHECK(says(t, "making a part of the merge, waiting for sl-1, sl-2, sl-3, sl-4"));
  t.pass(1s, 3);
  CHECK(t.count<action::start_check>() == 1);
  const auto right = t.right();
  t.made(right);
  CHECK(t.last<action::call>().input == t.commit(0, right));
  t.set(1, shard_state::made);
  t.done();
  t.clear();
  t.pass(1s, 3);
  CHECK(t.count<action::call>() == 0);
  CHECK(says(t, "waiting for sl-2, sl-3, sl-4 to make parts of the merge"));
}

TEST_CASE("whose models cannot be had or used, declines, and its leader makes the shard") {
  round_in_shards t;
  t.made(check_outcome{check_outcome::unserved, 0, {}, "nobody gives a model"});
  CHECK(t.last<action::call>().input == t.commit(0, {}));
  t.set(1, shard_state::declined);
  t.done();
  CHECK(t.count<action::start_check>() == 1);

  round_in_shards leader(1);
  const auto right = leader.right();
  leader.made(right);
  leader.set(1, shard_state::made);
  leader.done();
  leader.set(3, shard_state::declined);
  leader.look();
  REQUIRE(leader.count<action::start_check>() == 2);
  CHECK(leader.task().chunks.front() == leader.plan().chunks_of(2).first);
  const auto other = leader.right();
  leader.made(other);
  CHECK(leader.last<action::call>().input == leader.commit(2, other));
}

TEST_CASE("a shard that its leader cannot make either has it make the merge as a whole") {
  round_in_shards t(1);
  t.made(t.right());
  t.set(1, shard_state::made);
  t.done();
  t.set(3, shard_state::declined);
  t.look();
  t.made(check_outcome{check_outcome::wrong_chunk, 10, {}, "NaN"});
  REQUIRE(t.count<action::start_merge>() == 1);
  CHECK(t.last<action::start_merge>().inputs.size() == 4);
  CHECK(t.last<action::start_merge>().leads);
}

TEST_CASE("a leader that cannot make its own part makes the merge as a whole at once") {
  round_in_shards t(1);
  t.made(check_outcome{check_outcome::unserved, 0, {}, "nobody gives a model"});
  CHECK(t.last<action::call>().input == t.commit(0, {}));
  t.set(1, shard_state::declined);
  t.done();
  CHECK(t.count<action::start_check>() == 1);
  REQUIRE(t.count<action::start_merge>() == 1);
  CHECK(t.last<action::start_merge>().leads);
}

TEST_CASE("a leader makes what is late, and a leader that does not is watched") {
  round_in_shards t(1);
  t.made(t.right());
  t.set(1, shard_state::made);
  t.done();
  t.set(2, shard_state::made);
  t.set(3, shard_state::made);
  t.look();
  CHECK(t.count<action::start_check>() == 1);
  t.pass(10s, 60);
  REQUIRE(t.count<action::start_check>() == 2);
  CHECK(t.task().chunks.front() == t.plan().chunks_of(3).first);

  round_in_shards other;
  other.made(other.right());
  other.set(1, shard_state::made);
  other.done();
  CHECK(other.count<action::probe_leader>() == 0);
  other.pass(10s, 60);
  CHECK(other.count<action::probe_leader>() > 0);
}

TEST_CASE("a leader waits less once the contract says so, and who checks is asked as long as that lasts") {
  round_in_shards t(1);
  t.view.shards.lasts = 3600;
  t.look();
  t.made(t.right());
  t.set(1, shard_state::made);
  t.done();
  t.set(2, shard_state::made);
  t.set(3, shard_state::made);
  t.look();
  t.pass(10s, 60);
  CHECK(t.count<action::start_check>() == 1);
  t.view.shards.lasts = 20; // as most have made theirs
  t.look();
  t.pass(1s, 2);
  REQUIRE(t.count<action::start_check>() == 2);
  CHECK(t.task().chunks.front() == t.plan().chunks_of(3).first);
  t.propose();
  t.view.checks.lasts = 100;
  t.look();
  CHECK(t.task().patience == 25);
}

TEST_CASE("what is made stands in the next term, unless it is of other models") {
  round_in_shards t;
  const auto right = t.right();
  t.made(right);
  t.set(1, shard_state::made);
  t.done();
  t.close(3, 1);
  t.view.shards.shards.clear();
  t.give_out();
  t.clear();
  t.look();
  CHECK(t.count<action::start_check>() == 0);
  CHECK(t.last<action::call>().input == t.commit(0, right));
  t.view.check_ins.back().digest = t.digest(90);
  t.view.head.term = t.view.shards.term = 2;
  t.done();
  CHECK(t.count<action::start_check>() == 1);
}

TEST_CASE("trouble of this node's own is tried again, and then it declines") {
  round_in_shards t;
  for (unsigned i = 0; i < shard_marks::failures_max; ++i) {
    CHECK(t.calls().empty());
    t.made(fail(errc::io, "the disk is full"));
    t.pass(2s);
  }
  CHECK(t.last<action::call>().input == t.commit(0, {}));
}

TEST_CASE("what is proposed is fetched from its makers, and attested once it is here") {
  round_in_shards t;
  t.make_own();
  t.propose();
  const auto& fetch = t.last<action::fetch>();
  REQUIRE(fetch.shards.size() == 4);
  CHECK(fetch.shards[1].maker == holder{t.account(2), "host-2:30305"});
  CHECK(fetch.shards[1].first == t.plan().chunks_of(1).first);
  CHECK(fetch.holders.size() == 3);
  CHECK(fetch.made_here == t.task().chunks);
  REQUIRE(t.count<action::start_check>() == 1);
  CHECK_FALSE(t.task().makes);
  CHECK(t.task().shards == fetch.shards);
  CHECK(t.task().chunks
        == contracts::chunks_dealt_to(t.view.checks, t.view.proposal, t.view.shards, t.account(1)));
  for (const auto chunk : t.task().chunks)
    CHECK(t.plan().place_of_chunk(chunk) != 0); // it is not its own judge
  t.made(check_outcome{});
  CHECK(t.calls().empty());
  CHECK(says(t, "fetching the parts of the merge"));
  t.step(event::model_fetched{t.digest(50), t.digest(77)});
  CHECK(t.last<action::call>().input == contracts::encode(contracts::attest_args{1, 1, 0, 1}));
}

TEST_CASE("nothing of it is fetched before it is known what this node makes again") {
  round_in_shards t;
  t.make_own();
  t.propose(0);
  CHECK(t.count<action::fetch>() == 0);
  SUBCASE("it checks") {
    t.view.checks.attempt = 1;
    t.look();
    CHECK(t.last<action::fetch>().made_here == t.task().chunks);
  }
  SUBCASE("it does not") {
    std::erase(t.view.checks.awaited, t.account(1));
    t.look();
    CHECK(t.last<action::fetch>().made_here.empty());
  }
}

TEST_CASE("a program that trains on gets all of it at once, and the checks of its node come after that") {
  round_in_shards t(2, false, {.takes_back = true});
  t.view.head.verify = contracts::verify_mode::behind;
  t.make_own();
  t.propose(0);
  REQUIRE(t.count<action::fetch>() == 1);
  CHECK(t.last<action::fetch>().made_here.empty());
  t.view.checks.attempt = 1;
  t.look();
  t.pass(1s, 2);
  CHECK(t.count<action::start_check>() == 0);
  SUBCASE("once the program has it") {
    t.step(event::model_fetched{t.digest(50), t.digest(77)});
    REQUIRE(t.count<action::ask_loss>() == 1);
    CHECK(t.count<action::start_check>() == 0);
    t.loss();
  }
  SUBCASE("at once where it cannot be fetched") {
    t.step(event::model_fetched{t.digest(50), fail(errc::unavailable, "sl-3 is silent")});
  }
  SUBCASE("in good time where it is fetched slowly") {
    t.pass(1s);
  }
  CHECK(t.count<action::start_check>() == 1);
}

TEST_CASE("a merge that does not come is attested without it, in time") {
  round_in_shards t;
  t.make_own();
  t.propose();
  t.made(check_outcome{});
  t.step(event::model_fetched{t.digest(50), fail(errc::unavailable, "sl-3 is silent")});
  CHECK(t.calls().empty());
  t.pass(1s, 2);
  CHECK(t.count<action::fetch>() > 1);
  CHECK(t.last<action::fetch>().made_here.empty()); // nothing makes it any more
  t.pass(10s, 90);
  CHECK(t.count<action::call>() == 1);
}

TEST_CASE("a node that was started again makes its shard once more, for the others") {
  round_in_shards t(2, true);
  t.propose(); // it has made nothing in this life
  REQUIRE(t.count<action::start_check>() >= 1);
  CHECK(t.task().makes);
  t.made(t.right());
  CHECK_FALSE(t.task().makes);
  CHECK(t.count<action::fetch>() == 1);
}

TEST_CASE("a shard of a round that is over is not made any longer") {
  round_in_shards t;
  t.clear();
  t.view.shards = {};
  t.merge(60, 2);
  t.look();
  CHECK(t.count<action::cancel_check>() == 1);
}

/// The same by a method that looks at whole models: these are measured first.
struct round_with_measures : round_in_shards {
  explicit round_with_measures(std::uint8_t leader = 2) : round_in_shards(leader, true, with_geomedian()) {
    view.head.merge_method = "geomedian";
    view.measures = {.round_num = 1, .term = view.head.term, .open = true, .sums = 6};
    look();
  }
  static session_params with_geomedian() {
    session_params out;
    out.merge_method = "geomedian";
    return out;
  }
  check_outcome sums(std::uint8_t fill) const {
    check_outcome out;
    hash32 word;
    word.back() = fill;
    out.sums.assign(2 * plan().units_of(0).count, word);
    return out;
  }
  bytes measure(const check_outcome& what) const {
    return contracts::encode(contracts::measure_shard_args{1, 1, view.head.term, 0, what.sums});
  }
  void all_are_measured(std::uint8_t total = 1) {
    view.measures.open = false;
    view.measures.totals.assign(2, digest(total));
    view.measures.units.assign(plan().units(), digest(9));
    give_out();
    look();
  }
};

TEST_CASE("a maker measures its part of the models first, and makes it by the totals once all are measured") {
  round_with_measures t;
  REQUIRE(t.count<action::start_check>() == 1);
  CHECK(t.task().makes);
  CHECK(t.task().measures);
  CHECK(t.task().measured == model_measures{t.plan().unit_chunks(), 6, {}, {}});
  CHECK(says(t, "measuring a part of the models, waiting for"));
  const auto own = t.sums(7);
  t.made(own);
  CHECK(t.last<action::call>().input == t.measure(own));
  t.set(1, shard_state::made);
  t.done();
  t.clear();
  t.pass(1s, 3);
  CHECK(t.count<action::call>() + t.count<action::start_check>() == 0);
  t.all_are_measured();
  REQUIRE(t.count<action::start_check>() == 1);
  CHECK_FALSE(t.task().measures);
  CHECK(t.task().measured.totals == t.view.measures.totals);
  const auto right = t.right();
  t.made(right);
  CHECK(t.last<action::call>().input == t.commit(0, right));
}

TEST_CASE("where models are measured the leader makes the merge as a whole when one declines") {
  round_with_measures t;
  t.made(check_outcome{check_outcome::wrong_chunk, 3, {}, "NaN"});
  CHECK(t.last<action::call>().input == t.measure({}));

  round_with_measures leader(1);
  leader.made(leader.sums(1));
  leader.set(1, shard_state::made);
  leader.done();
  CHECK(leader.count<action::start_merge>() == 0);
  leader.set(3, shard_state::declined);
  leader.look();
  REQUIRE(leader.count<action::start_merge>() == 1);
  CHECK(leader.count<action::start_check>() == 1);
  CHECK(leader.last<action::start_merge>().leads);
}

TEST_CASE("what was made by other totals is made anew when a later leader has all measured once more") {
  round_with_measures t;
  const auto own = t.sums(7);
  t.made(own);
  t.set(1, shard_state::made);
  t.done();
  t.all_are_measured();
  t.made(t.right());
  t.set(1, shard_state::made);
  t.done();
  for (const std::uint8_t total : {1, 2}) {
    CAPTURE(total);
    t.close(3, total);
    t.give_out();
    t.view.measures = {.round_num = 1, .term = t.view.head.term, .open = true, .sums = 6};
    t.clear();
    t.look();
    CHECK(t.count<action::start_check>() == 0);
    CHECK(t.last<action::call>().input == t.measure(own)); // that is known
    t.set(1, shard_state::made);
    t.done();
    t.clear();
    t.all_are_measured(total);
    CHECK(t.count<action::start_check>() == (total == 1 ? 0 : 1));
    if (total == 2) t.made(t.right());
    t.set(1, shard_state::made);
    t.done();
  }
}

TEST_CASE("who checks what was measured has whole units and what they come to, and all judge a unit") {
  round_with_measures t;
  t.made(t.sums(1));
  t.set(1, shard_state::made);
  t.done();
  t.all_are_measured();
  t.make_own();
  t.propose();
  REQUIRE(t.count<action::start_check>() == 1);
  CHECK_FALSE(t.task().whole);
  CHECK(t.task().measured.units == t.view.measures.units);
  const auto wrong = t.plan().chunks() + 5;
  t.made(check_outcome{check_outcome::wrong_chunk, wrong, {}, "it is measured to something else"});
  CHECK(t.last<action::call>().input
        == contracts::encode(
            contracts::challenge_args{1, 1, t.view.head.term, 1, contracts::challenge_kind::chunk, wrong}));
  round_with_measures judge;
  judge.made(judge.sums(1));
  judge.set(1, shard_state::made);
  judge.done();
  judge.all_are_measured();
  judge.make_own();
  judge.propose();
  judge.view.head.phase = round_phase::disputed;
  judge.view.checks.number = wrong;
  judge.view.checks.challenger = judge.account(3);
  judge.view.checks.awaited = {judge.account(1)};
  judge.clear();
  judge.look();
  REQUIRE(judge.count<action::start_check>() == 1);
  const auto unit = judge.plan().chunks_of_unit(5);
  CHECK(judge.task().chunks.front() == unit.first);
  CHECK(judge.task().chunks.size() == unit.count);
  judge.made(check_outcome{});
  CHECK(judge.last<action::call>().input
        == contracts::encode(contracts::judge_args{1, 1, judge.view.head.term, 1, true}));
}

} // namespace peer_shards_test
