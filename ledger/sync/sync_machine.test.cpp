#include "ledger/sync/sync_machine.hpp"

#include "base/random.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>

using namespace swarm;
using namespace swarm::sync;
using namespace std::chrono_literals;

namespace {

sealed_block block_of(std::uint64_t block_num, bool good = true) {
  bytes raw(9);
  put_be64(raw.data(), block_num);
  raw[8] = good ? 1 : 0;
  return {raw, bytes(1)};
}

std::vector<sealed_block> blocks_of(std::uint64_t first, std::uint64_t count, bool good = true) {
  std::vector<sealed_block> out;
  for (std::uint64_t i = 0; i < count; ++i)
    out.push_back(block_of(first + i, good));
  return out;
}

template <class T>
std::vector<T> of_kind(const std::vector<sync_action>& actions) {
  std::vector<T> out;
  for (const auto& one : actions)
    if (const auto* found = std::get_if<T>(&one)) out.push_back(*found);
  return out;
}

enum class conduct { honest, dead, liar, boaster, short_ranges, drip };

/// A node that catches up with a chain of `length` blocks, and neighbors of different conduct, under
/// a seeded clock.
struct network {
  seeded_random random;
  std::uint64_t length;
  std::vector<conduct> neighbors;
  sync_machine node;
  time_point now{};
  std::uint64_t head = 0;
  std::set<neighbor_id> penalized;
  std::size_t bytes_max = 0;
  struct answer {
    time_point at;
    neighbor_id neighbor;
    std::uint64_t first;
    std::vector<sealed_block> blocks;
  };
  std::vector<answer> answers;
  std::deque<action::import_blocks> imports;

  network(std::uint64_t seed, std::uint64_t blocks, std::vector<conduct> who)
      : random(seed), length(blocks), neighbors(std::move(who)), node({.window_bytes = 4096}, 0) {
    for (neighbor_id id = 0; id < neighbors.size(); ++id)
      node.on_claim(id, claim_of(id), now);
  }

  std::uint64_t claim_of(neighbor_id id) const {
    return neighbors[id] == conduct::boaster ? length + 1'000'000 : length;
  }

  void ask(const action::ask_range& what) {
    REQUIRE(what.first > 0);
    REQUIRE(what.count > 0);
    REQUIRE(what.first + what.count - 1 <= claim_of(what.neighbor));
    const auto kind = neighbors[what.neighbor];
    if (kind == conduct::dead || penalized.contains(what.neighbor)) return;
    auto count = what.first > length ? 0 : std::min(what.count, length - what.first + 1);
    if (kind == conduct::short_ranges) count = std::min<std::uint64_t>(count, 3);
    if (kind == conduct::drip) count = std::min<std::uint64_t>(count, 1);
    const auto wait = kind == conduct::drip ? 2400ms : std::chrono::milliseconds(1 + random.below(500));
    answers.push_back(
        {now + wait, what.neighbor, what.first, blocks_of(what.first, count, kind != conduct::liar)});
  }

  void take() {
    bytes_max = std::max(bytes_max, node.waiting_bytes());
    for (auto& one : node.take_actions()) {
      if (auto* what = std::get_if<action::ask_range>(&one)) ask(*what);
      if (auto* what = std::get_if<action::import_blocks>(&one)) imports.push_back(std::move(*what));
      if (auto* what = std::get_if<action::penalize>(&one)) {
        penalized.insert(what->neighbor);
        node.on_neighbor_gone(what->neighbor, now);
      }
    }
  }

  void import_one() {
    auto todo = std::move(imports.front());
    imports.pop_front();
    REQUIRE(todo.first == head + 1);
    for (const auto& one : todo.blocks) {
      REQUIRE(get_be64(one->block.data()) == head + 1);
      if (one->block[8] == 0)
        return node.on_import_failed(head + 1, true, fail(errc::invalid, "seals").value(), now);
      ++head;
    }
    node.on_head(head, true, now);
  }

  /// Whether the node gets to the end before `steps` are over.
  bool run(int steps) {
    take();
    for (int i = 0; i < steps && head < length; ++i) {
      now += 50ms;
      for (std::size_t k = 0; k < answers.size();) {
        if (answers[k].at > now) {
          ++k;
          continue;
        }
        auto due = std::move(answers[k]);
        answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(k));
        node.on_blocks(due.neighbor, due.first, std::move(due.blocks), now);
        take();
      }
      node.tick(now);
      take();
      while (!imports.empty()) {
        import_one();
        take();
      }
    }
    return head == length;
  }
};

} // namespace

