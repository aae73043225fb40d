#include "ledger/sync/state_walk.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/state/testing/state_test_store.hpp"

#include <doctest/doctest.h>

namespace state_walk_test {

using namespace swarm;
using namespace swarm::sync;
using namespace swarm::ledger;

namespace {

address account_number(std::uint64_t number) {
  address out;
  put_be64(out.data() + 12, number);
  return out;
}

/// Accounts with storage of all sizes, two of them alike, and with code that several share.
struct world {
  test::memory_state state;
  hash32 root;

  explicit world(std::uint64_t accounts, std::uint64_t salt = 0) {
    state_overlay on(state.store, empty_trie_root);
    for (std::uint64_t i = 1; i <= accounts; ++i) {
      REQUIRE(on.set_nonce(account_number(i), i + (i % 10 == 0 ? salt : 0)));
      for (std::uint64_t slot = 0; slot < (i % 7) * 20; ++slot)
        REQUIRE(on.store(account_number(i), u256(slot), u256(i % 7 == 3 ? slot + 1 : slot + i + salt)));
      if (i % 5 == 0)
        REQUIRE(on.set_code(account_number(i), bytes(100, static_cast<std::uint8_t>(i % 3 + 1))));
    }
    root = state.take(on.commit());
  }
};

/// A store that is filled with what `from` gives.
struct copy {
  std::unordered_map<hash32, bytes> nodes, codes;

  state_walk walk(const hash32& root) {
    return {root, [this](const state_part& what) -> result<bool> {
              return what.kind == part_kind::code ? codes.contains(what.hash) : nodes.contains(what.hash);
            }};
  }
  void store(const state_batch& batch) {
    for (const auto& [hash, raw] : batch.codes)
      codes[hash] = raw;
    for (const auto& [hash, raw] : batch.nodes) {
      nodes[hash] = raw;
      check_whole(raw);
    }
  }
  /// Checks that everything a stored node refers to is stored already.
  void check_whole(bytes_view raw) const {
    const auto node = decode_trie_node(raw);
    REQUIRE(node);
    for (const auto& child : (*node)->children)
      if (const auto* hash = std::get_if<hash32>(&child)) CHECK(nodes.contains(*hash));
    if (!(*node)->is_leaf()) return;
    if (const auto item = decode_account((*node)->value)) {
      CHECK((item->storage_root == empty_trie_root || nodes.contains(item->storage_root)));
      CHECK((item->code_hash == empty_code_hash || codes.contains(item->code_hash)));
    }
  }
};

bytes part_of(const world& from, const state_part& what) {
  return what.kind == part_kind::code ? from.state.codes.at(what.hash) : from.state.nodes.at(what.hash);
}

struct fetch_options {
  std::size_t ask = 16;
  std::size_t batch_bytes = 2000;
  std::size_t stop_after = SIZE_MAX; ///< parts; as a crash does
};

/// Runs a walk over a connection that loses and repeats answers; returns how many parts came.
std::size_t fetch(copy& to, const world& from, seeded_random& random, fetch_options options = {}) {
  auto walk = to.walk(from.root);
  REQUIRE(walk.begin());
  std::size_t came = 0;
  std::vector<state_part> open;
  while (!walk.complete()) {
    for (const auto& part : walk.next(options.ask))
      open.push_back(part);
    REQUIRE_FALSE(open.empty());
    const auto which = static_cast<std::ptrdiff_t>(random.below(open.size()));
    const auto part = open[static_cast<std::size_t>(which)];
    open.erase(open.begin() + which);
    if (random.below(10) == 0) {
      walk.again(part);
      continue;
    }
    REQUIRE(walk.take(part.hash, part_of(from, part)));
    if (random.below(20) == 0) REQUIRE(walk.take(part.hash, part_of(from, part)));
    if (++came >= options.stop_after) return came;
    if (walk.batch_bytes() >= options.batch_bytes) to.store(walk.take_batch());
  }
  to.store(walk.take_batch());
  CHECK(walk.waiting_bytes() == 0);
  return came;
}

} // namespace

TEST_CASE("a walk copies a whole state, and stores nothing before what is below it") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    seeded_random random(seed);
    const world from(10 + random.below(200));
    copy to;
    const auto came = fetch(to, from, random);
    CHECK(to.nodes.size() == from.state.nodes.size());
    CHECK(to.codes == from.state.codes);
    CHECK(came == to.nodes.size() + to.codes.size());
    for (const auto& [hash, raw] : to.nodes)
      CHECK(from.state.nodes.at(hash) == raw);
  }
}

