#include "merge/store/shard_file.hpp"

#include "base/hash.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <filesystem>

namespace shard_file_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;

namespace {

bytes chunk_of(std::uint8_t value, std::size_t size = chunk_size) {
  return bytes(size, value);
}

} // namespace

TEST_CASE("a run of a merge has the hashes of its chunks, whatever their order") {
  const temp_directory folder;
  auto store = open_store(folder.path());
  const auto run = store.shard(3 * chunk_size + 5, 2, 2).value();
  CHECK(run->first() == 2);
  CHECK(run->count() == 2);
  REQUIRE(run->put(3, chunk_of(7, 5)));
  CHECK(run->has(3));
  CHECK_FALSE(run->has(2));
  CHECK_FALSE(run->is_complete());
  REQUIRE(run->put(2, chunk_of(9)));
  REQUIRE(run->put(2, chunk_of(8))); // made once more
  CHECK(run->is_complete());
  CHECK(run->hashes() == std::vector{sha256(chunk_of(8)), sha256(chunk_of(7, 5))});
  CHECK(sha256(run->chunk(2)) == sha256(chunk_of(8)));
  CHECK(sha256(run->chunk(3)) == sha256(chunk_of(7, 5)));
  CHECK_FALSE(run->has(4));
}

TEST_CASE("a run takes room as long as somebody has it, and leaves nothing behind") {
  const temp_directory folder;
  auto store = open_store(folder.path(), {.bytes_max = 3 * chunk_size});
  auto run = store.shard(8 * chunk_size, 4, 2).value();
  CHECK_FALSE(store.shard(8 * chunk_size, 0, 2));
  run.reset();
  CHECK(store.shard(8 * chunk_size, 0, 2));
  for (const auto& each : std::filesystem::directory_iterator(folder.path()))
    CHECK(each.path().filename() == ".lock");
}

TEST_CASE("what is no part of a model is no run") {
  const temp_directory folder;
  auto store = open_store(folder.path());
  CHECK_FALSE(store.shard(0, 0, 1));
  CHECK_FALSE(store.shard(chunk_size, 0, 0));
  CHECK_FALSE(store.shard(chunk_size, 1, 1));
  CHECK_FALSE(store.shard(2 * chunk_size, 1, 2));
}

} // namespace shard_file_test
