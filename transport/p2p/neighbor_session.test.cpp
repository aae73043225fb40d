#include "transport/p2p/neighbor_session.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/formats/keys.hpp"

#include <doctest/doctest.h>

using namespace swarm;
using namespace swarm::p2p;
using namespace std::chrono_literals;

namespace {

hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}

template <class Action>
std::vector<Action> only(const std::vector<session_action>& from) {
  std::vector<Action> out;
  for (const auto& each : from)
    if (const auto* fits = std::get_if<Action>(&each)) out.push_back(*fits);
  return out;
}

/// Two sessions of one connection; frames travel when told.
struct couple {
  struct side {
    ledger::private_key key = ledger::private_key::make_random();
    hash32 certificate;
    hello own;
    std::optional<neighbor_session> session;
    std::vector<session_action> seen;
  };
  time_point now{};
  session_options options;
  side a, b;

  couple() {
    a.certificate = hash_of(1);
    b.certificate = hash_of(2);
    for (auto* each : {&a, &b}) {
      each->own.chain_id = 7;
      each->own.account = each->key.account();
    }
  }
  void sign(side& who) {
    const auto& neighbor = &who == &a ? b : a;
    who.own.proof = who.key.sign_recoverable(hello_digest(who.own, who.certificate, neighbor.certificate));
  }
  void begin() {
    for (auto* each : {&a, &b}) {
      if (each->own.proof.is_zero()) sign(*each);
      const auto& neighbor = each == &a ? b : a;
      each->session.emplace(options, each->own, each->certificate, neighbor.certificate, now);
    }
  }
  void collect(side& who) {
    for (auto& each : who.session->take_actions()) {
      if (std::holds_alternative<action::greeted>(each)) who.session->admit(0, now);
      who.seen.push_back(std::move(each));
    }
  }
  /// A frame from the other side, whatever that one thinks of it.
  void feed(side& to, const frame& what) {
    const auto raw = encode(what);
    to.session->on_frame(decode(raw), raw.size(), now);
    collect(to);
  }
  /// Everything that waits, both ways.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto* from : {&a, &b}) {
        collect(*from);
        auto& to = from == &a ? b : a;
        while (const auto raw = from->session->next_to_send(0)) {
          moved = true;
          to.session->on_frame(decode(*raw), raw->size(), now);
          collect(to);
        }
      }
    }
  }
  void pass(duration time) {
    now += time;
    a.session->tick(now, true);
    b.session->tick(now, true);
    run();
  }
  void open() {
    begin();
    run();
    REQUIRE(a.session->open());
    REQUIRE(b.session->open());
    run();
    a.seen.clear();
    b.seen.clear();
  }
  std::string end_of(const side& who) {
    const auto ends = only<action::close>(who.seen);
    return ends.size() == 1 ? ends[0].reason : std::to_string(ends.size()) + " ends";
  }
  bool refused(const side& who) {
    const auto ends = only<action::close>(who.seen);
    return ends.size() == 1 && ends[0].refuse;
  }
};