TEST_CASE("after a crash only what was not stored is asked for again") {
  seeded_random random(3);
  const world from(150);
  const auto all = from.state.nodes.size() + from.state.codes.size();
  copy to;
  std::size_t came = 0, lost = 0;
  for (int crash = 0; crash < 8; ++crash) {
    const auto before = to.nodes.size() + to.codes.size();
    const auto now = fetch(to, from, random, {.ask = 16, .batch_bytes = 500, .stop_after = all / 10});
    came += now;
    lost += now - (to.nodes.size() + to.codes.size() - before);
    CHECK_FALSE(to.nodes.contains(from.root));
  }
  came += fetch(to, from, random);
  CHECK(to.nodes.size() == from.state.nodes.size());
  CHECK(came == all + lost);
  CHECK(lost < all / 2);
}

TEST_CASE("a later state costs what has changed") {
  seeded_random random(4);
  const world before(200), after(200, 1);
  copy to;
  fetch(to, before, random);
  const auto came = fetch(to, after, random);
  std::size_t fresh = 0;
  for (const auto& [hash, raw] : after.state.nodes)
    fresh += before.state.nodes.contains(hash) ? 0 : 1;
  CHECK(came == fresh);
  CHECK(to.nodes.contains(after.root));
  CHECK(fetch(to, after, random) == 0);
}

TEST_CASE("what waits stays small: the deepest parts come first") {
  seeded_random random(5);
  const world from(2000);
  copy to;
  auto walk = to.walk(from.root);
  REQUIRE(walk.begin());
  std::size_t most = 0;
  while (!walk.complete()) {
    for (const auto& part : walk.next(1))
      REQUIRE(walk.take(part.hash, part_of(from, part)));
    most = std::max(most, walk.waiting());
    if (walk.batch_bytes() > 10'000) to.store(walk.take_batch());
  }
  CHECK(from.state.nodes.size() > 4000);
  CHECK(most < 200);
}

TEST_CASE("no state, a stored one, a store that fails, and what is no state") {
  copy to;
  auto none = to.walk(empty_trie_root);
  CHECK_FALSE(none.complete());
  REQUIRE(none.begin());
  CHECK(none.complete());
  CHECK(none.next(5).empty());

  state_walk broken(keccak256("root"),
                    [](const state_part&) -> result<bool> { return fail(errc::io, "the disk is gone"); });
  CHECK(broken.begin().error().is(errc::io));

  const bytes junk{0xc1, 0x80};
  auto walk = to.walk(keccak256(junk));
  REQUIRE(walk.begin());
  CHECK(walk.take(keccak256("other"), junk)); // not wanted
  CHECK(walk.next(5).size() == 1);
  CHECK(walk.take(keccak256(junk), junk).error().is(errc::corrupt));
  CHECK_FALSE(walk.complete());

  trie odd(nullptr);
  REQUIRE(odd.put(keccak256("key").view(), bytes(40, 7))); // no account
  const auto nodes = odd.prove(keccak256("key").view());
  auto leaf = to.walk(odd.root());
  REQUIRE(leaf.begin());
  CHECK(leaf.take(odd.root(), nodes->front()).error().is(errc::corrupt));
}

} // namespace state_walk_test
