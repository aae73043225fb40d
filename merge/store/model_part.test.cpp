#include "merge/store/model_part.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

namespace model_part_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::says;

namespace {

std::shared_ptr<const model_file> some_model(model_store& store, std::size_t chunks) {
  bytes data(chunks * chunk_size - chunk_size / 2);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(i * 31 + i / 4099 + 1);
  const auto size = data.size();
  return store_model(store, {{"w", dtype::u8, {size}, std::move(data)}});
}

bytes_view chunk_of(const model_file& model, std::uint64_t index) {
  return model.raw().subspan(index * chunk_size, model.manifest().size_of_chunk(index));
}

std::shared_ptr<model_part> open_part(model_store& store, const manifest& of) {
  auto part = store.part(of);
  REQUIRE_MESSAGE(part, (part ? "" : part.error().message));
  return *part;
}

std::uint64_t on_disk(const std::string& folder) {
  struct stat info {};
  std::uint64_t out = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder))
    if (::stat(each.path().c_str(), &info) == 0) out += static_cast<std::uint64_t>(info.st_blocks) * 512;
  return out;
}

std::size_t count_of(const model_part& part) {
  return static_cast<std::size_t>(std::ranges::count(part.chunks(), true));
}

/// A manifest of chunks that all are `chunk`.
manifest claim_of(std::uint64_t size, const bytes& chunk) {
  manifest out;
  out.size = size;
  out.chunks.assign(size / chunk_size, sha256(chunk));
  return out;
}

} // namespace

TEST_CASE("a model comes chunk by chunk in any order, and is whole with the last one") {
  const temp_directory there, here;
  auto from = open_store(there.path()), to = open_store(here.path());
  const auto model = some_model(from, 5);
  const auto part = open_part(to, model->manifest());
  CHECK(to.find_part(model->digest()) == part);
  for (const std::uint64_t index : {4, 1, 0, 3}) {
    CHECK_FALSE(part->has(index));
    REQUIRE(part->put(index, chunk_of(*model, index)));
    CHECK(part->has(index));
    CHECK(
        std::ranges::equal(part->raw().subspan(index * chunk_size, 100), chunk_of(*model, index).first(100)));
  }
  CHECK(part->chunks() == std::vector{true, true, false, true, true});
  CHECK(part->has_all(0, 1));
  CHECK_FALSE(part->has_all(1, 3));
  CHECK_FALSE(part->has_all(4, 5));
  CHECK(part->finish().error().is(errc::invalid));
  CHECK_FALSE(to.contains(model->digest()));
  const auto wrong = part->put(2, bytes(chunk_size));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().is(merge_errc::bad_chunk));
  CHECK(says(wrong.error(), "chunk 2 of 5"));
  REQUIRE(part->put(2, chunk_of(*model, 2)));
  const auto whole = part->finish();
  REQUIRE(whole);
  CHECK((*whole)->digest() == model->digest());
  CHECK(to.contains(model->digest()));
  CHECK(*part->finish() == *whole);
  CHECK(to.bytes_used() == model->size());
}

TEST_CASE("what is here of a model stays when a fetch is broken off, and when the process ends") {
  const temp_directory there, here;
  auto from = open_store(there.path());
  const auto model = some_model(from, 6);
  {
    auto to = open_store(here.path());
    {
      const auto part = open_part(to, model->manifest());
      REQUIRE(part->put(1, chunk_of(*model, 1)));
      REQUIRE(part->put(5, chunk_of(*model, 5)));
    }
    CHECK(to.find_part(model->digest()) == nullptr);
    const auto again = open_part(to, model->manifest());
    CHECK(again->chunks() == std::vector{false, true, false, false, false, true});
    REQUIRE(again->put(2, chunk_of(*model, 2)));
  }
  // What a power cut makes of a chunk does not count.
  const auto file = here.file(".part-" + to_hex(model->digest().view(), false));
  {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(2 * chunk_size + 99));
    out.put('x');
  }
  auto to = open_store(here.path());
  {
    const auto part = open_part(to, model->manifest());
    CHECK(part->chunks() == std::vector{false, true, false, false, false, true});
    for (std::uint64_t index = 0; index < 6; ++index)
      REQUIRE(part->put(index, chunk_of(*model, index)));
    REQUIRE(part->finish());
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(std::ranges::equal((*to.open(model->digest()))->raw(), model->raw()));
}

TEST_CASE("of a part nothing stays that is worth nothing") {
  const temp_directory there, here;
  auto from = open_store(there.path()), to = open_store(here.path());
  const auto model = some_model(from, 2), other = some_model(from, 3);
  open_part(to, model->manifest());
  CHECK_FALSE(std::filesystem::exists(here.file(".part-" + to_hex(model->digest().view(), false))));
  // Of models that are not kept, only parts that somebody has.
  REQUIRE(open_part(to, model->manifest())->put(0, chunk_of(*model, 0)));
  const auto open = open_part(to, other->manifest());
  REQUIRE(open->put(0, chunk_of(*other, 0)));
  to.retain({model->digest()});
  CHECK(open_part(to, model->manifest())->has(0));
  to.retain({});
  CHECK(count_of(*open_part(to, model->manifest())) == 0);
  CHECK(open_part(to, other->manifest()) == open);
  // A file with the right digest that is no model.
  const bytes noise(chunk_size, 'n');
  const auto part = open_part(to, claim_of(chunk_size, noise));
  REQUIRE(part->put(0, noise));
  CHECK_FALSE(part->finish());
  CHECK_FALSE(std::filesystem::exists(here.file(".part-" + to_hex(part->digest().view(), false))));
}

