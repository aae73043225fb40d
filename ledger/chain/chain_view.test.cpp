#include "ledger/chain/chain_view.hpp"

#include "base/hash.hpp"
#include "ledger/chain/chain_window.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/store/recorded_disk.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace chain_view_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

constexpr std::uint8_t sender = 9;

/// A chain that stores its own length in a slot and says it in an event, with one transaction in each block.
struct growing {
  temp_dir dirs;
  std::unique_ptr<chain> on;

  explicit growing(chain_options options) { on = chain::open(std::move(options)).value(); }
  growing() : on(chain::open(test_options(dirs / "a")).value()) {}

  static transaction txn_of(std::uint64_t block_num) {
    return make_txn(test_key(sender), block_num - 1, input_of(op::emit, word(1), word(block_num)));
  }
  std::uint64_t length() const { return on->head()->header.block_num; }
  void grow() {
    const auto next = length() + 1;
    if (!on->find_pending(txn_of(next).hash())) REQUIRE(on->submit(txn_of(next)));
    REQUIRE(seal_block(*on));
  }
};

/// What is wrong with a view; empty when nothing is.
std::string trouble_of(const chain_view& view) {
  const auto& head = *view.head();
  const auto num = head.header.block_num;
  const auto account = view.account_of(test_key(sender).account());
  if (!account) return account.error().message;
  if (account->nonce != num) return fmt::format("block {} with nonce {}", num, account->nonce);
  const auto block = view.block_by_num(num);
  if (!block) return block.error().message;
  if (!*block || (*block)->hash != head.hash) return "the head is another block";
  const auto beyond = view.block_by_num(num + 1);
  if (!beyond || *beyond) return "a block beyond the head";
  if (num == 0) return {};
  const auto parent = view.block_by_hash(head.header.parent_hash);
  if (!parent) return parent.error().message;
  if (!*parent || (*parent)->header.block_num != num - 1) return "no parent";
  const auto old = view.account_of(test_key(sender).account(), num - 1);
  if (!old) return old.error().message;
  if (old->nonce != num - 1) return "the state before the head is another";
  const auto place = view.find_txn(head.txns.at(0).hash());
  if (!place) return place.error().message;
  if (!*place || (*place)->block->hash != head.hash) return "the head's transaction is not found";
  const auto next = view.find_txn(growing::txn_of(num + 1).hash());
  if (!next || *next) return "a transaction of a block beyond the head";
  const auto found = view.logs({.from_block = 0, .to_block = ~std::uint64_t{0}});
  if (!found) return found.error().message;
  if (found->size() != num) return fmt::format("{} logs in {} blocks", found->size(), num);
  return {};
}

/// Threads that look at the newest view again and again until they are told to stop or find something wrong.
class watchers {
public:
  watchers(std::shared_ptr<const chain_window> window, int count, bool check_pool)
      : window_(std::move(window)) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this, check_pool] { watch(check_pool); });
  }
  ~watchers() { stop(); }
  std::string stop() {
    stopped_ = true;
    for (auto& each : threads_)
      each.join();
    threads_.clear();
    const std::lock_guard lock(mutex_);
    return trouble_;
  }
  std::uint64_t looks() const { return looks_; }
  /// Waits until the threads have looked `count` times.
  void wait_for(std::uint64_t count) const {
    while (looks_ < count && !stopped_)
      std::this_thread::yield();
  }

private:
  void watch(bool check_pool) {
    std::uint64_t last = 0;
    while (!stopped_) {
      const auto view = window_->view();
      auto trouble = trouble_of(*view);
      if (trouble.empty() && view->head()->header.block_num < last) trouble = "the chain went back";
      last = view->head()->header.block_num;
      if (trouble.empty() && check_pool) trouble = pool_trouble();
      ++looks_;
      if (trouble.empty()) continue;
      const std::lock_guard lock(mutex_);
      trouble_ = std::move(trouble);
      stopped_ = true;
    }
  }
  /// With one transaction in each block, no nonce lies below the head's or more than one above it.
  std::string pool_trouble() const {
    const auto before = window_->view()->head()->header.block_num;
    const auto nonce = window_->pending_nonce(test_key(sender).account());
    if (!nonce) return nonce.error().message;
    const auto after = window_->view()->head()->header.block_num;
    if (*nonce >= before && *nonce <= after + 1) return {};
    return fmt::format("the next nonce is {} between blocks {} and {}", *nonce, before, after);
  }

  std::shared_ptr<const chain_window> window_;
  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> looks_ = 0;
  std::mutex mutex_;
  std::string trouble_;
  std::vector<std::thread> threads_;
};

} // namespace

