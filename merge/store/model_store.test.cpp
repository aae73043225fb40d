#include "merge/store/model_store.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "merge/store/model_part.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace model_store_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// A model of `elements` numbers that are different for every seed.
std::shared_ptr<const model_file> random_model(model_store& store, std::uint64_t seed, std::size_t elements) {
  seeded_random random(seed);
  std::vector<float> values(elements);
  for (auto& value : values)
    value = static_cast<float>(random.below(1000));
  return store_model(store, {{"w", dtype::f32, {elements}, raw_of(values)}});
}

template <class T>
wording message_of(const result<T>& from) {
  return from ? "no error" : from.error().message;
}

std::size_t files_in(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

} // namespace

TEST_CASE("the digest of a model is the one computed by hand") {
  const auto file = read_file(SWARM_SOURCE_DIR "/merge/testdata/numpy.safetensors");
  CHECK(to_hex(make_manifest(file).digest().view(), false)
        == "db61701095f61ab5cc90ebfa4da8ca7d1621f5f7c5ab67f96e2d0f3d264a8458");
  bytes big;
  for (std::size_t i = 0; i < 2 * chunk_size; ++i)
    big.push_back(static_cast<std::uint8_t>("0123456789abcdef"[i % 16]));
  for (const char c : std::string("tail"))
    big.push_back(static_cast<std::uint8_t>(c));
  const auto of_big = make_manifest(big);
  CHECK(of_big.chunks.size() == 3);
  CHECK(of_big.size_of_chunk(2) == 4);
  CHECK(to_hex(of_big.digest().view(), false)
        == "c1518d2d694c94c60e42708cc909bf0bb86cc40c31ba0d820b3d7de61c865ecd");
}

TEST_CASE("a manifest round-trips and any other is refused") {
  const auto original = make_manifest(bytes(3 * chunk_size + 5, 1));
  const auto raw = original.encode();
  CHECK(raw.size() == manifest_encoded_size(original.size));
  CHECK(manifest::decode(raw).value() == original);

  CHECK(says(message_of(manifest::decode({})), "no model manifest"));
  auto changed = raw;
  changed[0] ^= 1;
  CHECK(says(message_of(manifest::decode(changed)), "no model manifest"));
  changed = raw;
  changed.pop_back();
  CHECK(says(message_of(manifest::decode(changed)), "127 bytes of chunk digests"));
  changed = raw;
  changed.push_back(0);
  CHECK(says(message_of(manifest::decode(changed)), "129 bytes of chunk digests"));
  changed = raw;
  changed[30] ^= 1; // chunk size
  CHECK(says(message_of(manifest::decode(changed)), "this version knows only 1048576"));
  changed = raw;
  changed[15] = 0xff; // size
  CHECK(says(message_of(manifest::decode(changed)), "1 to 1099511627776 are allowed"));
  for (std::size_t i = 15; i < 23; ++i)
    changed[i] = 0;
  CHECK(says(message_of(manifest::decode(changed)), "a model of 0 bytes"));
}

TEST_CASE("a model is stored, mapped, found again and removed") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<float> values{1.5f, -2, 3};
  const auto file =
      store_model(store, {{"a", dtype::f32, {3}, raw_of(values)}, {"b", dtype::f64, {}, bytes(8)}});
  CHECK(file->layout().tensors().size() == 2);
  CHECK(values_of<float>(file->data(*file->layout().find("a"))) == values);
  CHECK(make_manifest(file->raw()) == file->manifest());
  CHECK(file->manifest().digest() == file->digest());
  CHECK(store.contains(file->digest()));
  CHECK(store.bytes_used() == file->size());
  CHECK(store.list() == std::vector<hash32>{file->digest()});
  CHECK(store.open(file->digest()).value() == file);
  const auto name = to_hex(file->digest().view(), false) + ".safetensors";
  CHECK(read_file(directory.file(name)) == to_bytes(file->raw()));

  const auto again =
      store_model(store, {{"a", dtype::f32, {3}, raw_of(values)}, {"b", dtype::f64, {}, bytes(8)}});
  CHECK(again == file);
  CHECK(store.bytes_used() == file->size());

  CHECK(store.remove(file->digest()));
  CHECK(!store.remove(file->digest()));
  CHECK(store.open(file->digest()).error().is(errc::not_found));
  CHECK(store.bytes_used() == 0);
  CHECK(files_in(directory.path()) == 1); // the lock
  CHECK(values_of<float>(file->data(*file->layout().find("a"))) == values);
}