TEST_CASE("two who fetch the same model have the same part") {
  const temp_directory there, here;
  auto from = open_store(there.path()), to = open_store(here.path());
  const auto model = some_model(from, 8);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const auto part = open_part(to, model->manifest());
      for (std::uint64_t index = 0; index < 8; ++index)
        REQUIRE(part->put((index * 3 + t) % 8, chunk_of(*model, (index * 3 + t) % 8)));
      REQUIRE(part->finish());
    });
  for (auto& each : threads)
    each.join();
  CHECK(to.list() == std::vector{model->digest()});
  CHECK(to.bytes_used() == model->size());
}

TEST_CASE("a file of which somebody claims that it is large takes room as its chunks are checked") {
  const temp_directory directory;
  auto store = open_store(directory.path(), {.bytes_max = 3 * chunk_size});
  const bytes chunk(chunk_size, 7);
  {
    const auto part = open_part(store, claim_of(std::uint64_t{20} << 30, chunk));
    CHECK(on_disk(directory.path()) < chunk_size);
    for (std::uint64_t index : {7, 12000, 3})
      CHECK(part->put(index, chunk));
    CHECK(on_disk(directory.path()) < 4 * chunk_size);
    const auto over = part->put(8, chunk);
    REQUIRE_FALSE(over);
    CHECK(over.error().is(merge_errc::store_full));
    CHECK_FALSE(part->has(8));
    CHECK_FALSE(store.create(1));
  }
  // What nobody has makes room for what somebody wants.
  CHECK_FALSE(store.create(std::uint64_t{20} << 30));
  CHECK(store.create(3 * chunk_size));
  CHECK(on_disk(directory.path()) < chunk_size);
}

TEST_CASE("there are only so many parts that nobody has, the newest ones") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto claim = [](std::size_t seed) {
    return claim_of(chunk_size, bytes(chunk_size, static_cast<std::uint8_t>(seed)));
  };
  for (std::size_t seed = 0; seed <= model_store::parts_max; ++seed)
    REQUIRE(open_part(store, claim(seed))->put(0, bytes(chunk_size, static_cast<std::uint8_t>(seed))));
  CHECK(count_of(*open_part(store, claim(0))) == 0);
  CHECK(count_of(*open_part(store, claim(1))) == 1);
}

TEST_CASE("an assembler takes a model in pieces, names a wrong chunk, and goes on") {
  const temp_directory there, here;
  auto from = open_store(there.path()), to = open_store(here.path());
  const auto model = some_model(from, 4);
  const auto whole = model->raw();
  const auto part = open_part(to, model->manifest());
  assembler assembly(part);
  CHECK(!assembly.complete());
  CHECK(assembly.check_complete().error().is(errc::invalid));
  REQUIRE(assembly.feed(whole.first(chunk_size + 1000)));
  CHECK(assembly.next_offset() == chunk_size);
  auto wrong = to_bytes(whole.subspan(chunk_size + 1000, chunk_size));
  wrong[0] ^= 1;
  const auto refused = assembly.feed(wrong);
  REQUIRE(!refused);
  CHECK(refused.error().is(merge_errc::bad_chunk));
  CHECK(assembly.next_offset() == chunk_size);
  // Another peer goes on, is cut off within a chunk, and a third one ends it.
  REQUIRE(assembly.feed(whole.subspan(chunk_size, chunk_size + 5)));
  assembly.restart_chunk();
  CHECK(assembly.next_offset() == 2 * chunk_size);
  for (auto rest = whole.subspan(2 * chunk_size); !rest.empty();) {
    const auto size = std::min<std::size_t>(65536, rest.size());
    REQUIRE(assembly.feed(rest.first(size)));
    rest = rest.subspan(size);
  }
  CHECK(assembly.complete());
  CHECK(assembly.check_complete());
  CHECK(!assembly.feed(bytes(1)));
  REQUIRE(part->finish());
  // A part of it.
  assembler run(part, 1, 2);
  CHECK_FALSE(run.feed(bytes(2 * chunk_size + 1)));
  REQUIRE(run.feed(whole.subspan(chunk_size, 2 * chunk_size)));
  CHECK(run.complete());
}

TEST_CASE("chunks that another model has at the same place are here from the beginning") {
  const temp_directory there, here;
  auto from = open_store(there.path()), to = open_store(here.path());
  const auto trained = some_model(from, 6);
  bytes data(trained->data(trained->layout().tensors()[0]).begin(),
             trained->data(trained->layout().tensors()[0]).end());
  for (const auto chunk : {1, 4}) // the others were not trained
    data[static_cast<std::size_t>(chunk) * chunk_size] ^= 1;
  const auto size = data.size();
  const auto own = store_model(to, {{"w", dtype::u8, {size}, std::move(data)}});
  {
    const auto part = open_part(to, trained->manifest());
    CHECK(part->chunks() == std::vector<bool>{true, false, true, true, false, true});
    for (const std::uint64_t missing : {1, 4})
      REQUIRE(part->put(missing, chunk_of(*trained, missing)));
    const auto whole = part->finish();
    REQUIRE(whole);
    CHECK(std::ranges::equal((*whole)->raw(), trained->raw()));
  }
  CHECK(own->size() == trained->size());
  // What has another length has nothing at the same place.
  const auto other = some_model(from, 7);
  CHECK(count_of(*open_part(to, other->manifest())) == 0);
}

} // namespace model_part_test
