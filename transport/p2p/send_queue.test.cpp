#include "transport/p2p/send_queue.hpp"

#include <doctest/doctest.h>

namespace send_queue_test {

using namespace swarm;
using namespace swarm::p2p;

namespace {

shared_bytes of(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const bytes>(size, fill);
}
hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}
frame_kind kind(const shared_bytes& raw) {
  return static_cast<frame_kind>(raw->at(0));
}

} // namespace

TEST_CASE("what is urgent leaves first, gossip and bulk in turn") {
  send_queue queue({});
  for (std::uint8_t i = 1; i <= 3; ++i)
    queue.push_txn(hash_of(i), of(60'000, i));
  queue.push_hash(hash_of(9), true);
  CHECK(queue.push_bulk(of(10, 0xb1)));
  CHECK(queue.push_bulk(of(10, 0xb2)));
  queue.set_head({5, {}});
  CHECK(queue.push_control(of(10, 0xc1)));
  CHECK(queue.push_consensus(of(10, 0xa1)));
  CHECK(queue.take(0)->at(0) == 0xa1);
  CHECK(queue.take(0)->at(0) == 0xc1);
  CHECK(kind(queue.take(0)) == frame_kind::head);
  CHECK(kind(queue.take(0)) == frame_kind::txn_hashes);
  CHECK(queue.take(0)->at(0) == 0xb1);
  CHECK(kind(queue.take(0)) == frame_kind::txns);
  CHECK(queue.take(0)->at(0) == 0xb2);
  CHECK(kind(queue.take(0)) == frame_kind::txns);
  CHECK(kind(queue.take(0)) == frame_kind::txns);
  CHECK(queue.take(0) == nullptr);
  CHECK_FALSE(queue.waiting());
  CHECK(queue.queued_bytes() == 0);
}

TEST_CASE("with bytes under way only what is more urgent follows") {
  session_options options;
  send_queue queue(options);
  queue.push_txn(hash_of(1), of(100, 1));
  CHECK(queue.push_bulk(of(10, 0xb1)));
  CHECK(queue.push_consensus(of(10, 0xa1)));
  CHECK(queue.take(options.consensus_window_bytes) == nullptr);
  CHECK(queue.take(options.other_window_bytes)->at(0) == 0xa1);
  CHECK(queue.take(1) == nullptr); // a batch of gossip waits for an empty line
  CHECK(queue.waiting());
  CHECK(kind(queue.take(0)) == frame_kind::txns);
  CHECK(queue.take(options.other_window_bytes) == nullptr);
  CHECK(queue.take(options.other_window_bytes - 1)->at(0) == 0xb1);
}

TEST_CASE("transactions are sent in batches") {
  send_queue queue({});
  for (std::uint8_t i = 0; i < 200; ++i)
    queue.push_txn(hash_of(i), of(1000, i));
  std::size_t count = 0, frames = 0;
  while (const auto raw = queue.take(0)) {
    const auto got = decode(*raw);
    REQUIRE(got);
    CHECK(raw->size() < 70'000);
    count += std::get<txns>(*got).raw.size();
    ++frames;
  }
  CHECK(count == 200);
  CHECK(frames == 4);
}

TEST_CASE("a full queue drops gossip, then bulk, never consensus or control") {
  session_options options;
  options.queue_bytes_max = 1000;
  options.gossip_bytes_max = 500;
  send_queue queue(options);
  for (std::uint8_t i = 0; i < 10; ++i)
    queue.push_txn(hash_of(i), of(100, i));
  CHECK(queue.queued_bytes() <= 500);
  CHECK(queue.gossip_dropped() == 7);
  CHECK(queue.push_bulk(of(400, 0xb1)));
  CHECK(queue.push_bulk(of(400, 0xb2)));
  CHECK(queue.queued_bytes() <= 1000);
  CHECK_FALSE(queue.push_bulk(of(400, 0xb3)));
  CHECK(queue.push_consensus(of(400, 0xa1)));
  CHECK(queue.push_consensus(of(400, 0xa2)));
  CHECK_FALSE(queue.push_consensus(of(400, 0xa3)));
  CHECK(queue.push_control(of(200, 0xc1)));
  CHECK_FALSE(queue.push_control(of(200, 0xc1)));
  queue.push_txn(hash_of(1), of(100, 1)); // does not even enter
  CHECK(queue.take(0)->at(0) == 0xa1);
  CHECK(queue.take(0)->at(0) == 0xa2);
  CHECK(queue.take(0)->at(0) == 0xc1);
  CHECK(queue.take(0) == nullptr);
}

TEST_CASE("a frame larger than the queue passes through an empty one") {
  session_options options;
  options.queue_bytes_max = 1000;
  send_queue queue(options);
  CHECK(queue.push_consensus(of(5000, 1)));
  CHECK_FALSE(queue.push_consensus(of(1, 2)));
  queue.push_txn(hash_of(1), of(100, 1));
  queue.push_hash(hash_of(1), true);
  CHECK(queue.take(0)->size() == 5000);
  CHECK(queue.queued_bytes() == 0);
}

TEST_CASE("hashes wait to be flushed unless they are many or urgent") {
  send_queue queue({});
  queue.push_hash(hash_of(1), false);
  CHECK_FALSE(queue.waiting());
  CHECK(queue.take(0) == nullptr);
  queue.flush_hashes();
  CHECK(queue.waiting());
  CHECK(kind(queue.take(0)) == frame_kind::txn_hashes);
  for (std::size_t i = 0; i < hashes_max; ++i)
    queue.push_hash(hash_of(static_cast<std::uint8_t>(i)), false);
  CHECK(kind(queue.take(0)) == frame_kind::txn_hashes);
  CHECK(queue.take(0) == nullptr);
  CHECK(queue.queued_bytes() == 0);
  queue.push_hash(hash_of(1), true);
  queue.forget_hashes([](const hash32&) { return true; });
  CHECK(queue.queued_bytes() == 0);
  CHECK(queue.take(0) == nullptr);
}

} // namespace send_queue_test