TEST_CASE("retain keeps what it is given and nothing else") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  std::vector<hash32> digests;
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    digests.push_back(random_model(store, seed, 10)->digest());
  CHECK(store.retain({digests[1], digests[3], hash32{}}) == 3);
  CHECK(store.contains(digests[1]));
  CHECK(store.contains(digests[3]));
  CHECK(store.list().size() == 2);
  CHECK(files_in(directory.path()) == 3);
}

TEST_CASE("a store reopened goes on with its models, without what was not finished") {
  const temp_directory directory;
  hash32 good, damaged, cut;
  {
    auto store = open_store(directory.path());
    good = random_model(store, 1, 400000)->digest();
    damaged = random_model(store, 2, 400000)->digest();
    cut = random_model(store, 3, 10)->digest();
    auto writer = store.create(3 * chunk_size);
    REQUIRE(writer);
    REQUIRE(writer->write(bytes(2 * chunk_size)));
    CHECK(files_in(directory.path()) == 5);
    const auto locked = model_store::open_directory(directory.path());
    REQUIRE(!locked);
    CHECK(locked.error().is(errc::conflict));
  }
  CHECK(files_in(directory.path()) == 4);
  write_file(directory.file(".unfinished-7"), bytes(100)); // of a process that was killed
  write_file(directory.file("notes.txt"), bytes(100));
  const auto path_of = [&](const hash32& digest) {
    return directory.file(to_hex(digest.view(), false) + ".safetensors");
  };
  auto contents = read_file(path_of(damaged));
  contents[chunk_size + 7] ^= 1;
  write_file(path_of(damaged), contents);
  write_file(path_of(cut), {});

  auto store = open_store(directory.path());
  CHECK(!std::filesystem::exists(directory.file(".unfinished-7")));
  CHECK(std::filesystem::exists(directory.file("notes.txt")));
  CHECK(store.list().size() == 3);
  CHECK(store.open(good).value()->digest() == good);
  for (const auto& digest : {damaged, cut}) {
    const auto opened = store.open(digest);
    REQUIRE(!opened);
    CHECK(opened.error().is(merge_errc::digest_mismatch));
    CHECK(says(opened.error(), "must be fetched again"));
    CHECK(!std::filesystem::exists(path_of(digest)));
    CHECK(!store.contains(digest));
  }
  // A model can take the place of its damaged twin.
  CHECK(random_model(store, 2, 400000)->digest() == damaged);
}

TEST_CASE("a writer takes exactly what was announced, in pieces of any size") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto whole = to_bytes(random_model(store, 5, 700000)->raw());
  const auto digest = make_manifest(whole).digest();
  store.remove(digest);
  seeded_random random(3);
  for (const std::size_t piece_max : {std::size_t{7000}, std::size_t{3000000}}) {
    auto writer = store.create(whole.size());
    REQUIRE(writer);
    CHECK(writer->finish().error().is(errc::invalid));
    for (std::size_t at = 0; at < whole.size();) {
      const auto size = std::min<std::size_t>(random.below(piece_max), whole.size() - at);
      REQUIRE(writer->write(bytes_view(whole).subspan(at, size)));
      at += size;
      REQUIRE(writer->written() == at);
    }
    CHECK(says(message_of(writer->write(bytes(1))), "1 bytes more than the"));
    const auto file = writer->finish();
    REQUIRE_MESSAGE(file, message_of(file));
    CHECK((*file)->digest() == digest);
    CHECK(to_bytes((*file)->raw()) == whole);
    store.remove(digest);
  }
  CHECK(store.create(0).error().is(merge_errc::too_large));
  CHECK(store.create(model_size_max + 1).error().is(merge_errc::too_large));
}

TEST_CASE("bytes that are no model are not stored") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  auto writer = store.create(100);
  REQUIRE(writer);
  REQUIRE(writer->write(bytes(100, 7)));
  CHECK(writer->finish().error().is(merge_errc::bad_header));
  writer = store.create(50);
  CHECK(files_in(directory.path()) == 2);
  CHECK(store.list().empty());
  const auto layout = model_layout::make({{"a", dtype::f32, {2}}});
  const bytes seven(7);
  CHECK(message_of(store.put(*layout, {})) == "0 pieces of data for 1 tensors");
  CHECK(message_of(store.put(*layout, std::vector<bytes_view>{seven}))
        == "tensor 'a' has 7 bytes of data instead of 8");
}

