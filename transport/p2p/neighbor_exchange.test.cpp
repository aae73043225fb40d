#include "transport/p2p/testing/couple.hpp"

namespace neighbor_exchange_test {

using namespace swarm;
using namespace swarm::p2p;
using namespace std::chrono_literals;
using namespace swarm::p2p::testing;

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
  // b does not tell the neighbor that told it.
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
    raw.emplace_back(40, i);
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
  // A late answer is a small offence, a made-up one a large one.
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
  // One block is sent however large it is.
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
  // Questions that nobody answers are forgotten, at both ends.
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

} // namespace neighbor_exchange_test
