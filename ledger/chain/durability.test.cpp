#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/store/kv_store.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

namespace durability_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

/// A running durability_child with pipes to its input and output.
class child_process {
public:
  child_process(const char* mode, const std::filesystem::path& dir) {
    int in[2];
    int out[2];
    REQUIRE(pipe(in) == 0);
    REQUIRE(pipe(out) == 0);
    auto path = dir.string();
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (int fd : {in[0], in[1], out[0], out[1]})
        close(fd);
      execl(LEDGER_DURABILITY_CHILD, LEDGER_DURABILITY_CHILD, mode, path.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = fdopen(out[0], "r");
  }
  ~child_process() { kill(); }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// The next line, empty at the end of the output.
  std::string line() {
    std::string text;
    for (int c = std::fgetc(out_); c != EOF && c != '\n'; c = std::fgetc(out_))
      text.push_back(static_cast<char>(c));
    return text;
  }
  /// Sends SIGKILL. What was written to the pipe before can still be read.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(in_);
    pid_ = -1;
  }

private:
  pid_t pid_ = -1;
  int in_ = -1;
  FILE* out_ = nullptr;
};

/// Every block with everything that belongs to it; a second chain executes all of them anew.
void check_whole(chain& on, chain& twin) {
  auto head = on.head()->header.block_num;
  for (std::uint64_t num = twin.head()->header.block_num + 1; num <= head; ++num) {
    auto block = *on.block_by_num(num);
    REQUIRE(block);
    REQUIRE((*on.seals_of(num))->seals.size() == 1);
    auto imported = twin.import_block(block->content(), {});
    if (!imported) FAIL(imported.error().message);
    REQUIRE((*on.block_by_hash(block->hash))->header.block_num == num);
    for (std::size_t i = 0; i < block->txns.size(); ++i) {
      auto place = *on.find_txn(block->txns[i].hash());
      REQUIRE(place);
      CHECK(place->block->header.block_num == num);
      CHECK(place->index == i);
      CHECK(place->block->outcomes[i].consensus == (*imported)->outcomes[i].consensus);
    }
  }
  auto logs = on.logs({.to_block = head});
  auto twin_logs = twin.logs({.to_block = head});
  REQUIRE(logs);
  CHECK(logs->size() == twin_logs->size());
  // Every slot the writer used, down to the leaves of the state.
  for (std::uint64_t slot = 0; slot < 50; ++slot)
    CHECK(*on.storage_of(test_address(), word(slot)) == *twin.storage_of(test_address(), word(slot)));
}

} // namespace

TEST_CASE("killed at any instant, a chain loses nothing it reported and is whole") {
  temp_dir dirs;
  auto twin = *chain::open(test_options(dirs / "twin"));
  seeded_random random(20);
  std::uint64_t reported = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    {
      child_process writer("write", dirs / "a");
      // Kill it while it opens, or while it writes some block, at some point of its work.
      for (auto lines = random.below(20); lines > 0; --lines)
        if (auto text = writer.line(); text != "open") reported = std::stoull(text);
      for (auto spin = random.below(3'000'000); spin > 0; --spin)
        random();
      writer.kill();
      for (auto text = writer.line(); !text.empty(); text = writer.line())
        if (text != "open") reported = std::stoull(text);
    }
    auto on = chain::open(test_options(dirs / "a"));
    if (!on) FAIL(on.error().message);
    CHECK((*on)->head()->header.block_num >= reported);
    CHECK((*on)->head()->header.block_num <= reported + 1);
    check_whole(**on, *twin);
    reported = (*on)->head()->header.block_num;
  }
  CHECK(reported > 20);
}

TEST_CASE("a directory belongs to one process, and the message says so") {
  temp_dir dirs;
  child_process holder("hold", dirs / "a");
  REQUIRE(holder.line() == "open");
  auto second = chain::open(test_options(dirs / "a"));
  REQUIRE_FALSE(second);
  CHECK(second.error().is(store_errc::locked));
  CHECK(says(second.error(), (dirs / "a").string()));
  CHECK(says(second.error(), "another process"));
  holder.kill();
  auto first = chain::open(test_options(dirs / "a"));
  REQUIRE(first);
  CHECK(chain::open(test_options(dirs / "a")).error().is(store_errc::locked));
}

TEST_CASE("the directory of another chain is refused and left alone") {
  temp_dir dirs;
  hash32 genesis = (*chain::open(test_options(dirs / "a")))->genesis_hash();
  auto refused = [&](auto change, std::string_view words) {
    auto options = test_options(dirs / "a");
    change(options);
    auto opened = chain::open(options);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().is(chain_errc::other_chain));
    CHECK(says(opened.error(), words));
    CHECK(says(opened.error(), (dirs / "a").string()));
  };
  refused([](auto& o) { o.genesis->chain_id = 5; }, "chain id");
  refused([](auto& o) { o.genesis->validators[0] = test_key(2).account(); }, "validators");
  refused([](auto& o) { o.genesis->timestamp = 5; }, "timestamp");
  refused(
      [](auto& o) {
        o.genesis->founders = {{"one", {hash32(word(1))}, {test_key(1).account()}}};
      },
      "founders");
  refused([](auto& o) { o.genesis->block_gas_limit -= 5; }, "gas limit");
  refused([](auto& o) { o.contracts.genesis[0].storage[0].second = word(1); }, "contracts");
  CHECK((*chain::open(test_options(dirs / "a")))->genesis_hash() == genesis);
}

