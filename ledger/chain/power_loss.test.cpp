#include "base/random.hpp"
#include "base/testing/power_cuts.hpp"
#include "ledger/chain/store_check.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/store/recorded_disk.hpp"

#include <doctest/doctest.h>

namespace chain_power_loss_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::cut_everywhere;
using swarm::testing::cut_plan;

namespace {

constexpr std::uint64_t slots = 17;

chain_options small_options(std::filesystem::path dir) {
  auto out = test_options(std::move(dir));
  out.space_reserve_bytes = 0;
  out.limits.store_write_buffer_bytes = 64 * 1024; // so that tables are written and merged all the time
  out.limits.store_log_bytes = 48 * 1024;
  out.first_records = [](const hash32&) {
    return std::vector<consensus_record>{{"place", {0}}, {"vote", {0}}};
  };
  return out;
}

bytes number(std::uint64_t value) {
  return {static_cast<std::uint8_t>(value)};
}

/// What was asked of the chain, and when, counted in changes of the disk's content.
struct promise {
  std::size_t asked = 0;
  std::size_t given = 0; ///< when the chain said that it is on disk
  std::uint64_t value = 0;
};

/// What is certain and what is possible at an instant.
struct bounds {
  std::uint64_t sure = 0;
  std::uint64_t possible = 0;
};

bounds at_instant(const std::vector<promise>& all, std::size_t at) {
  bounds out;
  for (const auto& one : all) {
    if (one.given <= at) out.sure = one.value;
    if (one.asked <= at) out.possible = one.value;
  }
  return out;
}

/// A chain on a recorded disk, and all that it promised.
class history {
public:
  explicit history(const fast_dir& dirs, std::uint64_t keep_states = 0)
      : keep_states_(keep_states), dir_(dirs / "recorded"), disk_(dir_) {
    twin_ = chain::open(small_options(dirs / "twin")).value();
    hashes_.push_back(twin_->genesis_hash());
    reopen();
  }

  void reopen() {
    on_.reset();
    auto options = small_options(dir_);
    options.env = disk_.env();
    options.limits.keep_states = keep_states_;
    options.limits.prune_stamps = 4;
    options.limits.prune_sweeps = 30;
    on_ = chain::open(options).value();
  }
  /// A few parts of it.
  void prune(int parts) {
    for (; parts > 0; --parts)
      REQUIRE(on_->prune());
  }
  std::uint64_t states_from() const { return on_->stats().states_from; }
  void close() { on_.reset(); }

  /// A vote, alone, as consensus writes it between two blocks.
  void vote() {
    promise made{disk_.record().changes(), 0, ++votes_made_};
    const std::vector<consensus_record> records{{"vote", number(votes_made_)}};
    REQUIRE(on_->write_records(records));
    made.given = disk_.record().changes();
    votes_.push_back(made);
  }
  /// One block, as consensus commits it.
  void commit() {
    const auto block = next_block();
    auto candidate =
        on_->validate_block(decode_block(encode_block(block->content()), on_->chain_id()).value());
    REQUIRE(candidate);
    promise made{disk_.record().changes(), 0, block->header.block_num};
    const std::vector<consensus_record> records{{"place", number(block->header.block_num)}};
    REQUIRE(on_->commit(*candidate, *twin_->seals_of(block->header.block_num).value(), records));
    made.given = disk_.record().changes();
    blocks_.push_back(made);
  }
  /// Several blocks, as a late node fetches them.
  void import(std::size_t count) {
    std::vector<bytes> raw;
    std::vector<bytes> seals;
    std::vector<std::vector<consensus_record>> records;
    const auto first = hashes_.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto block = next_block();
      raw.push_back(encode_block(block->content()));
      seals.push_back(encode_seals(*twin_->seals_of(block->header.block_num).value()));
      records.push_back({{"place", number(block->header.block_num)}});
    }
    std::vector<sealed_block_view> range;
    for (std::size_t i = 0; i < count; ++i)
      range.push_back({raw[i], seals[i], records[i]});
    const auto asked = disk_.record().changes();
    const auto done = on_->import_range(first, range);
    if (done.refused) FAIL(done.refused->message);
    REQUIRE(done.blocks.size() == count);
    for (std::size_t i = 0; i < count; ++i)
      blocks_.push_back({asked, disk_.record().changes(), first + i});
  }