TEST_CASE("a view stays at its block while the chain goes on") {
  growing chain;
  for (int i = 0; i < 3; ++i)
    chain.grow();
  const auto view = chain.on->window()->view();
  chain.grow();
  CHECK(view->head()->header.block_num == 3);
  CHECK(trouble_of(*view) == "");
  CHECK(view->account_of(test_key(sender).account(), 4).error().is(chain_errc::unknown_block));
  CHECK(chain.on->window()->view()->head()->header.block_num == 4);
  CHECK(trouble_of(*chain.on->window()->view()) == "");
  CHECK(trouble_of(*chain.on) == ""); // which is one, too
}

TEST_CASE("the window shows what waits, and the nonce after it") {
  growing chain;
  const auto window = chain.on->window();
  const auto who = test_key(sender).account();
  const auto txn = growing::txn_of(1);
  CHECK(window->pending_nonce(who).value() == 0);
  CHECK_FALSE(window->find_pending(txn.hash()));
  REQUIRE(chain.on->submit(txn));
  CHECK(window->waits(txn.hash()));
  CHECK(window->find_pending(txn.hash())->raw() == txn.raw());
  CHECK(window->pending_nonce(who).value() == 1);
  REQUIRE(seal_block(*chain.on));
  CHECK_FALSE(window->waits(txn.hash()));
  CHECK(window->pending_nonce(who).value() == 1);
}

TEST_CASE("a view is of no use when its chain has ended, and does not keep the directory") {
  growing chain;
  chain.grow();
  const auto window = chain.on->window();
  const auto view = window->view();
  chain.on.reset();
  chain.on = chain::open(test_options(chain.dirs / "a")).value();
  CHECK(view->head()->header.block_num == 1);
  CHECK(view->account_of(test_key(sender).account()).error().is(store_errc::io));
  CHECK(view->logs({.from_block = 0, .to_block = 1}).error().is(store_errc::io));
  CHECK(window->pending_nonce(test_key(sender).account()).error().is(store_errc::io));
  CHECK(trouble_of(*chain.on->window()->view()) == "");
}

TEST_CASE("threads read while the chain grows, block by block") {
  growing chain;
  watchers readers(chain.on->window(), 3, true);
  for (int i = 0; i < 150; ++i)
    chain.grow();
  readers.wait_for(50);
  CHECK(readers.stop() == "");
  CHECK(chain.length() == 150);
}

TEST_CASE("threads read while ranges of blocks are imported, and see none that is not on disk") {
  growing from;
  for (int i = 0; i < 200; ++i)
    from.grow();
  std::vector<sealed_block_bytes> blocks;
  for (std::uint64_t i = 1; i <= 200; ++i)
    blocks.push_back(**from.on->sealed_block_of(i));
  growing late;
  watchers readers(late.on->window(), 3, false);
  for (std::size_t at = 0; at < blocks.size(); at += 40) {
    std::vector<sealed_block_view> range;
    for (std::size_t i = at; i < at + 40; ++i)
      range.push_back({blocks[i].block, blocks[i].seals, {}});
    const auto done = late.on->import_range(at + 1, range);
    REQUIRE_MESSAGE(!done.refused, done.refused->message);
    readers.wait_for(at / 4);
  }
  CHECK(readers.stop() == "");
  CHECK(late.length() == 200);
}

TEST_CASE("threads read on while the store recovers from a write that failed") {
  temp_dir dirs;
  std::filesystem::create_directories(dirs / "a");
  recorded_disk disk(dirs / "a");
  auto options = test_options(dirs / "a");
  options.env = disk.env();
  growing chain(std::move(options));
  for (int i = 0; i < 20; ++i)
    chain.grow();
  watchers readers(chain.on->window(), 3, true);
  int failures = 0;
  for (int i = 0; i < 20; ++i) {
    const auto next = chain.length() + 1;
    disk.fail_next_sync(); // of the block, or of something that the store does meanwhile
    for (int tries = 0; chain.length() < next && tries < 100; ++tries) {
      if (!chain.on->find_pending(growing::txn_of(next).hash()))
        std::ignore = chain.on->submit(growing::txn_of(next)); // refused when it was written after all
      const auto sealed = seal_block(*chain.on);
      failures += !sealed;
    }
    REQUIRE(chain.length() == next);
    readers.wait_for(static_cast<std::uint64_t>(i) * 5);
  }
  CHECK(readers.stop() == "");
  CHECK(failures > 5);
}

} // namespace chain_view_test