shared_bytes shared(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const bytes>(size, fill);
}

} // namespace

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
    c.begin();
    c.run();
    CHECK(c.end_of(c.b) == "hello refused: protocol version: 2 here, 9 there");
  }
  SUBCASE("chain id") {
    c.a.own.chain_id = 8;
    c.begin();
    c.run();
    CHECK(c.end_of(c.b) == "hello refused: chain id: 7 here, 8 there");
  }
  SUBCASE("genesis") {
    c.a.own.genesis[0] = 0xab;
    c.begin();
    c.run();
    CHECK(c.end_of(c.b) == "hello refused: genesis: 0x00000000.. here, 0xab000000.. there");
  }
  SUBCASE("somebody else's account") {
    c.a.own.account = hash_of(1).is_zero() ? address{} : c.b.own.account;
    c.begin();
    c.run();
    CHECK(c.end_of(c.b) == "hello refused: the proof of its account is wrong");
  }
  SUBCASE("a proof made for another connection") {
    c.a.own.proof = c.a.key.sign_recoverable(hello_digest(c.a.own, c.a.certificate, hash_of(3)));
    c.begin();
    c.run();
    CHECK(c.end_of(c.b) == "hello refused: the proof of its account is wrong");
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
  // b falls silent, but a does not listen: nobody's fault.
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

TEST_CASE("small transactions travel in full, large and relayed ones by hash") {
  couple c;
  c.open();
  const auto small = shared(100, 1), large = shared(5000, 2), relayed = shared(50, 3);
  c.a.session->gossip(keccak256(*small), small, true, c.now);
  c.a.session->gossip(keccak256(*large), large, true, c.now);
  c.a.session->gossip(keccak256(*relayed), relayed, false, c.now);
  c.a.session->gossip(keccak256(*small), small, true, c.now);
  c.run();
  const auto got = only<action::deliver_txns>(c.b.seen);
  REQUIRE(got.size() == 1);
  CHECK(got[0].raw == std::vector<bytes>{*small});
  CHECK(got[0].hashes == std::vector{keccak256(*small)});
  auto heard = only<action::txns_heard>(c.b.seen);
  REQUIRE(heard.size() == 1); // the urgent one took the other along
  CHECK(heard[0].hashes == std::vector{keccak256(*large), keccak256(*relayed)});
  // b tells nobody who told it.
  c.b.session->gossip(keccak256(*small), small, false, c.now);
  c.b.session->gossip(keccak256(*large), large, false, c.now);
  c.pass(1s);
  CHECK(only<action::txns_heard>(c.a.seen).empty());
  CHECK(only<action::deliver_txns>(c.a.seen).empty());
}

TEST_CASE("a relayed hash waits for the tick and is left out if the neighbor was quicker") {
  couple c;
  c.open();
  const auto one = shared(60, 1), two = shared(60, 2);
  c.a.session->gossip(keccak256(*one), one, false, c.now);
  c.a.session->gossip(keccak256(*two), two, false, c.now);
  c.run();
  CHECK(only<action::txns_heard>(c.b.seen).empty());
  c.feed(c.a, txns{{*one}});
  c.pass(100ms);
  const auto heard = only<action::txns_heard>(c.b.seen);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].hashes == std::vector{keccak256(*two)});
}

TEST_CASE("transactions are forgotten after a while and may be sent again") {
  couple c;
  c.open();
  const auto raw = shared(60, 1), other = shared(60, 2), third = shared(60, 3);
  c.a.session->gossip(keccak256(*raw), raw, true, c.now);
  c.run();
  c.pass(c.options.known_txns_for);
  c.a.session->gossip(keccak256(*other), other, true, c.now);
  c.pass(c.options.known_txns_for);
  c.a.session->gossip(keccak256(*third), third, true, c.now);
  c.a.session->gossip(keccak256(*raw), raw, true, c.now);
  c.run();
  std::size_t times = 0;
  for (const auto& each : only<action::deliver_txns>(c.b.seen))
    times += static_cast<std::size_t>(std::count(each.raw.begin(), each.raw.end(), *raw));
  CHECK(times == 2);
}

