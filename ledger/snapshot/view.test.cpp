// Views of a chain while it takes a snapshot and then fetches its history.
#include "ledger/chain/chain_window.hpp"
#include "ledger/snapshot/testing/snapshot_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace view_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::sync;
using namespace swarm::sync::test;
using namespace swarm::ledger::test;

namespace {

bool is_missing(const error& why) {
  return why.is(chain_errc::history_missing) || why.is(chain_errc::state_missing);
}

/// What is wrong with a view of a chain that is like `source` up to where it goes; empty: nothing. Of what a
/// snapshot skipped it says that, and never that there is no such thing.
std::string trouble_of(const chain_view& view, const std::vector<hash32>& hashes) {
  const auto last = view.head()->header.block_num;
  for (std::uint64_t num = 0; num <= last; ++num) {
    const auto block = view.block_by_num(num);
    if (!block && !is_missing(block.error())) return block.error().message;
    if (block && (!*block || (*block)->hash != hashes[num])) return fmt::format("block {} is another", num);
    const auto known = view.block_by_hash(hashes[num]);
    if (!known && !is_missing(known.error())) return known.error().message;
    if (known && !*known) return fmt::format("block {} is not found", num);
    const auto state = view.account_of(test_address(), num);
    if (!state && !is_missing(state.error())) return state.error().message;
  }
  const auto logs = view.logs({.from_block = 0, .to_block = last});
  if (!logs && !is_missing(logs.error())) return logs.error().message;
  if (logs && logs->size() < last * 3) return "logs are missing";
  return {};
}

} // namespace

TEST_CASE("threads read while a snapshot moves the head and history comes after it") {
  source from(60);
  std::vector<hash32> hashes;
  for (std::uint64_t i = 0; i <= 60; ++i)
    hashes.push_back((*from.on->block_by_num(i))->hash);
  temp_dir dir;
  const auto to = chain::open(options_for(dir / "chain")).value();
  const auto window = to->window();
  const auto old = window->view();
  std::atomic<bool> stopped = false;
  std::atomic<int> looks = 0;
  std::string trouble;
  std::thread reader([&] {
    while (!stopped && trouble.empty()) {
      trouble = trouble_of(*window->view(), hashes);
      ++looks;
    }
  });
  const auto wait = [&](int more) {
    for (const auto until = looks + more; looks < until && !stopped;)
      std::this_thread::yield();
  };
  wait(2);
  take_state(*to, *from.on, 60);
  chain_snapshots snapshots(*to);
  REQUIRE(snapshots.adopt(past(*from.on, 60), {}));
  CHECK(window->view()->head()->header.block_num == 60);
  CHECK(window->view()->block_by_num(30).error().is(chain_errc::history_missing));
  const auto gapped = window->view();
  for (std::uint64_t last = 59; last > 0; last -= std::min<std::uint64_t>(last, 7)) {
    std::vector<sync::verified_block> blocks;
    for (auto i = last; i > 0 && blocks.size() < 7; --i)
      blocks.push_back(past(*from.on, i));
    REQUIRE(snapshots.store_past(blocks));
    if (looks < 40) wait(1);
  }
  wait(2);
  stopped = true;
  reader.join();
  CHECK(trouble == "");
  CHECK(old->head()->header.block_num == 0);
  CHECK(trouble_of(*old, hashes) == "");
  CHECK(trouble_of(*gapped, hashes) == "");
  CHECK(window->view()->history_complete());
  CHECK(window->view()->logs({.from_block = 0, .to_block = 60})->size() >= 180);
}

} // namespace view_test