TEST_CASE("a store keeps to its limit, writers under way included") {
  const temp_directory directory;
  auto store = open_store(directory.path(), {.bytes_max = 10000});
  const auto file = random_model(store, 1, 1000);
  {
    auto first = store.create(5000);
    REQUIRE(first);
    const auto second = store.create(5000);
    REQUIRE(!second);
    CHECK(second.error().is(merge_errc::store_full));
    CHECK(
        wording(second.error())
        == fmt::format(
            "model directory {}: full: {} of the 10000 bytes allowed are taken, 5000 more are needed; allow "
            "more with --store-quota (a leader has the models of a whole round)",
            directory.path(), 5000 + file->size()));
  }
  CHECK(store.create(5000));
  store.remove(file->digest());
  CHECK(store.create(10000));
  CHECK(!store.create(10001));
}

TEST_CASE("spare models go when there is no room else, the first one first, and no more than have to") {
  const temp_directory directory;
  auto store = open_store(directory.path(), {.bytes_max = 10000});
  const auto size = random_model(store, 1, 100)->size();
  std::vector<hash32> digests{random_model(store, 1, 100)->digest()};
  for (int seed = 2; seed <= 4; ++seed)
    digests.push_back(random_model(store, seed, 100)->digest());
  store.set_spare({digests[2], digests[0], digests[1], digests[2], hash32{}});
  const auto left = 10000 - 4 * size;
  CHECK(store.create(left));
  CHECK(store.take_dropped().empty());
  CHECK(store.create(left + 1));
  CHECK(store.take_dropped() == std::vector<hash32>{digests[2]});
  CHECK(!store.contains(digests[2]));
  CHECK(!store.create(left + 3 * size + 1)); // would not be enough: nothing goes for it
  CHECK(store.take_dropped().empty());
  CHECK(store.create(left + 3 * size));
  CHECK(store.take_dropped() == std::vector<hash32>{digests[0], digests[1]});
  CHECK(store.list() == std::vector<hash32>{digests[3]});
  const auto back = random_model(store, 1, 100); // under a digest that was spare
  CHECK(!store.create(10000));
  CHECK(store.contains(back->digest()));
}

TEST_CASE("a directory that cannot be used is named") {
  const temp_directory directory;
  write_file(directory.file("taken"), {});
  const auto store = model_store::open_directory(directory.file("taken"));
  REQUIRE(!store);
  CHECK(says(store.error(), directory.file("taken")));
}

TEST_CASE("a full disk is named with the bytes that are needed") {
  const temp_directory directory;
  bool tried = false;
  // This runs in a thread with mounts of its own.
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return;
    if (::mount("none", directory.path().c_str(), "tmpfs", 0, "size=4m") != 0) return;
    tried = true;
    auto store = open_store(directory.path());
    const auto kept = random_model(store, 1, 100);
    const auto writer = store.create(16 * chunk_size);
    REQUIRE(!writer);
    CHECK(writer.error().is(merge_errc::disk_full));
    CHECK(wording(writer.error())
              .starts_with(fmt::format("model directory {}: the disk is full: a model needs 16777216 bytes",
                                       directory.path())));
    CHECK(store.open(kept->digest()));
    CHECK(store.create(chunk_size));
    std::vector<hash32> spare;
    for (int seed = 2; seed <= 4; ++seed)
      spare.push_back(random_model(store, seed, chunk_size / 4)->digest());
    store.set_spare(spare);
    CHECK(!store.create(16 * chunk_size)); // all of them would not be enough
    CHECK(store.take_dropped().empty());
    CHECK(store.create(2 * chunk_size));
    CHECK(store.take_dropped().size() < 3);
    manifest claim;
    claim.size = std::uint64_t{1} << 30;
    claim.chunks.assign(claim.size / chunk_size, sha256(bytes(chunk_size, 7)));
    const auto fetched = store.part(claim);
    REQUIRE(fetched);
    result<> stored;
    for (std::uint64_t index = 0; index < 5 && stored; ++index)
      stored = (*fetched)->put(index, bytes(chunk_size, 7));
    REQUIRE_FALSE(stored);
    CHECK(stored.error().is(merge_errc::disk_full));
    CHECK(store.contains(kept->digest()));
    ::umount2(directory.path().c_str(), MNT_DETACH);
  }).join();
  if (!tried) MESSAGE("not tried: this user may not mount a small disk");
}