  const disk_record& disk() const { return disk_.record(); }
  const std::vector<promise>& blocks() const { return blocks_; }
  const std::vector<promise>& votes() const { return votes_; }
  const hash32& hash_of(std::uint64_t block_num) const { return hashes_[block_num]; }
  chain& twin() const { return *twin_; }

private:
  block_ptr next_block() {
    const auto nonce = twin_->pending_nonce(test_key(9).account()).value();
    const auto num = hashes_.size();
    REQUIRE(twin_->submit(make_txn(test_key(9), nonce, input_of(op::store, word(num % slots), word(num)))));
    REQUIRE(twin_->submit(make_txn(test_key(9), nonce + 1, input_of(op::emit, word(num % 5), word(num)))));
    auto block = seal_block(*twin_, num);
    REQUIRE(block);
    hashes_.push_back((*block)->hash);
    return *block;
  }

  std::uint64_t keep_states_;
  std::filesystem::path dir_;
  recorded_disk disk_;
  std::unique_ptr<chain> twin_; ///< on an ordinary disk, always ahead
  std::unique_ptr<chain> on_;
  std::vector<hash32> hashes_; ///< by block number
  std::vector<promise> blocks_;
  std::vector<promise> votes_;
  std::uint64_t votes_made_ = 0;
};

/// Every block up to the head with all that belongs to it, and the state down to its leaves.
void check_whole(chain& on, const history& past) {
  const auto head = on.head()->header.block_num;
  for (std::uint64_t num = 1; num <= head; ++num) {
    const auto block = on.block_by_num(num).value();
    REQUIRE(block);
    REQUIRE(block->hash == past.hash_of(num));
    REQUIRE(on.seals_of(num).value()->seals.size() == 1);
    REQUIRE(on.block_by_hash(block->hash).value() == block);
    for (const auto& txn : block->txns)
      REQUIRE(on.find_txn(txn.hash()).value()->block == block);
  }
  REQUIRE(on.logs({.to_block = head})->size() == head);
  for (std::uint64_t slot = 0; slot < slots; ++slot)
    REQUIRE(on.storage_of(test_address(), word(slot)).value()
            == past.twin().storage_of(test_address(), word(slot), head).value());
  REQUIRE(on.account_of(test_key(9).account())->nonce == 2 * head);
}

