#include "base/file.hpp"
#include "base/testing/power_cuts.hpp"
#include "merge/store/model_store.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

#include <map>

namespace store_power_loss_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::cut_everywhere;
using swarm::testing::cut_plan;
using swarm::testing::disk_replay;
using swarm::testing::loss;

namespace {

/// A model of `elements` numbers, different for every seed.
std::shared_ptr<const model_file> some_model(model_store& store, std::uint64_t seed, std::size_t elements) {
  std::vector<float> values(elements);
  for (std::size_t i = 0; i < elements; ++i)
    values[i] = static_cast<float>(seed * elements + i + 1); // no zeros, which a cut would leave as they are
  return store_model(store, {{"w", dtype::f32, {elements}, raw_of(values)}});
}

/// A store on a recorded disk, and what is known about each of its models; times are counted in changes
/// of the disk.
class history {
public:
  struct life {
    bytes content;
    std::size_t promised = SIZE_MAX; ///< from then on it must not be lost
    std::size_t removed = SIZE_MAX;  ///< from then on it may be
  };

  explicit history(const std::string& folder)
      : store_(open_store(folder)), disk_(std::filesystem::path(folder)) {}

  hash32 put(std::uint64_t seed, std::size_t elements) {
    const auto model = some_model(store_, seed, elements);
    lives_[model->digest()] = {.content = to_bytes(model->raw())}; // perhaps not for the first time
    return model->digest();
  }
  void promise(const hash32& digest) {
    REQUIRE(store_.make_durable(digest));
    lives_[digest].promised = disk_.record().changes();
  }
  void retain(const std::set<hash32>& keep) {
    for (auto& [digest, known] : lives_)
      if (!keep.contains(digest)) known.removed = std::min(known.removed, disk_.record().changes());
    store_.retain(keep);
  }
  model_store& store() { return store_; }
  const swarm::testing::disk_record& disk() const { return disk_.record(); }
  const std::map<hash32, life>& lives() const { return lives_; }

private:
  model_store store_;
  swarm::testing::watched_folder disk_;
  std::map<hash32, life> lives_;
};

/// Three rounds of a peer: its own model, another peer's, the merge; then old models are removed.
void live(history& past) {
  hash32 merged;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto own = past.put(10 * round, round == 2 ? 300'000 : 500); // one has several chunks
    past.promise(own);
    const auto fetched = past.put(10 * round + 1, 500); // nobody is told of it by this node
    auto given_up = past.store().create(5000);
    REQUIRE(given_up->write(bytes(3000, 1)));
    const auto before = merged;
    merged = past.put(10 * round + 2, 500);
    past.promise(merged);
    past.promise(merged); // a second time costs nothing
    past.retain({own, merged, before});
    past.put(10 * round + 1, 500); // and comes back
    past.promise(fetched);
  }
}

/// Opens what a cut left and checks that everything promised is there and that nothing else is taken
/// for a model.
void check_promises(const history& past, std::size_t at, const std::filesystem::path& folder) {
  auto store = open_store(folder.string());
  for (const auto& [digest, known] : past.lives()) {
    const auto model = store.open(digest);
    if (known.promised <= at && known.removed >= at) REQUIRE_MESSAGE(model, model.error().message);
    if (model)
      REQUIRE(std::equal(known.content.begin(), known.content.end(), (*model)->raw().begin(),
                         (*model)->raw().end()));
  }
  for (const auto& digest : store.list())
    REQUIRE(past.lives().contains(digest)); // those that did not open are gone from the list
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    REQUIRE(!entry.path().filename().string().starts_with(".unfinished"));
  // A model that was lost can be stored again.
  REQUIRE(store.make_durable(some_model(store, 10, 500)->digest()));
}

} // namespace

TEST_CASE(
    "a power cut at any change of the disk takes no model that was promised, and leaves no half of one") {
  const temp_directory parent;
  history past(parent.file("recorded"));
  live(past);
  cut_plan plan(3);
  const auto cuts =
      cut_everywhere(past.disk(), parent.file("cut"), plan,
                     [&](std::size_t at, const auto& folder) { check_promises(past, at, folder); });
  MESSAGE(past.disk().changes(), " changes of the disk, ", cuts, " power cuts");
  CHECK(cuts > 100);
}

TEST_CASE("a model that nobody was promised may be lost, whole") {
  const temp_directory parent;
  history past(parent.file("recorded"));
  const auto digest = past.put(1, 500);
  disk_replay replay(past.disk());
  replay.go_to(past.disk().changes());
  replay.write(loss::everything, 0, parent.file("cut"));
  CHECK(open_store(parent.file("cut")).open(digest).error().is(errc::not_found));
}

TEST_CASE("a store whose syncs do nothing is found out") {
  const temp_directory parent;
  history past(parent.file("recorded"));
  const auto digest = past.put(1, 500);
  past.promise(digest);
  disk_replay lying(past.disk());
  lying.ignore_syncs();
  lying.go_to(past.disk().changes());
  lying.write(loss::everything, 0, parent.file("cut"));
  CHECK(!open_store(parent.file("cut")).open(digest));
}

TEST_CASE("a model is brought to disk once, and what is not there cannot be") {
  const temp_directory parent;
  history past(parent.file("recorded"));
  const auto digest = past.put(1, 500);
  past.promise(digest);
  const auto after = past.disk().changes();
  past.promise(digest);
  CHECK(past.disk().changes() == after);
  CHECK(past.store().make_durable(hash32{}).error().is(errc::not_found));
  // The same bytes in a new file, which has not been brought to disk.
  REQUIRE(past.store().remove(digest));
  REQUIRE(past.put(1, 500) == digest);
  const auto written = past.disk().changes();
  past.promise(digest);
  CHECK(past.disk().changes() == written + 2);
}

} // namespace store_power_loss_test