TEST_CASE("models are written and read by many threads at once") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  std::vector<std::thread> threads;
  std::array<hash32, 8> digests;
  for (std::size_t t = 0; t < digests.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t round = 0; round < 20; ++round) {
        const auto file = random_model(store, t / 2, 300000); // two threads write the same model
        if (round % 3 == 0) store.remove(file->digest());
        if (const auto opened = store.open(file->digest())) REQUIRE((*opened)->size() == file->size());
        digests[t] = file->digest();
      }
      random_model(store, t / 2, 300000);
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(store.list().size() == 4);
  for (const auto& digest : digests) {
    const auto file = store.open(digest);
    REQUIRE(file);
    CHECK(make_manifest((*file)->raw()).digest() == digest);
  }
  CHECK(files_in(directory.path()) == 5);
}

TEST_CASE("the Python package reads our files and we read what it writes") {
  const char* wanted = std::getenv("SWARM_PYTHON");
  const std::string python = wanted != nullptr && *wanted != '\0' ? wanted : "python3";
  if (std::system((python + " -c 'import safetensors.numpy' 2>/dev/null").c_str()) != 0) {
    MESSAGE("not tried: " << python << " has no safetensors; the file in testdata stands for it");
    return;
  }
  const temp_directory directory;
  auto store = open_store(directory.file("store"));
  const auto file =
      store_model(store, {{"layer.weight", dtype::f32, {2, 3}, raw_of<float>({1, 2, 3, 4, 5, 6})},
                          {"steps", dtype::f64, {}, raw_of<double>({7})},
                          {"mask", dtype::boolean, {3}, {1, 0, 1}},
                          {"none", dtype::f32, {0}, {}},
                          {"half", dtype::f16, {2}, raw_of<std::uint16_t>({0x3c00, 0xc000})}});
  write_file(directory.file("read.py"), as_bytes(R"(
import sys, numpy as np, safetensors.numpy as st
t = st.load_file(sys.argv[1])
assert set(t) == {"layer.weight", "steps", "mask", "none", "half"}, set(t)
assert t["layer.weight"].tolist() == [[1, 2, 3], [4, 5, 6]] and t["layer.weight"].dtype == np.float32
assert t["steps"].shape == () and t["steps"] == 7 and t["steps"].dtype == np.float64
assert t["mask"].tolist() == [True, False, True] and t["none"].shape == (0,)
assert t["half"].tolist() == [1, -2] and t["half"].dtype == np.float16
st.save_file(t, sys.argv[2])
)"));
  const auto path = directory.file("store/" + to_hex(file->digest().view(), false) + ".safetensors");
  const auto command =
      fmt::format("{} {} {} {}", python, directory.file("read.py"), path, directory.file("back"));
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(read_file(directory.file("back")) == to_bytes(file->raw()));
}

TEST_CASE("a writer that fetches its bytes hashes and writes one copy of each") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto layout = model_layout::make({{"w", dtype::f32, {700'001}}});
  REQUIRE(layout);
  auto file = layout->canonical_header();
  file.resize(layout->canonical().file_size(), 3);
  SUBCASE("as they are") {
    auto writer = store.create(file.size());
    REQUIRE(writer);
    REQUIRE(writer->fill([&](std::uint64_t offset, std::span<std::uint8_t> into) -> result<> {
      std::copy_n(file.data() + offset, into.size(), into.data());
      return {};
    }));
    CHECK(writer->written() == file.size());
    const auto model = writer->finish();
    REQUIRE(model);
    CHECK(to_bytes((*model)->raw()) == file);
    CHECK((*model)->manifest() == make_manifest(file));
  }
  SUBCASE("a source that fails leaves nothing") {
    {
      auto writer = store.create(file.size());
      REQUIRE(writer);
      CHECK(writer
                ->fill([&](std::uint64_t offset, std::span<std::uint8_t>) -> result<> {
                  if (offset > 0) return fail(errc::io, "no more");
                  return {};
                })
                .error()
                .is(errc::io));
      CHECK(!writer->finish());
    }
    CHECK(store.list().empty());
    CHECK(store.create(file.size())); // the room is free again
  }
}

} // namespace model_store_test