TEST_CASE("a directory of a newer version is refused") {
  temp_dir dirs;
  REQUIRE(chain::open(test_options(dirs / "a")));
  {
    auto tables = kv_store::open({.dir = dirs / "a"});
    REQUIRE(tables);
    kv_batch batch;
    std::array<std::uint8_t, 8> newer{};
    newer[7] = store_schema + 1;
    batch.put(column::meta, as_bytes("schema"), newer);
    REQUIRE((*tables)->write(batch));
  }
  auto opened = chain::open(test_options(dirs / "a"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().is(store_errc::newer_schema));
  CHECK(says(opened.error(), "newer swarmd"));
}

TEST_CASE("damaged directories are refused, with a word on what to do") {
  temp_dir dirs;
  auto damaged = [&](std::string_view name, auto damage) {
    auto dir = dirs / name;
    {
      auto on = *chain::open(test_options(dir));
      for (std::uint64_t nonce = 0; nonce < 5; ++nonce) {
        REQUIRE(on->submit(make_txn(test_key(9), nonce, input_of(op::store, word(nonce), word(1)))));
        REQUIRE(seal_block(*on));
      }
    }
    REQUIRE(chain::open(test_options(dir))); // a second start moves everything into table files
    damage(dir);
    auto opened = chain::open(test_options(dir));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().is(store_errc::damaged));
    CHECK(says(opened.error(), "restore"));
  };
  damaged("no-index", [](const auto& dir) { std::filesystem::remove(dir / "CURRENT"); });
  damaged("no-manifest", [](const auto& dir) {
    for (const auto& file : std::filesystem::directory_iterator(dir))
      if (file.path().filename().string().starts_with("MANIFEST")) std::filesystem::remove(file);
  });
  damaged("no-tables", [](const auto& dir) {
    for (const auto& file : std::filesystem::directory_iterator(dir))
      if (file.path().extension() == ".sst") std::filesystem::remove(file);
  });
  damaged("no-head", [](const auto& dir) {
    auto tables = kv_store::open({.dir = dir});
    kv_batch batch;
    batch.erase(column::meta, as_bytes("head"));
    REQUIRE((*tables)->write(batch));
  });
  damaged("no-block", [](const auto& dir) {
    auto tables = kv_store::open({.dir = dir});
    kv_batch batch;
    batch.erase(column::receipts, bytes{0, 0, 0, 0, 0, 0, 0, 5});
    REQUIRE((*tables)->write(batch));
  });
  damaged("no-state", [](const auto& dir) {
    auto tables = kv_store::open({.dir = dir});
    kv_batch batch;
    auto nodes = (*tables)->walk(column::trie_nodes);
    for (bool more = nodes.seek({}); more; more = nodes.next())
      batch.erase(column::trie_nodes, nodes.key());
    REQUIRE((*tables)->write(batch));
  });
}

TEST_CASE("a directory that cannot be made or written is an error") {
  temp_dir dirs;
  std::ofstream(dirs / "file") << "x";
  auto opened = chain::open(test_options(dirs / "file" / "below"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().is(store_errc::io));
}

TEST_CASE("a disk that takes no more fails the commit, and the chain goes on when there is room") {
  temp_dir dirs;
  std::uint64_t head = 0;
  {
    child_process writer("fill", dirs / "a");
    REQUIRE(writer.line() == "open");
    auto failed = writer.line();
    CHECK(failed.starts_with("failed "));
    CHECK(says(failed, (dirs / "a").string()));
    CHECK(writer.line() == "failed again");
    CHECK(writer.line() == "failed again");
    CHECK(writer.line() == "head stays");
    CHECK(writer.line() == "recovered");
  }
  auto on = *chain::open(test_options(dirs / "a"));
  auto twin = *chain::open(test_options(dirs / "twin"));
  check_whole(*on, *twin);
  head = on->head()->header.block_num;
  CHECK(head > 10);
}

TEST_CASE("commits stop before the disk is full and go on by themselves") {
  temp_dir dirs;
  { REQUIRE(chain::open(test_options(dirs / "a"))); }
  auto options = test_options(dirs / "a");
  options.space_reserve_bytes = std::uint64_t{1} << 62;
  auto on = *chain::open(options);
  REQUIRE(on->submit(make_txn(test_key(9), 0, {})));
  auto made = *on->build_block(1, test_key(1).account(), 10);
  auto full = on->commit(made, {});
  REQUIRE_FALSE(full);
  CHECK(full.error().is(store_errc::disk_full));
  CHECK(on->head()->header.block_num == 0);
  CHECK(on->has_executable());
  CHECK(on->commit(made, {}).error().is(store_errc::disk_full));
}

TEST_CASE("records of consensus survive, alone and together with a block") {
  temp_dir dirs;
  auto options = test_options(dirs / "a");
  hash32 told;
  options.first_records = [&told](const hash32& genesis) {
    told = genesis;
    return std::vector<consensus_record>{{"place", {1}}};
  };
  const auto opened = [&] { return chain::open(options).value(); };
  {
    auto base = opened();
    CHECK(told == base->genesis_hash());
    CHECK(base->record_of("place").value() == bytes{1});
    CHECK(base->record_of("vote").value() == std::nullopt);
    const std::vector<consensus_record> vote{{"vote", {7}}, {"certificate", {8}}};
    REQUIRE(base->write_records(vote));
    REQUIRE(base->submit(make_txn(test_key(2), 0, bytes{}).raw()));
    auto made = base->build_block(0, test_key(1).account(), 10);
    REQUIRE(made);
    const std::vector<consensus_record> next{{"place", {2}}};
    REQUIRE(base->commit(*made, {}, next));
  }
  auto again = opened();
  CHECK(again->head()->header.block_num == 1);
  CHECK(again->record_of("place").value()
        == bytes{2}); // the first ones are for a chain made here, not for this
  CHECK(again->record_of("vote").value() == bytes{7});
  CHECK(again->record_of("certificate").value() == bytes{8});
}

} // namespace durability_test
