#include "ledger/sync/snapshot_machine.hpp"

#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace snapshot_machine_test {

using namespace swarm;
using namespace swarm::sync;
using namespace swarm::ledger;
using namespace std::chrono_literals;

namespace {

using change_sets = std::map<std::uint64_t, std::vector<std::uint8_t>>;
const change_sets true_changes{{5, {1, 2, 3}}, {9, {1, 2, 3, 4}}};

/// 40 blocks, some of which change the validators. `salted`: another chain after block 20.
test::paper_chain paper(bool salted = false, const change_sets& sets = true_changes) {
  test::paper_chain out({1});
  for (std::uint64_t i = 1; i <= 40; ++i) {
    std::vector<test::paper_txn> txns;
    if (salted && i > 20) txns.push_back({});
    out.add_block(txns, sets.contains(i) ? sets.at(i) : std::vector<std::uint8_t>{});
  }
  return out;
}

/// A machine that begins at the genesis block, and what it wants.
struct scene {
  test::paper_chain chain = paper();
  snapshot_options options{.gather = 1s, .pivot_distance_max = 10};
  time_point now{};
  snapshot_machine machine{options,
                           chain.identity(),
                           {0, test::paper_chain({1}).validators()},
                           [](const state_part&) -> result<bool> { return false; },
                           now};
  std::vector<action::ask_part> asked;
  std::vector<action::useless> useless;
  std::vector<std::string> reports;

  void see(std::vector<neighbor_claim> neighbors) {
    machine.set_neighbors(neighbors, now);
    collect();
  }
  void collect() {
    for (auto& each : machine.take_actions()) {
      if (auto* ask = std::get_if<action::ask_part>(&each)) asked.push_back(*ask);
      if (auto* gone = std::get_if<action::useless>(&each)) useless.push_back(*gone);
      if (auto* report = std::get_if<action::report>(&each)) reports.push_back(report->text);
    }
  }
  /// Answers the oldest question, which must be to `neighbor`.
  void answer(neighbor_id neighbor, const bytes& raw) {
    REQUIRE_FALSE(asked.empty());
    const auto found =
        std::find_if(asked.begin(), asked.end(), [&](const auto& each) { return each.neighbor == neighbor; });
    REQUIRE(found != asked.end());
    const auto tag = found->tag;
    asked.erase(found);
    machine.on_part(neighbor, tag, raw, now);
    collect();
  }
  void pass(duration time) {
    now += time;
    machine.tick(now);
    collect();
  }
  static bytes proof(test::paper_chain& from, const std::vector<std::size_t>& changes, std::size_t pivot) {
    trust_answer out;
    for (const auto block_num : changes)
      out.changes.push_back(from.handover_at(block_num));
    if (pivot > 0) out.pivot = from.handover_at(pivot);
    return encode(out);
  }
};

} // namespace

TEST_CASE("several neighbors prove their pivots, page by page; the highest one is taken") {
  scene at;
  at.see({{1, 40}, {2, 40}, {3, 40}, {4, 40}});
  REQUIRE(at.asked.size() == 3);
  at.answer(1, at.proof(at.chain, {5, 9}, 32));
  at.answer(2, at.proof(at.chain, {5}, 0));
  REQUIRE(at.asked.size() == 2);
  CHECK(std::get<trust_question>(at.asked[1].what).after == 5);
  at.answer(2, at.proof(at.chain, {9}, 36));
  CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
  at.answer(3, at.proof(at.chain, {5, 9}, 34));
  CHECK(at.machine.now_in() == snapshot_machine::phase::fetching);
  CHECK(at.machine.pivot_num() == 36);
  REQUIRE_FALSE(at.asked.empty());
  CHECK(std::get<state_question>(at.asked[0].what).nodes.front() == at.chain.header(36).state_root);
}

TEST_CASE("one neighbor alone is enough once nobody else has come for a while") {
  scene at;
  at.see({{1, 40}});
  at.answer(1, at.proof(at.chain, {5, 9}, 32));
  CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
  at.pass(2s);
  CHECK(at.machine.pivot_num() == 32);
}

