#include "base/testing/wording.hpp"
#include "transport/p2p/testing/couple.hpp"

namespace neighbor_session_test {

using namespace swarm;
using namespace swarm::p2p;
using namespace std::chrono_literals;
using namespace swarm::p2p::testing;
using swarm::testing::wording;

TEST_CASE("both ends greet, prove their accounts, and ask for neighbors") {
  couple c;
  c.a.own.validates = false;
  c.a.own.head = {12, hash_of(9)};
  c.begin();
  c.run();
  CHECK(c.a.session->open());
  CHECK(c.b.session->open());
  const auto greeted = only<action::greeted>(c.b.seen);
  REQUIRE(greeted.size() == 1);
  CHECK(greeted[0].from == c.a.own);
  CHECK_FALSE(greeted[0].from.validates);
  CHECK(c.b.session->neighbor_head() == c.a.own.head);
  CHECK(only<action::neighbors_wanted>(c.b.seen).size() == 1);
}

TEST_CASE("a hello of another world is refused with a reason that fits into a close frame") {
  couple c;
  SUBCASE("version") {
    c.a.own.version = 9;
    c.b.own.program = "swarmd 0.2.0";
    c.begin();
    c.run();
    CHECK(wording(c.end_of(c.b))
          == "hello: version 9 of the P2P protocol; swarmd 0.2.0 speaks 3: upgrade the older swarmd");
  }
  SUBCASE("chain id") {
    c.a.own.chain_id = 8;
    c.begin();
    c.run();
    CHECK(wording(c.end_of(c.b)) == "hello refused: chain id: 7 here, 8 there");
  }
  SUBCASE("genesis") {
    c.a.own.genesis[0] = 0xab;
    c.begin();
    c.run();
    CHECK(wording(c.end_of(c.b)) == "hello refused: genesis: 0x00000000.. here, 0xab000000.. there");
  }
  SUBCASE("somebody else's account") {
    c.a.own.account = hash_of(1).is_zero() ? address{} : c.b.own.account;
    c.begin();
    c.run();
    CHECK(wording(c.end_of(c.b)) == "hello refused: the proof of its account is wrong");
  }
  SUBCASE("a proof made for another connection") {
    c.a.own.proof = c.a.key.sign_recoverable(hello_digest(c.a.own, c.a.certificate, hash_of(3)));
    c.begin();
    c.run();
    CHECK(wording(c.end_of(c.b)) == "hello refused: the proof of its account is wrong");
  }
  CHECK_FALSE(c.refused(c.b));
  CHECK_FALSE(c.b.session->open());
}

TEST_CASE("who breaks the protocol is out at once and for a while") {
  couple c;
  SUBCASE("no hello first") {
    c.begin();
    c.feed(c.b, ping{1});
    CHECK(c.end_of(c.b) == "misbehaved: ping before hello");
  }
  SUBCASE("two hellos") {
    c.open();
    c.feed(c.b, c.a.own);
    CHECK(c.end_of(c.b) == "misbehaved: a second hello");
  }
  SUBCASE("nonsense") {
    c.open();
    c.b.session->on_frame(decode(bytes{99}), 1, c.now);
    c.collect(c.b);
    CHECK(c.end_of(c.b).starts_with("misbehaved: malformed: "));
    CHECK(c.end_of(c.b).size() <= 120);
  }
  CHECK(c.refused(c.b));
  c.b.seen.clear();
  c.feed(c.b, consensus{{1}});
  CHECK(c.b.seen.empty());
  CHECK(c.b.session->next_to_send(0) == nullptr);
}

namespace {

/// A side that dialled: it has a hello in each of these versions, and waits.
void dial(couple& c, const version_range& versions) {
  std::vector<hello> all;
  for (c.a.own.version = versions.first; c.a.own.version <= versions.last; ++c.a.own.version) {
    c.sign(c.a);
    all.push_back(c.a.own);
  }
  c.a.session.emplace(c.options, std::move(all), c.a.certificate, c.b.certificate, c.now);
}

/// The other side, which speaks first.
void accept(couple& c, std::uint64_t version) {
  c.b.own.version = version;
  c.sign(c.b);
  c.b.session.emplace(c.options, c.b.own, c.b.certificate, c.a.certificate, c.now);
}

} // namespace

TEST_CASE("who dialled waits for the hello of the other and answers in its version") {
  for (const std::uint64_t version : {2, 3}) {
    couple c;
    c.a.own.rules_known = 7;
    dial(c, {2, 3});
    accept(c, version);
    CHECK(c.a.session->next_to_send(0) == nullptr);
    c.run();
    CHECK(c.a.session->open());
    CHECK(c.b.session->open());
    const auto greeted = only<action::greeted>(c.b.seen);
    REQUIRE(greeted.size() == 1);
    CHECK(greeted[0].from.version == version);
    CHECK(greeted[0].from.rules_known == (version >= 3 ? 7 : 0));
  }
}

TEST_CASE("a hello in a version that this side does not offer ends the session, and is no offence") {
  couple c;
  c.a.own.program = "swarmd 0.2.0";
  dial(c, {2, 2});
  accept(c, 3);
  c.run();
  CHECK(wording(c.end_of(c.a))
        == "hello refused: version 3 of the P2P protocol; swarmd 0.2.0 speaks 2: upgrade the older swarmd");
  CHECK_FALSE(c.refused(c.a));
}

TEST_CASE("a newcomer without a hello is not waited for") {
  couple c;
  c.begin();
  c.now += c.options.hello_wait;
  c.b.session->tick(c.now, true);
  c.collect(c.b);
  CHECK(c.end_of(c.b) == "no hello in time");
  CHECK_FALSE(c.refused(c.b));
}

TEST_CASE("pings measure the way and find the dead") {
  couple c;
  c.open();
  c.pass(c.options.ping_interval);
  REQUIRE(c.a.session->round_trip());
  CHECK(*c.a.session->round_trip() == 0s);
  // b falls silent, but a does not listen, so it is not b's fault.
  c.now += c.options.ping_interval;
  c.a.session->tick(c.now, true);
  c.now += c.options.pong_wait;
  c.a.session->tick(c.now, false);
  c.collect(c.a);
  CHECK(c.a.session->open());
  c.a.session->tick(c.now, true);
  c.collect(c.a);
  CHECK(c.end_of(c.a) == "silent: no answer to a ping");
}

TEST_CASE("a neighbor that talks but leaves a ping unanswered is not silent") {
  couple c;
  c.open();
  c.now += c.options.ping_interval;
  c.a.session->tick(c.now, true);
  for (int i = 0; i < 20; ++i) {
    c.now += c.options.pong_wait / 2;
    c.feed(c.a, head{{1, {}}});
    c.a.session->tick(c.now, true);
  }
  CHECK(c.a.session->open());
  c.feed(c.a, pong{77});
  CHECK(c.a.session->points(c.now) == 50);
}

TEST_CASE("over a limit frames are ignored, and it adds up to the end") {
  couple c;
  c.options.limits[static_cast<std::size_t>(frame_kind::consensus)] = {10, 20};
  c.open();
  for (int i = 0; i < 20; ++i)
    c.feed(c.b, consensus{{1}});
  CHECK(only<action::deliver_consensus>(c.b.seen).size() == 20);
  CHECK(c.b.session->points(c.now) == 0);
  for (int i = 0; i < 50; ++i)
    c.feed(c.b, consensus{{1}});
  CHECK(only<action::deliver_consensus>(c.b.seen).size() == 20);
  CHECK(c.b.session->points(c.now) == 50);
  c.now += 1s; // forgives one point, lets ten more frames in
  for (int i = 0; i < 10; ++i)
    c.feed(c.b, consensus{{1}});
  CHECK(only<action::deliver_consensus>(c.b.seen).size() == 30);
  CHECK(c.b.session->points(c.now) == 49);
  for (int i = 0; i < 50; ++i)
    c.feed(c.b, consensus{{1}});
  CHECK(c.b.session->open());
  c.feed(c.b, consensus{{1}});
  CHECK(c.end_of(c.b) == "misbehaved: over the limit of consensus in a second");
  CHECK(c.refused(c.b));
}

TEST_CASE("the owner's penalties and those of earlier sessions count too") {
  couple c;
  c.begin();
  for (auto* from : {&c.a, &c.b}) { // by hand, for the points
    const auto raw = encode(from->own);
    auto& to = from == &c.a ? c.b : c.a;
    to.session->on_frame(decode(raw), raw.size(), c.now);
  }
  c.b.session->admit(60, c.now);
  c.b.session->penalize("a block that is none", 30, c.now);
  c.collect(c.b);
  CHECK(c.b.session->open());
  CHECK(only<action::offence>(c.b.seen).at(0).sum == 90);
  c.b.session->penalize("a block that is none", 30, c.now);
  c.collect(c.b);
  CHECK(c.end_of(c.b) == "misbehaved: a block that is none");
}

TEST_CASE("neighbors are exchanged only when asked for") {
  couple c;
  c.open();
  c.pass(c.options.ask_neighbors_interval);
  CHECK(only<action::neighbors_wanted>(c.b.seen).size() <= 1);
  c.b.session->answer_neighbors({{address{}, "sn-3:30303"}});
  c.run();
  CHECK(only<action::neighbors_heard>(c.a.seen).at(0).neighbors.at(0).endpoint == "sn-3:30303");
  c.feed(c.a, got_neighbors{});
  CHECK(c.a.session->points(c.now) == 50);
}

TEST_CASE("a neighbor that takes no consensus is let go, one that takes no gossip is not") {
  couple c;
  c.options.queue_bytes_max = 10'000;
  c.options.gossip_bytes_max = 5'000;
  c.open();
  for (std::uint8_t i = 0; i < 200; ++i) {
    const auto raw = shared(100, i);
    c.a.session->gossip(keccak256(*raw), raw, true, c.now);
  }
  CHECK(c.a.session->open());
  CHECK(c.a.session->queue().queued_bytes() <= 5'000);
  CHECK(c.a.session->queue().gossip_dropped() > 100);
  int sent = 0;
  while (c.a.session->open() && sent < 100)
    c.a.session->send_consensus(shared(1'000, 1)), ++sent;
  CHECK(sent == 11);
  c.collect(c.a);
  CHECK(c.end_of(c.a) == "takes nothing: 10000 bytes wait to be sent");
  CHECK_FALSE(c.refused(c.a));
}

TEST_CASE("whatever a neighbor sends, memory stays bounded and the session ends in order") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed ", seed);
    seeded_random random(seed);
    couple c;
    c.options.queue_bytes_max = 50'000;
    c.options.gossip_bytes_max = 20'000;
    c.open();
    auto& victim = *c.b.session;
    for (int turn = 0; turn < 400 && !victim.over(); ++turn) {
      c.now += std::chrono::milliseconds(random.below(2000));
      const auto id = random.below(60);
      switch (random.below(12)) {
      case 0:
        c.feed(c.b, ping{random()});
        break;
      case 1:
        c.feed(c.b, get_blocks{id, random.below(9), 1 + random.below(9), 1000});
        break;
      case 2:
        c.feed(c.b, txns{{bytes(1 + random.below(9), 1)}});
        break;
      case 3:
        c.feed(c.b, txn_hashes{{hash_of(static_cast<std::uint8_t>(random()))}});
        break;
      case 4:
        c.feed(c.b, get_txns{id, {hash_of(1)}});
        break;
      case 5:
        c.feed(c.b, head{{random(), {}}});
        break;
      case 6:
        victim.answer_blocks(id, {{bytes(random.below(9'000) + 1, 1), {}}});
        break;
      case 7:
        victim.ask_blocks(random(), 1, c.now);
        break;
      case 8:
        victim.ask_txns(std::vector{hash_of(1), hash_of(2)}, c.now);
        break;
      case 9:
        if (random.below(8) == 0) c.feed(c.b, got_txns{id, {bytes{1}}});
        break;
      case 10:
        if (random.below(8) == 0) c.feed(c.b, got_blocks{id, {}});
        break;
      default:
        victim.tick(c.now, random.below(2) == 0);
      }
      c.collect(c.b);
      CHECK(victim.queue().queued_bytes() <= 50'000 + 1'000);
      if (random.below(30) == 0) (void)victim.next_to_send(0);
    }
    CHECK(only<action::close>(c.b.seen).size() == (victim.over() ? 1 : 0));
    if (victim.over()) CHECK(std::holds_alternative<action::close>(c.b.seen.back()));
  }
}

} // namespace neighbor_session_test