TEST_CASE("transactions are asked for in parts, bounded, and what does not come is reported") {
  couple c;
  c.options.txns_asked_open_max = 100;
  c.open();
  std::vector<hash32> hashes;
  std::vector<bytes> raw;
  for (std::uint8_t i = 0; i < 120; ++i) {
    raw.push_back(bytes(40, i));
    hashes.push_back(keccak256(raw.back()));
  }
  const auto left = c.a.session->ask_txns(hashes, c.now);
  CHECK(left.size() == 20);
  c.run();
  const auto wanted = only<action::txns_wanted>(c.b.seen);
  REQUIRE(wanted.size() == 2);
  CHECK(wanted[0].hashes.size() == 64);
  c.b.session->answer_txns(wanted[0].id, {raw.begin(), raw.begin() + 60});
  c.run();
  CHECK(only<action::deliver_txns>(c.a.seen).at(0).raw.size() == 60);
  CHECK(only<action::txns_missed>(c.a.seen).at(0).hashes.size() == 4);
  c.pass(c.options.txn_answer_wait);
  CHECK(only<action::txns_missed>(c.a.seen).at(1).hashes.size() == 36);
  CHECK(c.a.session->ask_txns(hashes, c.now).size() == 20);
  // The late answer is no great offence, a made-up one is.
  c.b.session->answer_txns(wanted[1].id, {raw[70]});
  c.run();
  CHECK(c.a.session->points(c.now) == 1);
  c.feed(c.a, got_txns{10'000, {}});
  CHECK(c.a.session->points(c.now) == 51);
}

TEST_CASE("transactions that were not asked for are no answer") {
  couple c;
  c.open();
  const bytes right(40, 1), wrong(40, 2);
  c.a.session->ask_txns(std::vector{keccak256(right)}, c.now);
  c.run();
  c.b.session->answer_txns(only<action::txns_wanted>(c.b.seen).at(0).id, {wrong});
  c.run();
  CHECK(only<action::deliver_txns>(c.a.seen).empty());
  CHECK(only<action::txns_missed>(c.a.seen).at(0).hashes == std::vector{keccak256(right)});
  CHECK(c.a.session->points(c.now) == 50);
}

TEST_CASE("blocks are asked for and answered within bounds") {
  couple c;
  c.options.answer_bytes_max = 1000;
  c.open();
  REQUIRE(c.a.session->ask_blocks(5, 10, c.now));
  c.run();
  const auto wanted = only<action::blocks_wanted>(c.b.seen);
  REQUIRE(wanted.size() == 1);
  CHECK(wanted[0].first == 5);
  CHECK(wanted[0].count == 10);
  CHECK(wanted[0].bytes_max == 1000);
  const std::vector<sealed_block> blocks(10, sealed_block{bytes(300, 1), bytes(65, 2)});
  c.b.session->answer_blocks(wanted[0].id, blocks);
  c.b.session->answer_blocks(wanted[0].id, blocks); // an answer too many goes nowhere
  c.run();
  const auto got = only<action::deliver_blocks>(c.a.seen);
  REQUIRE(got.size() == 1);
  CHECK(got[0].first == 5);
  REQUIRE(got[0].blocks.size() == 2); // the third would make it more than 1000
  CHECK(got[0].blocks[1].block == bytes(300, 1));
  CHECK(got[0].blocks[1].seals == bytes(65, 2));
  // One block goes however large it is.
  REQUIRE(c.a.session->ask_blocks(7, 3, c.now));
  c.run();
  c.b.session->answer_blocks(only<action::blocks_wanted>(c.b.seen).at(1).id,
                             {sealed_block{bytes(5000, 1), {}}, sealed_block{bytes(1, 1), {}}});
  c.run();
  CHECK(only<action::deliver_blocks>(c.a.seen).at(1).blocks.size() == 1);
  CHECK(c.a.session->points(c.now) == 0);
}

TEST_CASE("questions for blocks: too many, twice, unasked, too much") {
  couple c;
  c.open();
  for (std::size_t i = 0; i < c.options.block_requests_max; ++i)
    CHECK(c.a.session->ask_blocks(i, 1, c.now));
  CHECK_FALSE(c.a.session->ask_blocks(9, 1, c.now));
  c.run();
  CHECK(only<action::blocks_wanted>(c.b.seen).size() == c.options.block_requests_max);
  c.feed(c.b, get_blocks{1000, 1, 1, 1000});
  CHECK(c.b.session->points(c.now) == 1);
  const auto first = only<action::blocks_wanted>(c.b.seen).at(0).id;
  c.b.session->answer_blocks(first, {});
  c.run();
  CHECK(only<action::deliver_blocks>(c.a.seen).at(0).blocks.empty());
  c.feed(c.b, get_blocks{only<action::blocks_wanted>(c.b.seen).at(1).id, 1, 1, 1000});
  CHECK(c.b.session->points(c.now) == 11);
  c.feed(c.a, got_blocks{first, {}});
  CHECK(c.a.session->points(c.now) == 1);
  c.feed(c.a, got_blocks{only<action::blocks_wanted>(c.b.seen).at(1).id,
                         {sealed_block{{1}, {}}, sealed_block{{2}, {}}}});
  CHECK(c.a.session->points(c.now) == 51);
  CHECK(only<action::deliver_blocks>(c.a.seen).size() == 1);
  // What nobody answers is forgotten, at both ends.
  c.pass(c.options.answer_wait);
  CHECK(c.a.session->ask_blocks(9, 1, c.now));
}

TEST_CASE(
    "questions for a snapshot travel with their answers; too many, twice and unasked ones are offences") {
  couple c;
  c.open();
  for (std::size_t i = 0; i < c.options.part_requests_max; ++i)
    CHECK(c.a.session->ask_part(70 + i, bytes{1, 2}, c.now));
  CHECK_FALSE(c.a.session->ask_part(99, bytes{1}, c.now));
  c.run();
  const auto wanted = only<action::part_wanted>(c.b.seen);
  REQUIRE(wanted.size() == c.options.part_requests_max);
  CHECK(wanted[1].question == bytes{1, 2});
  CHECK(wanted[1].bytes_max == c.options.answer_bytes_max);
  c.feed(c.b, get_part{1000, 1000, {1}});
  CHECK(c.b.session->points(c.now) == 1);
  c.b.session->answer_part(wanted[1].id, bytes{5});
  c.b.session->answer_part(wanted[1].id, bytes{6}); // one too many goes nowhere
  c.run();
  const auto got = only<action::deliver_part>(c.a.seen);
  REQUIRE(got.size() == 1);
  CHECK(got[0].tag == 71);
  CHECK(got[0].answer == bytes{5});
  c.feed(c.b, get_part{wanted[2].id, 1000, {1}});
  CHECK(c.b.session->points(c.now) == 11);
  c.feed(c.a, got_part{wanted[1].id, {1}});
  CHECK(c.a.session->points(c.now) == 1);
  c.feed(c.a, got_part{1'000'000, {1}});
  CHECK(c.a.session->points(c.now) == 51);
  c.pass(c.options.answer_wait);
  CHECK(c.a.session->ask_part(1, bytes{1}, c.now));
}

TEST_CASE("of several heads that wait only the last is sent") {
  couple c;
  c.open();
  c.a.session->send_head({1, hash_of(1)});
  c.a.session->send_head({2, hash_of(2)});
  c.run();
  const auto got = only<action::deliver_head>(c.b.seen);
  REQUIRE(got.size() == 1);
  CHECK(got[0].now == head_facts{2, hash_of(2)});
  CHECK(c.b.session->neighbor_head().block_num == 2);
}

TEST_CASE("the hello is the first frame, also when consensus waits before the socket takes anything") {
  couple c;
  c.begin();
  c.feed(c.a, c.b.own);
  auto& a = *c.a.session;
  REQUIRE(a.open());
  a.send_consensus(std::make_shared<const bytes>(encode_consensus(bytes{1})));
  const auto first = a.next_to_send(0), second = a.next_to_send(0);
  CHECK(first->at(0) == static_cast<std::uint8_t>(frame_kind::hello));
  CHECK(second->at(0) == static_cast<std::uint8_t>(frame_kind::consensus));
}

TEST_CASE("signs of life are handed on, up to a rate") {
  couple c;
  c.open();
  c.a.session->send_signs(std::make_shared<const bytes>(encode(signs{{bytes{1}, bytes{2}}})));
  c.run();
  CHECK(only<action::deliver_signs>(c.b.seen).at(0).raw == std::vector<bytes>{{1}, {2}});
  for (int i = 0; i < 20; ++i)
    c.feed(c.b, signs{std::vector<bytes>(signs_max, bytes{1})});
  CHECK(only<action::deliver_signs>(c.b.seen).size() < 10);
  CHECK(c.b.session->points(c.now) > 10);
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