TEST_CASE("a neighbor that gives block after block, each just in time, does not hold up the others") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    network alone(seed, 20'000, {conduct::honest});
    REQUIRE(alone.run(100'000));
    network both(seed, 20'000, {conduct::drip, conduct::honest});
    REQUIRE(both.run(100'000));
    CHECK(both.now - time_point{} < 2 * (alone.now - time_point{}));
  }
}

TEST_CASE("ranges are asked of several neighbors, without overlap, and imported in order") {
  sync_machine node({.range_blocks = 10, .window_blocks = 45, .import_blocks = 15}, 0);
  node.on_claim(2, 15, {});
  node.on_claim(1, 100, {});
  const auto asked = of_kind<action::ask_range>(node.take_actions());
  REQUIRE(asked.size() == 4);
  CHECK((asked[0].neighbor == 2 && asked[0].first == 1 && asked[0].count == 10));
  CHECK((asked[1].neighbor == 2 && asked[1].first == 11 && asked[1].count == 5)); // no more than it has
  CHECK((asked[2].neighbor == 1 && asked[2].first == 16 && asked[2].count == 10));
  CHECK((asked[3].neighbor == 1 && asked[3].first == 26
         && asked[3].count == 10)); // and no more than two at once
  CHECK(node.behind());

  node.on_blocks(2, 11, blocks_of(11, 5), {});
  CHECK(of_kind<action::import_blocks>(node.take_actions()).empty()); // 1 to 10 are missing
  node.on_blocks(2, 1, blocks_of(1, 10), {});
  const auto imports = of_kind<action::import_blocks>(node.take_actions());
  REQUIRE(imports.size() == 1);
  CHECK(imports[0].first == 1);
  CHECK(imports[0].blocks.size() == 15);
  node.on_blocks(1, 16, blocks_of(16, 10), {});
  node.on_head(15, true, {});
  const auto rest = of_kind<action::import_blocks>(node.take_actions());
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].first == 16);
  CHECK(rest[0].blocks.size() == 10);
}

TEST_CASE("what consensus brings meanwhile is not imported twice") {
  sync_machine node({}, 10);
  node.on_claim(1, 14, {});
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).first == 11);
  node.on_head(12, false, {});
  node.on_blocks(1, 11, blocks_of(11, 4), {});
  const auto imports = of_kind<action::import_blocks>(node.take_actions());
  REQUIRE(imports.size() == 1);
  CHECK(imports[0].first == 13);
  node.on_head(14, true, {});
  CHECK(!node.behind());
  CHECK(node.waiting_bytes() == 0);
  CHECK(node.status({}) == "up to date");
}

TEST_CASE(
    "a neighbor that does not answer is passed over, one that sends too much or forged blocks is named") {
  sync_machine node({}, 0);
  node.on_claim(1, 20, {});
  node.on_claim(2, 20, {});
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).neighbor == 1);
  time_point now = time_point{} + 11s;
  node.tick(now);
  const auto again = of_kind<action::ask_range>(node.take_actions());
  REQUIRE(again.size() == 1);
  CHECK(again[0].neighbor == 2);
  node.on_blocks(1, 1, blocks_of(1, 20), now); // too late, and no harm
  CHECK(node.take_actions().empty());
  node.on_blocks(2, 1, blocks_of(1, 21), now);
  const auto actions = node.take_actions();
  REQUIRE(of_kind<action::penalize>(actions).size() == 1);
  CHECK(of_kind<action::penalize>(actions)[0].neighbor == 2);
  CHECK(of_kind<action::penalize>(actions)[0].why.message == "21 blocks for a question about 20");
  CHECK(of_kind<action::ask_range>(actions).empty()); // 1 rests
  now += 11s;
  node.tick(now);
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).neighbor == 1);
  node.on_blocks(1, 1, blocks_of(1, 20, false), now);
  CHECK(of_kind<action::import_blocks>(node.take_actions()).size() == 1);
  node.on_import_failed(1, true, fail(errc::invalid, "bad seals").value(), now);
  const auto verdict = of_kind<action::penalize>(node.take_actions());
  REQUIRE(verdict.size() == 1);
  CHECK(verdict[0].why.message == "bad seals");
  CHECK(node.waiting_blocks() == 0);
}