/// The chain goes on from where it is.
void check_next(chain& on) {
  const auto head = on.head()->header.block_num;
  REQUIRE(on.submit(make_txn(test_key(9), 2 * head, input_of(op::store, word(3), word(1000)))));
  REQUIRE(seal_block(on, 100'000));
  REQUIRE(on.head()->header.block_num == head + 1);
  REQUIRE(on.storage_of(test_address(), word(3)).value() == word(1000));
}

/// Nothing is left that the chain would never look at, and nothing is missing.
void check_sound(const std::filesystem::path& dir) {
  const auto report = check_store({.dir = dir, .contracts = test_contracts(), .progress = {}});
  if (!report) FAIL(report.error().message);
  if (!report->sound()) FAIL(verdict(*report));
}

/// Opens what a cut left, without help, and checks that every promise is kept.
void check_promises(const history& past, std::size_t at, const std::filesystem::path& dir) {
  auto opened = chain::open(small_options(dir));
  if (!opened) FAIL(opened.error().message);
  auto& on = **opened;
  const auto head = on.head()->header.block_num;
  const auto blocks = at_instant(past.blocks(), at);
  REQUIRE(head >= blocks.sure);
  REQUIRE(head <= blocks.possible);
  const auto votes = at_instant(past.votes(), at);
  const auto vote = on.record_of("vote").value();
  REQUIRE(vote);
  REQUIRE(vote->front() >= votes.sure);
  REQUIRE(vote->front() <= votes.possible);
  REQUIRE(*on.record_of("place").value() == number(head)); // never without its block
  check_whole(on, past);
  check_next(on);
}

bool mentions(const disk_record& disk, std::string_view first, std::string_view second) {
  for (std::size_t i = 0; i < disk.changes(); ++i)
    if (const auto text = disk.describe(i); text.starts_with(first) && text.ends_with(second)) return true;
  return false;
}

} // namespace

TEST_CASE("a power cut at any change of the disk loses nothing that was promised") {
  fast_dir dirs;
  history past(dirs);
  for (int i = 0; i < 60; ++i) {
    past.vote();
    past.commit();
    if (i % 4 == 3) past.import(6);
    if (i == 31) past.reopen();
  }
  past.close();
  // The store wrote and merged tables, began new logs and threw old ones away meanwhile.
  CHECK(mentions(past.disk(), "create ", ".sst"));
  CHECK(mentions(past.disk(), "remove ", ".sst"));
  CHECK(mentions(past.disk(), "remove ", ".log"));
  cut_plan plan(61);
  const auto cuts = cut_everywhere(past.disk(), dirs / "cut", plan, [&](std::size_t at, const auto& dir) {
    check_promises(past, at, dir);
    check_sound(dir);
  });
  MESSAGE(past.disk().changes(), " changes of the disk, ", cuts, " power cuts");
}

TEST_CASE("a power cut at any change of the disk leaves all states whole that are kept") {
  fast_dir dirs;
  history past(dirs, 8);
  for (int i = 0; i < 60; ++i) {
    past.commit();
    past.prune(4);
    if (i % 8 == 3) past.import(6);
    if (i % 16 == 9) past.reopen();
  }
  REQUIRE(past.states_from() > 60);
  past.close();
  cut_plan plan(59);
  std::uint64_t youngest = 0;
  const auto cuts = cut_everywhere(past.disk(), dirs / "cut", plan, [&](std::size_t at, const auto& dir) {
    if (at >= past.blocks().front().asked) { // there is a chain
      check_sound(dir);
      const auto on = chain::open(small_options(dir)).value();
      const auto first = on->stats().states_from, head = on->head()->header.block_num;
      REQUIRE(first <= head);
      for (auto num = first; num <= head; ++num)
        for (std::uint64_t slot = 0; slot < slots; ++slot)
          REQUIRE(on->storage_of(test_address(), word(slot), num).value()
                  == past.twin().storage_of(test_address(), word(slot), num).value());
      if (first > 0) REQUIRE(on->account_of(test_address(), first - 1).error().is(chain_errc::state_missing));
      for (std::uint64_t num = 0; num < first; ++num)
        REQUIRE(on->validators_after(num).value() == past.twin().validators_after(num).value());
      youngest = std::max(youngest, first);
    }
    check_promises(past, at, dir);
    check_sound(dir);
  });
  CHECK(youngest > 60);
  MESSAGE(past.disk().changes(), " changes of the disk, ", cuts, " power cuts");
}

TEST_CASE("a second power cut, while the store recovers from the first, loses nothing either") {
  fast_dir dirs;
  history past(dirs);
  for (int i = 0; i < 6; ++i) {
    past.vote();
    past.commit();
  }
  past.import(20);
  past.vote();
  past.close();
  cut_plan first(97);
  cut_plan second(23);
  std::size_t cuts = 0;
  cut_everywhere(past.disk(), dirs / "first", first, [&](std::size_t at, const auto& dir) {
    recorded_disk recovering(dir);
    {
      auto options = small_options(dir);
      options.env = recovering.env();
      auto on = chain::open(options);
      if (!on) FAIL(on.error().message);
    }
    cuts += cut_everywhere(recovering.record(), dirs / "second", second,
                           [&](std::size_t, const auto& again) { check_promises(past, at, again); });
  });
  MESSAGE(cuts, " second power cuts");
}

TEST_CASE("a store whose syncs do nothing is found out") {
  fast_dir dirs;
  history past(dirs);
  for (int i = 0; i < 5; ++i)
    past.commit();
  const auto end = past.disk().changes();
  disk_replay honest(past.disk());
  honest.go_to(end);
  honest.write(loss::everything, 0, dirs / "honest");
  CHECK(chain::open(small_options(dirs / "honest")).value()->head()->header.block_num == 5);
  disk_replay lying(past.disk());
  lying.ignore_syncs();
  lying.go_to(end);
  lying.write(loss::everything, 0, dirs / "lying");
  const auto opened = chain::open(small_options(dirs / "lying"));
  CHECK((!opened || (*opened)->head()->header.block_num < at_instant(past.blocks(), end).sure));
}

} // namespace chain_power_loss_test
