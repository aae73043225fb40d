#include "base/testing/wording.hpp"
#include "ledger/sync/testing/sync_network.hpp"

namespace sync_machine_test {

using namespace swarm;
using namespace swarm::sync;
using namespace std::chrono_literals;
using namespace swarm::sync::testing;
using swarm::testing::wording;

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
  CHECK(wording(of_kind<action::penalize>(actions)[0].why) == "21 blocks for a question about 20");
  CHECK(of_kind<action::ask_range>(actions).empty()); // 1 rests
  now += 11s;
  node.tick(now);
  CHECK(of_kind<action::ask_range>(node.take_actions()).at(0).neighbor == 1);
  node.on_blocks(1, 1, blocks_of(1, 20, false), now);
  CHECK(of_kind<action::import_blocks>(node.take_actions()).size() == 1);
  node.on_import_failed(1, true, fail(errc::invalid, "bad seals").value(), now);
  const auto verdict = of_kind<action::penalize>(node.take_actions());
  REQUIRE(verdict.size() == 1);
  CHECK(wording(verdict[0].why) == "bad seals");
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

} // namespace sync_machine_test
