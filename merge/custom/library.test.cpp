#include "merge/custom/library.hpp"

#include "base/file.hpp"
#include "base/testing/wording.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace library_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::wording;

namespace {

std::string path_of(const std::string& kind) {
  return std::string(MERGE_LIBRARIES) + "/merge_library_" + kind + ".so";
}

struct bench {
  temp_directory directory;
  model_store store = open_store(directory.path());
  std::vector<contribution> from;

  bench() {
    for (const float value : {1.0f, 2.0f, 3.0f}) {
      std::vector<float> values(100'000, value); // several parts
      from.push_back(
          {store_model(store, {{"w", dtype::f32, {values.size()}, raw_of(values)}}), value, "a peer"});
    }
  }

  result<merged> merge_by(const std::string& kind, library_limits limits = {}) {
    const auto digest = library_digest(path_of(kind));
    REQUIRE_MESSAGE(digest, (digest ? "" : digest.error().message));
    auto maker = open_library(path_of(kind), *digest, limits);
    REQUIRE_MESSAGE(maker, (maker ? "" : maker.error().message));
    merge_method method(merge_method::custom);
    method.name = "x";
    method.library = *digest;
    return merge_models(method, from, store, {}, *maker);
  }

  std::string failure_of(const std::string& kind, library_limits limits = {}) {
    const auto before = store.list();
    const auto done = merge_by(kind, limits);
    REQUIRE(!done);
    CHECK(store.list() == before);
    return done.error().message;
  }
};

} // namespace

TEST_CASE("a model is merged by a library in a process of its own") {
  bench t;
  const auto done = t.merge_by("middle");
  REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
  auto digests =
      std::vector<hash32>{t.from[0].file->digest(), t.from[1].file->digest(), t.from[2].file->digest()};
  std::sort(digests.begin(), digests.end()); // the order in which models are handed out
  CHECK(done->digest == digests[1]);
}

TEST_CASE("whatever a library does wrong costs its merge only, and is said") {
  bench t;
  CHECK(t.failure_of("fails") == "the merge library failed with 7");
  CHECK(t.failure_of("stops") == "the merge library's process has ended");
  CHECK(t.failure_of("loops", {.part = std::chrono::milliseconds(300)})
        == "the merge library took longer than 300 ms");
  CHECK(t.failure_of("nan_values") == "the merge library made NaN or infinite values of finite ones");
  CHECK(t.failure_of("other_abi") == "the merge library has ABI 2");
  CHECK(t.failure_of("nothing") == "the merge library lacks swarm_merge_abi or swarm_merge_combine");
  CHECK(t.merge_by("middle"));
}

TEST_CASE("a file that is no library, or another one than agreed on, is refused") {
  bench t;
  const auto path = t.directory.file("text.so");
  write_file(path, as_bytes("no library"));
  const auto digest = library_digest(path);
  REQUIRE(digest);
  const auto maker = open_library(path, *digest);
  REQUIRE(maker);
  const auto made = (*maker)(std::vector<double>{1});
  REQUIRE(!made);
  CHECK(wording(made.error()) == "the merge library cannot be loaded");
  const auto other = open_library(path_of("middle"), *digest);
  REQUIRE(!other);
  CHECK(other.error().is(errc::conflict));
  CHECK(open_library(t.directory.file("none.so"), *digest).error().is(file_errc::not_found));
}

} // namespace library_test
