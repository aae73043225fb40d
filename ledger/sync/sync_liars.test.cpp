#include "ledger/sync/testing/sync_network.hpp"

namespace sync_liars_test {

using namespace swarm;
using namespace swarm::sync;
using namespace std::chrono_literals;
using namespace swarm::sync::testing;

namespace {

/// One honest neighbor, which answers a question in 100 ms, and a liar that connects again and again, claims
/// a head that nobody has, answers nothing and leaves before it counts as silent.
struct reconnecting_liar {
  sync_machine node;
  std::uint64_t length = 200'000;
  std::uint64_t head = 0;
  time_point now{};
  time_point since{};
  neighbor_id liar = 100;
  bool connected = false;
  hash32 identity = [] {
    hash32 out;
    out[0] = 7;
    return out;
  }();
  std::deque<std::pair<time_point, action::ask_range>> asked;

  explicit reconnecting_liar(const sync_options& options) : node(options, 0) {
    node.on_claim(1, length, now);
  }

  void reconnect(bool with_identity) {
    if (!connected) {
      ++liar;
      if (with_identity) node.on_identity(liar, identity);
      node.on_claim(liar, 1'000'000'000, now);
      since = now;
    } else if (now - since > 9s) {
      node.on_neighbor_gone(liar, now);
    } else {
      return;
    }
    connected = !connected;
  }
  void answer() {
    while (!asked.empty() && now - asked.front().first >= 100ms) {
      const auto what = asked.front().second;
      asked.pop_front();
      node.on_blocks(1, what.first, blocks_of(what.first, what.count), now);
    }
    for (auto& one : node.take_actions()) {
      if (const auto* what = std::get_if<action::ask_range>(&one); what && what->neighbor == 1)
        asked.emplace_back(now, *what);
      if (const auto* what = std::get_if<action::import_blocks>(&one)) {
        head = what->first + what->blocks.size() - 1;
        node.on_head(head, true, now);
      }
    }
  }
  /// How long it takes to fetch everything.
  duration run(bool lies, bool with_identity) {
    while (head < length && now - time_point{} < 24h) {
      now += 50ms;
      if (lies) reconnect(with_identity);
      answer();
      node.tick(now);
    }
    CHECK(head == length);
    return now - time_point{};
  }
};

} // namespace

TEST_CASE("who claims a head that nobody has, and comes again and again, costs a bounded time") {
  const sync_options ranges{}, both{.snapshot_gap = 1000};
  const auto honest = reconnecting_liar(ranges).run(false, true);
  CHECK(honest > 60s);
  // The honest head is far ahead too, so a proof is waited for, and nobody gives one.
  const auto proofless = reconnecting_liar(both).run(false, true);
  CHECK(proofless - honest >= both.snapshot_proof_wait);
  CHECK(proofless - honest < both.snapshot_proof_wait + 1s);
  // A node that is silent is known again: its pauses grow, and with them what it can cost.
  const auto lied_to = reconnecting_liar(both).run(true, true);
  CHECK(lied_to - proofless < 60s);
}

TEST_CASE("a proved pivot whose state never comes stops blocks for a bounded time, over all attempts") {
  reconnecting_liar at({.snapshot_gap = 1000});
  duration paused{};
  for (int second = 0; at.head < at.length && second < 10'000; ++second) {
    // A pivot is proved, kept for a minute and dropped; and again at once.
    at.node.on_pivot(second % 60 == 59 ? std::nullopt : std::optional(at.length - 16), at.now);
    if (at.node.paused()) paused += 1s;
    for (int i = 0; i < 20; ++i) {
      at.now += 50ms;
      at.answer();
      at.node.tick(at.now);
    }
  }
  CHECK(at.head == at.length);
  CHECK(paused >= 5min);
  CHECK(paused < 5min + 15s);
}

TEST_CASE("a neighbor that says that it lacks old blocks may give a snapshot nevertheless") {
  sync_machine node({.snapshot_gap = 100, .snapshot_proof_wait = 0s}, 0);
  node.on_claim(1, 500, {});
  const auto asked = of_kind<action::ask_range>(node.take_actions());
  REQUIRE_FALSE(asked.empty());
  for (const auto& each : asked)
    node.on_blocks(1, each.first, {}, {});
  CHECK(of_kind<action::ask_range>(node.take_actions()).empty());
  REQUIRE(node.snapshot_claims().size() == 1);
  CHECK(node.claims()[0].block_num == 500);
  CHECK(node.behind());
  node.on_no_snapshot(1, {});
  CHECK_FALSE(node.behind());
}

TEST_CASE("who could give no snapshot is asked again after a pause, which grows; coming again helps nobody") {
  sync_machine node({.snapshot_gap = 100}, 0);
  time_point now{};
  hash32 who;
  who[0] = 5;
  neighbor_id neighbor = 1;
  const auto connect = [&] {
    node.on_identity(++neighbor, who);
    node.on_claim(neighbor, 500, now);
  };
  connect();
  for (const auto wait : {30s, 60s, 120s}) {
    CHECK(node.snapshot_claims().size() == 1);
    node.on_no_snapshot(neighbor, now);
    CHECK(node.snapshot_claims().empty());
    node.on_neighbor_gone(neighbor, now);
    connect();
    CHECK(node.snapshot_claims().empty());
    now += wait - 1s;
    node.tick(now);
    CHECK(node.snapshot_claims().empty());
    now += 1s;
    node.tick(now);
  }
  CHECK(node.snapshot_claims().size() == 1);
  node.on_neighbor_gone(neighbor, now); // while it is asked: as good as silent
  connect();
  CHECK(node.snapshot_claims().empty());
  now += 240s;
  node.tick(now);
  CHECK(node.snapshot_claims().size() == 1);
  now += 1h; // long without trouble: forgotten
  node.tick(now);
  node.on_no_snapshot(neighbor, now);
  now += 30s;
  node.tick(now);
  CHECK(node.snapshot_claims().size() == 1);
}

TEST_CASE("blocks come from who answers; a slow neighbor is asked only if nobody else has them") {
  sync_machine node({}, 0);
  time_point now{};
  node.on_claim(1, 1000, now);
  CHECK(of_kind<action::ask_range>(node.take_actions()).size() == 2);
  node.on_claim(2, 1000, now);
  node.take_actions();
  now += 11s;
  node.tick(now);
  node.take_actions();
  now += 10s; // 1 was silent once, 2 as well, now both are asked as before
  node.tick(now);
  now += 11s;
  node.tick(now);
  node.take_actions();
  node.on_claim(3, 1000, now);
  for (const auto& each : of_kind<action::ask_range>(node.take_actions()))
    CHECK(each.neighbor == 3);
  now += 10s + 500ms; // 3 did not answer either
  node.tick(now);
  CHECK_FALSE(of_kind<action::ask_range>(node.take_actions()).empty());
}

TEST_CASE("far behind, blocks wait for a proof for a moment, and for the state after a proved pivot") {
  sync_machine node({.snapshot_gap = 300}, 0);
  time_point now{};
  node.on_claim(1, 100, now);
  CHECK(node.snapshot_claims().empty());
  CHECK(of_kind<action::ask_range>(node.take_actions()).size() == 1);
  node.on_claim(2, 500, now);
  node.on_claim(3, 700, now);
  CHECK(node.claims().size() == 3);
  CHECK(node.snapshot_claims().size() == 2);
  CHECK(of_kind<action::ask_range>(node.take_actions()).empty());
  CHECK(node.status(now).find("a snapshot is looked for") != std::string::npos);
  CHECK(node.paused());
  now += 10s;
  node.tick(now);
  CHECK_FALSE(node.paused());
  CHECK_FALSE(of_kind<action::ask_range>(node.take_actions()).empty());
  node.on_pivot(40, now); // not far enough
  CHECK_FALSE(node.paused());
  node.on_pivot(680, now);
  CHECK(node.paused());
  CHECK(node.status(now).find("a snapshot of block 680 is taken") != std::string::npos);
  node.on_no_snapshot(3, now);
  REQUIRE(node.snapshot_claims().size() == 1);
  CHECK(node.snapshot_claims()[0].neighbor == 2);
  node.on_snapshot_taken(now);
  node.on_head(480, false, now);
  CHECK_FALSE(node.paused());
  CHECK(node.snapshot_claims().empty());
  for (int i = 0; i < 2; ++i) // what was asked before the pause is answered by nobody
    node.tick(now += 11s);
  const auto asked = of_kind<action::ask_range>(node.take_actions());
  REQUIRE_FALSE(asked.empty());
  CHECK(asked[0].first == 481);
  sync_machine never({}, 0);
  never.on_claim(1, 1'000'000, now);
  CHECK(never.snapshot_claims().empty());
  CHECK_FALSE(never.take_actions().empty());
}

} // namespace sync_liars_test