TEST_CASE("close to the head nobody is waited for alone: another is asked for the next block as well") {
  sync_machine node({}, 10);
  node.on_claim(1, 12, {});
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).neighbor == 1);
  node.on_claim(2, 12, {}); // at once there is no reason yet
  CHECK(node.take_actions().empty());
  auto now = time_point{} + 400ms;
  node.on_claim(3, 10, now); // has not got it either
  const auto second = of_kind<action::ask_range>(node.take_actions());
  REQUIRE(second.size() == 1);
  CHECK((second[0].neighbor == 2 && second[0].first == 11 && second[0].count == 1));
  node.tick(now += 100ms);
  CHECK(node.take_actions().empty());

  SUBCASE("the other answers: the first one rests, what it was asked for is asked of the other") {
    node.on_blocks(2, 11, blocks_of(11, 1), now);
    const auto actions = node.take_actions();
    REQUIRE(of_kind<action::import_blocks>(actions).size() == 1);
    CHECK(of_kind<action::import_blocks>(actions)[0].first == 11);
    REQUIRE(of_kind<action::ask_range>(actions).size() == 1);
    CHECK((of_kind<action::ask_range>(actions)[0].neighbor == 2
           && of_kind<action::ask_range>(actions)[0].first == 12));
    node.on_blocks(1, 11, blocks_of(11, 2), now); // too late, and no harm
    CHECK(node.take_actions().empty());
    node.on_import_failed(11, true, fail(errc::invalid, "bad seals").value(), now);
    CHECK(of_kind<action::penalize>(node.take_actions()).at(0).neighbor == 2);
  }
  SUBCASE("the first one answers after all: the second answer is not needed") {
    node.on_blocks(1, 11, blocks_of(11, 2), now);
    CHECK(of_kind<action::import_blocks>(node.take_actions()).at(0).blocks.size() == 2);
    node.on_blocks(2, 11, blocks_of(11, 1), now);
    CHECK(node.take_actions().empty());
    CHECK(node.waiting_blocks() == 2);
  }
  SUBCASE("neither answers: one after the other is asked, each once") {
    node.on_claim(3, 12, now);
    node.tick(now += 300ms);
    CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).neighbor == 3);
    node.tick(now += 300ms);
    CHECK(node.take_actions().empty());
  }
  SUBCASE("the first one says that it is far ahead, which keeps nobody from asking the others") {
    sync_machine other({}, 10);
    other.on_claim(1, 1'000'000, {});
    other.on_claim(2, 11, now);
    const auto asked = of_kind<action::ask_range>(other.take_actions());
    CHECK(std::any_of(asked.begin(), asked.end(),
                      [](auto& one) { return one.neighbor == 2 && one.first == 11; }));
  }
  SUBCASE("far behind there is none: a slow range is still a range") {
    node.on_claim(1, 100, now);
    node.take_actions();
    node.on_claim(3, 100, now += 5s);
    for (const auto& one : of_kind<action::ask_range>(node.take_actions()))
      CHECK(one.first > 12);
  }
}

TEST_CASE(
    "a forged block is its sender's fault, also when the same block has come from somebody else since") {
  sync_machine node({}, 0);
  node.on_claim(1, 20, {});
  node.on_blocks(1, 1, blocks_of(1, 20, false), {});
  CHECK(of_kind<action::import_blocks>(node.take_actions()).size() == 1);
  node.on_claim(1, 40, {});
  node.on_blocks(1, 21, blocks_of(21, 21), {}); // too many: what waits of neighbor 1 is dropped
  node.take_actions();
  node.on_claim(2, 20, {});
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).first == 1);
  node.on_blocks(2, 1, blocks_of(1, 20), {});
  node.on_import_failed(1, true, fail(errc::invalid, "bad seals").value(), {});
  const auto actions = node.take_actions();
  REQUIRE(of_kind<action::penalize>(actions).size() == 1);
  CHECK(of_kind<action::penalize>(actions)[0].neighbor == 1);
  REQUIRE(of_kind<action::import_blocks>(actions).size() == 1);
  CHECK(of_kind<action::import_blocks>(actions)[0].blocks.at(0)->block[8] == 1);
}

TEST_CASE("a disk that refuses is no reason to blame a neighbor, and is tried again") {
  sync_machine node({}, 0);
  node.on_claim(1, 3, {});
  node.on_blocks(1, 1, blocks_of(1, 3), {});
  CHECK(of_kind<action::import_blocks>(node.take_actions()).size() == 1);
  node.on_import_failed(1, false, fail(errc::io, "disk full").value(), {});
  CHECK(node.take_actions().empty());
  node.tick(time_point{} + 1s);
  CHECK(of_kind<action::import_blocks>(node.take_actions()).size() == 1);
}

TEST_CASE("with one honest neighbor among others a node gets to the end, in bounded memory") {
  using enum conduct;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::vector<conduct> neighbors{honest};
    seeded_random random(seed);
    for (auto more = random.below(5); more > 0; --more)
      neighbors.push_back(static_cast<conduct>(random.below(5)));
    std::swap(neighbors.front(), neighbors[random.below(neighbors.size())]);
    network net(seed, 1 + random.below(3000), neighbors);
    CHECK(net.run(20'000));
    CHECK(net.bytes_max <= 4096 + 2 * 128 * 10 * neighbors.size());
    for (const auto id : net.penalized)
      CHECK(neighbors[id] == liar);
  }
}

namespace {

/// One honest neighbor, which answers a question in 100 ms, and somebody who comes again and again, claims a head
/// that nobody has, answers nothing and goes before it counts as silent.
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
  /// How long it takes to get to the end.
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
    // Proved, kept for a minute, dropped; and again at once.
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
