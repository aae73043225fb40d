#include "ledger/chain/mempool.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/state/execute.hpp"

#include <doctest/doctest.h>

#include <map>

namespace mempool_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

std::vector<std::uint64_t> nonces_of(const std::vector<const transaction*>& txns) {
  std::vector<std::uint64_t> out;
  for (const auto* txn : txns)
    out.push_back(txn->fields().nonce);
  return out;
}

} // namespace

TEST_CASE("nonces in order whatever the order of arrival") {
  mempool pool({});
  auto key = test_key(1);
  CHECK_FALSE(pool.has_executable());
  REQUIRE(pool.add(make_txn(key, 2, {}), 0));
  REQUIRE(pool.add(make_txn(key, 1, {}), 0));
  CHECK_FALSE(pool.has_executable());
  CHECK(pool.executable(10).empty());
  CHECK(pool.next_nonce(key.account(), 0) == 0);
  REQUIRE(pool.add(make_txn(key, 0, {}), 0));
  CHECK(pool.has_executable());
  CHECK(nonces_of(pool.executable(10)) == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(nonces_of(pool.executable(2)) == std::vector<std::uint64_t>{0, 1});
  CHECK(pool.next_nonce(key.account(), 0) == 3);
  pool.advance(key.account(), 2);
  CHECK(nonces_of(pool.executable(10)) == std::vector<std::uint64_t>{2});
  pool.advance(key.account(), 3);
  CHECK(pool.txn_count() == 0);
  CHECK(pool.byte_count() == 0);
  CHECK(pool.sender_count() == 0);
}

TEST_CASE("senders take turns by arrival") {
  mempool pool({});
  auto a = test_key(1);
  auto b = test_key(2);
  std::vector<hash32> arrived;
  for (auto txn : {make_txn(a, 0, {}), make_txn(b, 0, {}), make_txn(b, 1, {}), make_txn(a, 1, {})}) {
    arrived.push_back(txn.hash());
    REQUIRE(pool.add(std::move(txn), 0));
  }
  std::vector<hash32> handed_out;
  for (const auto* txn : pool.executable(10))
    handed_out.push_back(txn->hash());
  CHECK(handed_out == arrived);
}

TEST_CASE("refusals say what ethers looks for") {
  mempool pool({.sender_txns_max = 3, .nonce_gap_max = 10});
  auto key = test_key(1);
  REQUIRE(pool.add(make_txn(key, 5, {}), 5));
  auto refused = [&](transaction txn, auto rule, std::string_view words) {
    auto added = pool.add(std::move(txn), 5);
    REQUIRE_FALSE(added);
    CHECK(added.error().is(rule));
    CHECK(says(added.error(), words));
  };
  refused(make_txn(key, 5, {}), pool_errc::already_known, "already known");
  refused(make_txn(key, 5, {1}), pool_errc::replacement, "replacement transaction underpriced");
  refused(make_txn(key, 4, {}), execution_errc::nonce_too_low, "nonce too low");
  refused(make_txn(key, 16, {}), pool_errc::nonce_gap, "nonce too high");
  REQUIRE(pool.add(make_txn(key, 15, {}), 5));
  REQUIRE(pool.add(make_txn(key, 14, {}), 5));
  refused(make_txn(key, 6, {}), pool_errc::sender_full, "too many transactions");
  CHECK(pool.txn_count() == 3);
}

TEST_CASE("a full pool prefers what can be executed over what waits for a nonce") {
  mempool pool({.txns_max = 3});
  auto gaps = test_key(1);
  REQUIRE(pool.add(make_txn(gaps, 7, {}), 0));
  REQUIRE(pool.add(make_txn(gaps, 8, {}), 0));
  REQUIRE(pool.add(make_txn(gaps, 0, {}), 0));
  auto full = pool.add(make_txn(test_key(2), 3, {}), 0);
  REQUIRE_FALSE(full);
  CHECK(full.error().is(pool_errc::pool_full));
  REQUIRE(pool.add(make_txn(test_key(2), 0, {}), 0));
  REQUIRE(pool.add(make_txn(test_key(2), 1, {}), 0));
  CHECK(pool.txn_count() == 3);
  CHECK(pool.executable(10).size() == 3);
  CHECK(pool.add(make_txn(test_key(3), 0, {}), 0).error().is(pool_errc::pool_full));
}

TEST_CASE("a full pool counts bytes") {
  mempool pool({.bytes_max = 10'000});
  REQUIRE(pool.add(make_txn(test_key(1), 0, bytes(4000, 1)), 0));
  CHECK(pool.byte_count() > 8000);
  CHECK(pool.add(make_txn(test_key(2), 0, bytes(4000, 1)), 0).error().is(pool_errc::pool_full));
  REQUIRE(pool.add(make_txn(test_key(2), 0, {}), 0));
}

TEST_CASE("the pool agrees with a naive twin") {
  std::vector<private_key> keys;
  for (std::uint8_t i = 1; i <= 3; ++i)
    keys.push_back(test_key(i));
  std::vector<std::vector<transaction>> txns(keys.size());
  for (std::size_t who = 0; who < keys.size(); ++who)
    for (std::uint64_t nonce = 0; nonce < 12; ++nonce)
      txns[who].push_back(make_txn(keys[who], nonce, {}));
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    mempool pool({});
    std::vector<std::uint64_t> account(keys.size(), 0);
    std::vector<std::map<std::uint64_t, int>> waiting(keys.size());
    for (int step = 0; step < 60; ++step) {
      auto who = random.below(keys.size());
      if (random.below(8) == 0) {
        account[who] = std::min<std::uint64_t>(11, account[who] + random.below(4));
        pool.advance(keys[who].account(), account[who]);
        waiting[who].erase(waiting[who].begin(), waiting[who].lower_bound(account[who]));
      } else if (random.below(8) == 0 && !waiting[who].empty()) {
        auto nonce = waiting[who].rbegin()->first;
        pool.remove(txns[who][nonce].hash());
        waiting[who].erase(nonce);
      } else {
        auto nonce = random.below(12);
        auto added = pool.add(txns[who][nonce], account[who]);
        CHECK(added.has_value() == (nonce >= account[who] && !waiting[who].contains(nonce)));
        if (added) waiting[who][nonce] = step;
      }
      std::size_t expected = 0;
      std::size_t total = 0;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        auto next = account[i];
        while (waiting[i].contains(next))
          ++next;
        CHECK(pool.next_nonce(keys[i].account(), account[i]) == next);
        expected += next - account[i];
        total += waiting[i].size();
      }
      auto got = pool.executable(1000);
      CHECK(got.size() == expected);
      CHECK(pool.has_executable() == (expected > 0));
      CHECK(pool.txn_count() == total);
      auto next = account;
      for (const auto* txn : got)
        for (std::size_t i = 0; i < keys.size(); ++i)
          if (txn->sender() == keys[i].account()) CHECK(txn->fields().nonce == next[i]++);
    }
  }
}

TEST_CASE("organisations have the same number of bytes in a block, however much of one waits") {
  mempool pool({});
  const auto flooder = test_key(1), other = test_key(2);
  for (std::uint64_t nonce = 0; nonce < 100; ++nonce)
    REQUIRE(pool.add(make_txn(flooder, nonce, bytes(1000, 1)), 0, 7));
  for (std::uint64_t nonce = 0; nonce < 3; ++nonce)
    REQUIRE(pool.add(make_txn(other, nonce, bytes(1000, 1)), 0, 8));
  const auto block = pool.executable(6);
  REQUIRE(block.size() == 6);
  CHECK(std::count_if(block.begin(), block.end(),
                      [&](const auto* txn) { return txn->sender() == other.account(); })
        == 3);
  const auto all = pool.executable(1000);
  CHECK(all.size() == 103);
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i]->sender() == all[i - 1]->sender())
      CHECK(all[i]->fields().nonce == all[i - 1]->fields().nonce + 1);
  // A large transaction counts for many small ones.
  mempool mixed({});
  REQUIRE(mixed.add(make_txn(flooder, 0, bytes(50'000, 1)), 0, 7));
  REQUIRE(mixed.add(make_txn(flooder, 1, bytes(50'000, 1)), 0, 7));
  for (std::uint64_t nonce = 0; nonce < 20; ++nonce)
    REQUIRE(mixed.add(make_txn(other, nonce, bytes(100, 1)), 0, 8));
  const auto most = mixed.executable(21);
  CHECK(std::count_if(most.begin(), most.end(),
                      [&](const auto* txn) { return txn->sender() == other.account(); })
        == 20);
}

TEST_CASE("in a full pool an organisation with less takes the place of the youngest of the one with most") {
  mempool pool({.txns_max = 10});
  const auto flooder = test_key(1), other = test_key(2), third = test_key(3);
  std::vector<hash32> flood;
  for (std::uint64_t nonce = 0; nonce < 10; ++nonce) {
    auto txn = make_txn(flooder, nonce, {});
    flood.push_back(txn.hash());
    REQUIRE(pool.add(std::move(txn), 0, 7));
  }
  CHECK(pool.add(make_txn(test_key(4), 0, {}), 0, 7).error().is(pool_errc::pool_full)); // of the same one
  CHECK(pool.add(make_txn(other, 1, {}), 0, 8).error().is(pool_errc::pool_full));       // leads nowhere
  for (std::uint64_t nonce = 0; nonce < 4; ++nonce)
    REQUIRE(pool.add(make_txn(other, nonce, {}), 0, 8));
  CHECK(pool.txn_count() == 10);
  CHECK(pool.find(flood[5]) != nullptr);
  CHECK(pool.find(flood[6]) == nullptr);
  CHECK(pool.next_nonce(flooder.account(), 0) == 6);
  REQUIRE(pool.add(make_txn(other, 4, {}), 0, 8));
  CHECK(pool.add(make_txn(other, 5, {}), 0, 8).error().is(pool_errc::pool_full)); // now they have as much
  REQUIRE(pool.add(make_txn(third, 0, {}), 0, 9));
  CHECK(pool.txn_count() == 10);
  CHECK(pool.executable(100).size() == 10);
  for (const auto& who : {flooder.account(), other.account(), third.account()})
    pool.advance(who, 100);
  CHECK(pool.txn_count() == 0);
  CHECK(pool.byte_count() == 0);
  CHECK_FALSE(pool.has_executable());
}

} // namespace mempool_test
