#include "actors/sl/kept/merge_shelf.hpp"

#include "base/file.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace merge_shelf_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::merge::testing;

namespace {

constexpr std::size_t elements = 250'000; ///< of a model of about 1 MB

/// A store and its shelf, which keeps three merges.
struct bench {
  explicit bench(std::uint64_t bytes_max = 0) {
    auto opened = merge::model_store::open_directory(folder.file("models"), {.bytes_max = bytes_max});
    REQUIRE(opened);
    store = std::make_shared<merge::model_store>(std::move(*opened));
    begin();
  }
  void begin() {
    shelf.emplace(merge_shelf::options{3, folder.path(), "test"}, store, io);
    shelf->follow("ours");
  }
  result<hash32> put(int number) {
    const std::vector<float> values(elements, static_cast<float>(number));
    const auto data = raw_of(values);
    const auto layout = merge::model_layout::make({{"w", merge::dtype::f32, {elements}}});
    SWARM_TRY(const auto model, store->put(*layout, std::vector<bytes_view>{data}));
    return model->digest();
  }
  /// A round: this node's model and the merge come, and what is over goes.
  result<> round(std::uint64_t number) {
    SWARM_TRY(const auto own, put(static_cast<int>(1000 + number)));
    shelf->retain({own, last});
    SWARM_TRY(const auto merged, put(static_cast<int>(number)));
    last = merged;
    shelf->see({"ours", 1, number, merged, 0});
    return {};
  }
  std::vector<std::uint64_t> rounds() const {
    std::vector<std::uint64_t> out;
    for (const auto& each : shelf->merges().list())
      if (store->contains(each.digest)) out.push_back(each.round_num);
    return out;
  }
  /// As the file says, once it does.
  std::vector<kept_merge> recorded(std::uint64_t last_round) const {
    for (;;) {
      const auto found = read_kept_merges(folder.path());
      if (!found.empty() && found.back().round_num == last_round) return found;
      std::this_thread::yield();
    }
  }

  temp_directory folder;
  std::shared_ptr<transport::io_runtime> io = std::make_shared<transport::io_runtime>(1);
  std::shared_ptr<merge::model_store> store;
  std::optional<merge_shelf> shelf;
  hash32 last;
};

using numbers = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("the last merges stay when a round's models go, and are known in the next life") {
  bench t;
  for (std::uint64_t number = 1; number <= 5; ++number)
    REQUIRE(t.round(number));
  CHECK(t.rounds() == numbers{3, 4, 5});
  CHECK(t.recorded(5) == t.shelf->merges().list());
  CHECK(t.store->list().size() == 4); // the own model of round 5 beside them
  t.begin();
  t.shelf->retain({});
  CHECK(t.rounds() == numbers{3, 4, 5});
  CHECK(t.store->list().size() == 3);
}

TEST_CASE("kept merges go where a round has no room else, and the round goes on") {
  bench t(5'400'000); // five models
  for (std::uint64_t number = 1; number <= 4; ++number)
    REQUIRE(t.round(number));
  CHECK(t.rounds() == numbers{2, 3, 4});
  REQUIRE(t.put(2001)); // as a leader fetches others' models
  REQUIRE(t.put(2002));
  CHECK(t.rounds() == numbers{3, 4}); // the program trains from one, the training goes on from the other
  const auto full = t.put(2003);
  REQUIRE(!full);
  CHECK(full.error().is(merge::merge_errc::store_full));
  CHECK(t.rounds() == numbers{3, 4});
  CHECK(!t.shelf->lacks_room());
  t.shelf->look();
  CHECK(t.shelf->lacks_room());
  CHECK(t.store->take_dropped().empty());
  t.shelf->follow("another");
  CHECK(!t.shelf->lacks_room());
}

TEST_CASE("that merges had to go is noticed before they are forgotten") {
  bench t(5'400'000);
  for (std::uint64_t number = 1; number <= 4; ++number)
    REQUIRE(t.round(number));
  REQUIRE(t.put(2001));
  REQUIRE(t.put(2002));
  t.shelf->see({"ours", 1, 5, t.last, 0});
  CHECK(t.shelf->lacks_room());
}

TEST_CASE("a shelf that is made anew in a session lets nothing go before it knows what that needs") {
  bench t(5'400'000);
  for (std::uint64_t number = 1; number <= 4; ++number)
    REQUIRE(t.round(number));
  t.recorded(4);
  t.begin();
  t.shelf->begin_midway();
  t.shelf->follow("ours");
  REQUIRE(t.put(2001));
  CHECK(!t.put(2002));
  CHECK(t.rounds() == numbers{2, 3, 4});
  t.shelf->retain({t.last});
  CHECK(t.put(2002));
  CHECK(t.rounds() == numbers{2, 3, 4});
}

} // namespace merge_shelf_test