TEST_CASE("two chains that are both sealed are followed by nobody") {
  scene at;
  auto other = paper(true);
  REQUIRE(other.identity().genesis_hash == at.chain.identity().genesis_hash);
  at.see({{1, 40}, {2, 40}, {3, 40}});
  at.answer(1, at.proof(at.chain, {5, 9}, 32));
  at.answer(2, at.proof(at.chain, {5, 9}, 32));
  at.answer(3, at.proof(other, {5, 9}, 32));
  CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
  REQUIRE(at.reports.size() == 1);
  CHECK(at.reports[0].find("two chains") != std::string::npos);
  CHECK(at.useless.empty());
  CHECK(at.asked.empty());
  at.pass(10s);
  CHECK(at.asked.empty());
  CHECK(at.machine.status().find("contradict") != std::string::npos);
  at.pass(60s); // then it looks again
  CHECK(at.asked.size() == 3);
}

TEST_CASE("chains contradict each other also where no two blocks of one number are shown") {
  // Whoever holds the keys of the first validators seals a chain in which they never changed, or differently.
  for (const auto& sets :
       {change_sets{}, change_sets{{5, {1, 2, 3}}}, change_sets{{6, {1, 2}}}, change_sets{{5, {1, 7}}},
        change_sets{{5, {1, 2, 3}}, {9, {1, 2, 3, 4}}, {34, {1, 2, 3}}}}) {
    CAPTURE(sets.size());
    scene at;
    auto forged = paper(false, sets);
    REQUIRE(forged.identity().genesis_hash == at.chain.identity().genesis_hash);
    std::vector<std::size_t> forged_changes;
    for (const auto& [block_num, set] : sets)
      forged_changes.push_back(block_num);
    at.see({{1, 40}, {2, 40}, {3, 40}});
    at.answer(1, at.proof(at.chain, {5, 9}, 35));
    at.answer(2, at.proof(forged, forged_changes, 37));
    at.answer(3, at.proof(at.chain, {5, 9}, 36));
    CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
    REQUIRE(at.reports.size() == 1);
    CHECK(at.reports[0].find("two chains") != std::string::npos);
  }
  // A change that only the higher pivot can know of does not contradict.
  scene later;
  auto longer = paper(false, {{5, {1, 2, 3}}, {9, {1, 2, 3, 4}}, {36, {1, 2, 3}}});
  later.see({{1, 40}, {2, 40}});
  later.answer(1, later.proof(longer, {5, 9}, 35));
  later.answer(2, later.proof(longer, {5, 9, 36}, 38));
  later.pass(1s);
  CHECK(later.reports.empty());
  CHECK(later.machine.pivot_num() == 38);
}

TEST_CASE("a neighbor that is still proving is not waited for without end, and contradicts too") {
  // It reports a change every nine seconds, and there are many.
  change_sets sets;
  std::vector<std::size_t> all;
  for (std::size_t i = 2; i < 20; ++i) {
    sets[i] = i % 2 == 0 ? std::vector<std::uint8_t>{1, 2} : std::vector<std::uint8_t>{1};
    all.push_back(i);
  }
  for (const bool forged : {false, true}) {
    CAPTURE(forged);
    scene at;
    auto changing = paper(false, sets), other = paper(false, {});
    const auto decided = [&] { return at.machine.pivot_num() > 0 || !at.reports.empty(); };
    at.see({{1, 40}, {2, 40}});
    at.answer(1, forged ? at.proof(other, {}, 35) : at.proof(changing, all, 35));
    for (const auto block_num : all) {
      at.pass(9s);
      if (decided()) break;
      at.answer(2, at.proof(changing, {block_num}, 0));
    }
    CHECK(at.machine.pivot_num() == (forged ? 0 : 35));
    CHECK(at.reports.size() == (forged ? 1 : 0));
    CHECK(at.now - time_point{} >= 2min);
    CHECK(at.now - time_point{} < 2min + 10s);
  }
}

TEST_CASE(
    "a pivot is measured by what its neighbor claimed when it was asked, not by how far the chain went") {
  scene at;
  at.see({{1, 40}});
  at.see({{1, 400}});
  at.answer(1, at.proof(at.chain, {5, 9}, 36));
  CHECK(at.useless.empty());
  at.pass(1s);
  CHECK(at.machine.pivot_num() == 36);
}

