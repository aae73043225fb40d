#include "ledger/store/kv_store.hpp"

#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <vector>

namespace kv_store_test {

using namespace swarm;
using namespace swarm::ledger;
using swarm::testing::says;

namespace {

using scratch_dir = swarm::testing::temporary_folder;

bytes key_of(std::uint8_t which) {
  return {which};
}

std::uint64_t schema_of(const kv_store& store) {
  return get_be64(store.get(column::meta, as_bytes("schema")).value()->data());
}

/// Steps that turn values x of `headers` into x x (version 2), then copy them to `bodies` (version 3).
struct test_steps {
  int failures = 0; ///< how often the second step is interrupted half way
  std::vector<std::uint64_t> ran;
  std::vector<schema_step> list{{2, [this](kv_store& store) { return double_values(store); }},
                                {3, [this](kv_store& store) { return copy_values(store); }}};

  /// Atomic: one batch.
  result<> double_values(kv_store& store) {
    ran.push_back(2);
    kv_batch batch;
    auto walk = store.walk(column::headers);
    for (bool more = walk.seek({}); more; more = walk.next()) {
      auto value = to_bytes(walk.value());
      append(value, walk.value());
      batch.put(column::headers, walk.key(), value);
    }
    SWARM_CHECK(walk.status());
    return store.write(batch);
  }
  /// Resumable: many batches, each of which may be written again.
  result<> copy_values(kv_store& store) {
    ran.push_back(3);
    auto walk = store.walk(column::headers);
    for (bool more = walk.seek({}); more; more = walk.next()) {
      kv_batch batch;
      batch.put(column::bodies, walk.key(), walk.value());
      SWARM_CHECK(store.write(batch));
      if (walk.key()[0] == 2 && failures-- > 0) return fail(errc::io, "interrupted");
    }
    return walk.status();
  }
};

} // namespace

TEST_CASE("an old store is brought to the new schema step by step, also when a step is interrupted") {
  scratch_dir dir;
  {
    auto old = kv_store::open({.dir = dir.path(), .schema = 1, .steps = {}}).value();
    CHECK(schema_of(*old) == 1);
    kv_batch batch;
    for (std::uint8_t i = 0; i < 5; ++i)
      batch.put(column::headers, key_of(i), bytes{i});
    REQUIRE(old->write(batch));
  }
  test_steps steps;
  steps.failures = 1;
  auto stopped = kv_store::open({.dir = dir.path(), .schema = 3, .steps = steps.list});
  REQUIRE_FALSE(stopped);
  CHECK(says(stopped.error(), "interrupted"));
  CHECK(says(stopped.error(), dir.path().string()));
  CHECK(steps.ran == std::vector<std::uint64_t>{2, 3});
  {
    auto now = kv_store::open({.dir = dir.path(), .schema = 3, .steps = steps.list});
    REQUIRE(now);
    CHECK(steps.ran == std::vector<std::uint64_t>{2, 3, 3}); // the first one is not run twice
    CHECK(schema_of(**now) == 3);
    for (std::uint8_t i = 0; i < 5; ++i)
      CHECK(*(*now)->get(column::bodies, key_of(i)).value() == bytes{i, i});
  }
  REQUIRE(kv_store::open({.dir = dir.path(), .schema = 3, .steps = steps.list}));
  CHECK(steps.ran.size() == 3);
  // A program that knows only the old version refuses the store.
  auto older = kv_store::open({.dir = dir.path(), .schema = 2, .steps = steps.list});
  REQUIRE_FALSE(older);
  CHECK(older.error().is(store_errc::newer_schema));
  // Where a step is missing, nothing is changed.
  auto gap = kv_store::open({.dir = dir.path(), .schema = 5, .steps = steps.list});
  REQUIRE_FALSE(gap);
  CHECK(gap.error().is(store_errc::damaged));
  CHECK(says(gap.error(), "move the directory away"));
}

TEST_CASE("a new store has the newest schema and runs no step; the shipped steps lead there from version 1") {
  scratch_dir dir;
  test_steps steps;
  {
    auto made = kv_store::open({.dir = dir.path(), .schema = 3, .steps = steps.list});
    REQUIRE(made);
    CHECK(schema_of(**made) == 3);
  }
  CHECK(steps.ran.empty());
  std::uint64_t version = 1;
  for (const auto& step : schema_steps())
    CHECK(step.to == ++version);
  CHECK(version == store_schema);
}

TEST_CASE("a cleared column is empty, takes new entries, and leaves the others alone") {
  scratch_dir dir;
  const auto options = store_options{.dir = dir.path()};
  {
    auto store = kv_store::open(options).value();
    kv_batch batch;
    for (std::uint8_t i = 0; i < 5; ++i) {
      batch.put(column::txn_index, key_of(i), bytes{i});
      batch.put(column::bodies, key_of(i), bytes{i});
    }
    REQUIRE(store->write(batch));
    REQUIRE(store->clear(column::txn_index));
    CHECK_FALSE(store->walk(column::txn_index).seek({}));
    kv_batch again;
    again.put(column::txn_index, key_of(9), bytes{9});
    REQUIRE(store->write(again));
  }
  auto store = kv_store::open(options).value();
  CHECK(store->get(column::txn_index, key_of(9)).value() == bytes{9});
  CHECK_FALSE(store->get(column::txn_index, key_of(1)).value());
  CHECK(store->get(column::bodies, key_of(1)).value() == bytes{1});
  CHECK(store->check_files());
}

} // namespace kv_store_test