TEST_CASE("who proves a pivot and then gives nothing is of no use") {
  scene silent;
  silent.see({{1, 40}});
  silent.answer(1, silent.proof(silent.chain, {5, 9}, 36));
  for (int i = 0; i < 60 && silent.useless.empty(); ++i)
    silent.pass(1s);
  REQUIRE(silent.useless.size() == 1);
  CHECK_FALSE(silent.useless[0].lied);
  // A neighbor is asked so few questions that its empty answers are not yet too many: the stall finds it out.
  scene slow;
  slow.see({{1, 40}, {2, 40}});
  slow.answer(1, slow.proof(slow.chain, {5, 9}, 36));
  slow.answer(2, slow.proof(slow.chain, {5, 9}, 36));
  slow.pass(1s);
  REQUIRE(slow.machine.now_in() == snapshot_machine::phase::fetching);
  slow.pass(61s);
  std::set<neighbor_id> named;
  for (const auto& each : slow.useless)
    named.insert(each.neighbor);
  CHECK(named == std::set<neighbor_id>{1, 2});
  CHECK(slow.machine.now_in() == snapshot_machine::phase::proving);
}

TEST_CASE("who proves nothing, something else, or less than it says is not asked again") {
  scene at;
  at.see({{1, 40}, {2, 40}, {3, 40}});
  at.answer(1, at.proof(at.chain, {5}, 32)); // leaves out a change
  at.answer(2, at.proof(at.chain, {}, 0));
  at.answer(3, {0x01});
  CHECK(at.asked.empty());
  REQUIRE(at.useless.size() == 3);
  CHECK(at.useless[0].lied);
  CHECK_FALSE(at.useless[1].lied);
  CHECK(at.useless[2].lied);
  at.see({{1, 40}, {2, 40}, {3, 40}, {4, 900}, {5, 40}, {6, 40}});
  REQUIRE(at.asked.size() == 3);
  at.answer(4, at.proof(at.chain, {5, 9}, 32)); // its head is said to be 900
  CHECK_FALSE(at.useless.back().lied);
  at.pass(11s); // 5 and 6 are dead
  CHECK(at.useless.size() == 6);
  CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
  CHECK(at.asked.size() == 2); // old ones
}

TEST_CASE(
    "state: what was not asked for is a lie, an empty answer is none, a missing part goes to somebody else") {
  scene at;
  at.see({{1, 40}});
  at.answer(1, at.proof(at.chain, {5, 9}, 32));
  at.pass(2s);
  at.see({{1, 40}, {2, 40}, {3, 40}});
  REQUIRE(at.asked.size() == 1);
  at.answer(1, encode(state_answer{}));
  CHECK(at.useless.empty());
  REQUIRE(at.asked.size() == 1);
  const auto second = at.asked[0].neighbor;
  CHECK(second != 1);
  at.answer(second, encode(state_answer{{bytes(40, 1)}}));
  REQUIRE(at.useless.size() == 1);
  CHECK(at.useless[0].lied);
  REQUIRE(at.asked.size() == 1);
  CHECK(at.asked[0].neighbor != second);
  at.pass(11s); // silent: asked again, of whom it is left
  CHECK(at.asked.size() >= 2);
}

TEST_CASE("when nobody has the state any more, another pivot is looked for") {
  scene at;
  at.see({{1, 40}});
  at.answer(1, at.proof(at.chain, {5, 9}, 32));
  at.pass(2s);
  CHECK(at.machine.now_in() == snapshot_machine::phase::fetching);
  at.see({});
  at.asked.clear();
  at.pass(61s);
  CHECK(at.machine.now_in() == snapshot_machine::phase::proving);
  CHECK(at.reports.size() == 1);
  at.see({{7, 40}});
  REQUIRE(at.asked.size() == 1);
  at.answer(7, at.proof(at.chain, {5, 9}, 33));
  at.pass(2s);
  CHECK(at.machine.pivot_num() == 33);
}

} // namespace snapshot_machine_test
