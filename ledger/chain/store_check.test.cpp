#include "ledger/chain/store_check.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/formats/rlp.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>

namespace store_check_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

constexpr std::uint64_t blocks = 30;

/// A chain with a bit of everything: slots, logs, reverts.
void make_chain(const std::filesystem::path& dir) {
  auto on = chain::open(test_options(dir)).value();
  for (std::uint64_t i = 0; i < blocks; ++i) {
    REQUIRE(on->submit(make_txn(test_key(9), 3 * i, input_of(op::store, word(i % 20), word(i + 1)))));
    REQUIRE(on->submit(make_txn(test_key(9), 3 * i + 1, input_of(op::emit, word(i % 4), word(i)))));
    REQUIRE(on->submit(make_txn(test_key(9), 3 * i + 2, input_of(op::revert, word(1), word(2)))));
    REQUIRE(seal_block(*on, i));
  }
}

store_check_options check_options(const std::filesystem::path& dir) {
  return {.dir = dir, .contracts = test_contracts(), .progress = {}};
}

bytes number(std::uint64_t value) {
  bytes out(8);
  put_be64(out.data(), value);
  return out;
}

/// Key and value of the entry number `which` of a column.
std::pair<bytes, bytes> entry_of(kv_store& tables, column where, std::size_t which) {
  auto walk = tables.walk(where);
  REQUIRE(walk.seek({}));
  for (; which > 0; --which)
    REQUIRE(walk.next());
  return {to_bytes(walk.key()), to_bytes(walk.value())};
}

void write(kv_store& tables, column where, bytes_view key, std::optional<bytes> value) {
  kv_batch batch;
  if (value)
    batch.put(where, key, *value);
  else
    batch.erase(where, key);
  REQUIRE(tables.write(batch));
}

/// The chain that `make_chain` made can be opened and goes on.
void check_goes_on(const std::filesystem::path& dir) {
  auto on = chain::open(test_options(dir));
  if (!on) FAIL(on.error().message);
  CHECK((*on)->head()->header.block_num == blocks);
  REQUIRE((*on)->submit(make_txn(test_key(9), 3 * blocks, input_of(op::store, word(1), word(7)))));
  REQUIRE(seal_block(**on, 1000));
}

bool names(const store_report& report, column where) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const auto& one) { return one.where == where; });
}

std::vector<std::filesystem::path> tables_in(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> out;
  for (const auto& file : std::filesystem::directory_iterator(dir))
    if (file.path().extension() == ".sst") out.push_back(file.path());
  std::sort(out.begin(), out.end());
  return out;
}

class damage_test {
public:
  damage_test() {
    make_chain(dirs_ / "good");
    chain::open(test_options(dirs_ / "good")).value(); // a second start moves everything into table files
  }

  /// Damages a copy of the good store and checks what is found.
  template <class Damage>
  std::filesystem::path damaged(const Damage& damage) {
    auto dir = dirs_ / std::to_string(++serial_);
    std::filesystem::copy(dirs_ / "good", dir);
    auto tables = kv_store::open({.dir = dir}).value();
    damage(*tables);
    return dir;
  }
  std::filesystem::path copy() {
    return damaged([](kv_store&) {});
  }

private:
  fast_dir dirs_;
  int serial_ = 0;
};

} // namespace

TEST_CASE("a store that nothing happened to is sound") {
  damage_test test;
  const auto dir = test.copy();
  std::vector<std::string> lines;
  auto options = check_options(dir);
  options.progress = [&](const std::string& line) { lines.push_back(line); };
  const auto report = check_store(options);
  if (!report) FAIL(report.error().message);
  CHECK_MESSAGE(report->sound(), verdict(*report));
  CHECK(report->head_num == blocks);
  CHECK(report->txns == 3 * blocks);
  CHECK(report->trie_nodes > blocks);
  CHECK(verdict(*report).starts_with("sound: 31 blocks, 90 transactions"));
  CHECK(lines.size() > 3);
  const auto repaired = repair_store(options); // needless, and harmless
  if (!repaired) FAIL(repaired.error().message);
  CHECK_MESSAGE(repaired->sound(), verdict(*repaired));
  CHECK(repaired->trie_nodes == report->trie_nodes);
  check_goes_on(dir);
}

TEST_CASE("what is missing or changed in what follows from the blocks is named and made anew") {
  damage_test test;
  for (const auto where : {column::receipts, column::outputs, column::block_nums, column::trie_nodes,
                           column::code, column::txn_index, column::log_index}) {
    const auto name = to_string(where);
    CAPTURE(name);
    const std::size_t which = where == column::code ? 0 : 12;
    for (const std::string_view how : {"missing", "changed", "foreign", "cleared"}) {
      if (where == column::log_index && how == "changed") continue; // its values are empty
      if ((where == column::trie_nodes || where == column::code) && how == "foreign") continue; // harmless
      CAPTURE(how);
      const auto dir = test.damaged([&](kv_store& tables) {
        auto [key, value] = entry_of(tables, where, which);
        if (how == "missing") return write(tables, where, key, std::nullopt);
        if (how == "cleared") {
          REQUIRE(tables.clear(where));
          return;
        }
        if (how == "changed") { // no root covers revert data, so only its form can be wrong
          value[where == column::outputs ? 0 : value.size() / 2] ^= 1;
        } else {
          key[key.size() == 8 ? 0 : key.size() / 2] ^= 1;
        }
        write(tables, where, key, value);
      });
      const auto report = check_store(check_options(dir));
      if (!report) FAIL(report.error().message);
      CHECK_FALSE(report->sound());
      CHECK(names(*report, where));
      CHECK(report->repairable());
      CHECK(verdict(*report).find("--repair") != std::string::npos);
      if (where == column::receipts && how != "cleared") {
        const auto text = to_string(report->findings.front());
        CHECK(text.starts_with(how == "foreign" ? "column receipts, block 0" : "column receipts, block 12"));
      }
      const auto repaired = repair_store(check_options(dir));
      if (!repaired) FAIL(repaired.error().message);
      CHECK_MESSAGE(repaired->sound(), verdict(*repaired));
      check_goes_on(dir);
    }
  }
}

TEST_CASE("a lost or wrong head is found again by the headers") {
  damage_test test;
  for (const bool lost : {true, false}) {
    CAPTURE(lost);
    const auto dir = test.damaged([&](kv_store& tables) {
      auto head = *tables.get(column::meta, as_bytes("head")).value();
      head[20] ^= 1;
      write(tables, column::meta, as_bytes("head"), lost ? std::nullopt : std::optional(head));
    });
    CHECK(chain::open(test_options(dir)).error().is(store_errc::damaged));
    const auto report = check_store(check_options(dir)).value();
    CHECK(names(report, column::meta));
    CHECK(report.repairable());
    CHECK(repair_store(check_options(dir)).value().sound());
    check_goes_on(dir);
  }
}

TEST_CASE("what nothing else tells is refused, with where it is and what to do") {
  damage_test test;
  for (const auto where : {column::headers, column::bodies, column::seals}) {
    const auto name = std::string(to_string(where));
    CAPTURE(name);
    for (const std::string_view how : {"missing", "changed", "of another block"}) {
      CAPTURE(how);
      const auto dir = test.damaged([&](kv_store& tables) {
        auto value = *tables.get(where, number(12)).value();
        if (how == "changed") value[value.size() - 9] ^= 1;
        if (how == "of another block") value = *tables.get(where, number(13)).value();
        write(tables, where, number(12), how == "missing" ? std::nullopt : std::optional(value));
      });
      const auto report = check_store(check_options(dir));
      if (!report) FAIL(report.error().message);
      CHECK_FALSE(report->sound());
      CHECK_FALSE(report->repairable());
      // A changed header of block 12 may show in what stands on it.
      const auto text = to_string(report->findings.front());
      CHECK(text.starts_with("column " + name + ", block 1"));
      CHECK(verdict(*report).find("move the directory away") != std::string::npos);
      const auto repaired = repair_store(check_options(dir));
      REQUIRE_FALSE(repaired);
      CHECK(repaired.error().is(store_errc::damaged));
      CHECK(says(repaired.error(), dir.string()));
      CHECK(says(repaired.error(), "move the directory away"));
    }
  }
  const auto identity = test.damaged([](kv_store& tables) {
    write(tables, column::meta, as_bytes("genesis_params"), bytes{1, 2, 3});
  });
  CHECK(says(check_store(check_options(identity)).error(), "column meta"));
  for (const auto& [version, words] : std::map<std::uint64_t, std::string>{
           {2, "made by swarmd 0.1, and this swarmd has other rules: begin a new one"},
           {3, "made by swarmd 0.1, and this swarmd has other rules: begin a new one"},
           {4, "made by swarmd 0.1, and this swarmd has other rules: begin a new one"},
           {11, "made by a newer swarmd"}}) {
    const auto of_another = test.damaged([&, number = version](kv_store& tables) {
      rlp_writer params;
      params.begin_list().number(number).number(5).end_list();
      write(tables, column::meta, as_bytes("genesis_params"), params.take());
    });
    for (const auto& refusal :
         {check_store(check_options(of_another)).error(), chain::open(test_options(of_another)).error()}) {
      CHECK(refusal.is(chain_errc::other_version));
      CHECK(says(refusal, words));
      CHECK(says(refusal, of_another.string()));
    }
  }
  const auto other = test.copy();
  auto options = check_options(other);
  options.contracts.genesis[0].storage.clear();
  CHECK(check_store(options).error().is(chain_errc::other_chain));
}

TEST_CASE("an interrupted repair is noticed, and goes on when it is run again") {
  damage_test test;
  const auto dir = test.damaged([](kv_store& tables) {
    write(tables, column::meta, as_bytes("under_repair"), bytes{});
    for (const auto where : {column::trie_nodes, column::txn_index, column::receipts})
      REQUIRE(tables.clear(where));
    auto head = number(11); // as far as the repair had come
    append(head, keccak256(*tables.get(column::headers, number(11)).value()).view());
    write(tables, column::meta, as_bytes("head"), head);
  });
  const auto opened = chain::open(test_options(dir));
  REQUIRE_FALSE(opened);
  CHECK(says(opened.error(), "--verify-store --repair"));
  CHECK(check_store(check_options(dir)).error().is(store_errc::damaged));
  CHECK(repair_store(check_options(dir)).value().sound());
  check_goes_on(dir);
}

TEST_CASE("a start looks at the last blocks and names what lacks") {
  damage_test test;
  for (const auto where : {column::headers, column::bodies, column::receipts, column::seals}) {
    const auto dir = test.damaged([&](kv_store& tables) { write(tables, where, number(25), std::nullopt); });
    const auto opened = chain::open(test_options(dir));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().is(store_errc::damaged));
    CHECK(says(opened.error(), fmt::format("column {}, block 25", to_string(where))));
    CHECK(says(opened.error(), "--verify-store"));
  }
}

TEST_CASE("a table with one wrong byte is never taken for sound") {
  damage_test test;
  const auto count = tables_in(test.copy()).size();
  REQUIRE(count >= 8);
  std::size_t made_anew = 0;
  std::size_t refused = 0;
  for (std::size_t which = 0; which < count; ++which) {
    const auto dir = test.copy();
    const auto file = tables_in(dir).at(which);
    std::fstream content(file, std::ios::in | std::ios::out | std::ios::binary);
    content.seekg(10);
    const auto byte = static_cast<char>(content.get() ^ 1);
    content.seekp(10);
    content.put(byte);
    content.close();
    const auto report = check_store(check_options(dir));
    CHECK((!report || !report->sound()));
    if (!report) CHECK(report.error().is(store_errc::damaged));
    const auto repaired = repair_store(check_options(dir));
    if (repaired) {
      CHECK_MESSAGE(repaired->sound(), verdict(*repaired));
      check_goes_on(dir);
      ++made_anew;
    } else {
      CHECK(repaired.error().is(store_errc::damaged));
      CHECK(says(repaired.error(), "restore"));
      ++refused;
    }
  }
  CHECK(made_anew > 0);
  CHECK(refused > 0);
}

TEST_CASE("files that were cut short are refused, or leave an older chain that is sound") {
  damage_test test;
  std::size_t refused = 0;
  const auto start = test.copy();
  for (const auto& entry : std::filesystem::directory_iterator(start)) {
    const auto name = entry.path().filename().string();
    const bool matters =
        name == "CURRENT" || name.starts_with("MANIFEST") || name.ends_with(".sst") || name.ends_with(".log");
    if (!matters) continue;
    CAPTURE(name);
    const auto dir = test.copy() / "..";
    const auto damaged = std::filesystem::weakly_canonical(dir) / ("cut-" + name);
    std::filesystem::copy(start, damaged);
    std::filesystem::resize_file(damaged / name, std::filesystem::file_size(damaged / name) / 2);
    const auto report = check_store(check_options(damaged));
    if (report) {
      CHECK_MESSAGE(report->sound(), verdict(*report));
      CHECK((name.ends_with(".log") || name.starts_with("MANIFEST")));
    } else {
      CHECK(report.error().is(store_errc::damaged));
      CHECK(says(report.error(), "restore"));
      ++refused;
    }
  }
  CHECK(refused > 8);
}

TEST_CASE("a place without a chain, and a chain in use, are told apart from damage") {
  temp_dir dirs;
  CHECK(check_store(check_options(dirs / "nowhere")).error().is(chain_errc::no_chain));
  CHECK_FALSE(std::filesystem::exists(dirs / "nowhere")); // looking makes nothing
  std::filesystem::create_directory(dirs / "empty");
  CHECK(check_store(check_options(dirs / "empty")).error().is(chain_errc::no_chain));
  CHECK(std::filesystem::is_empty(dirs / "empty"));
  auto on = chain::open(test_options(dirs / "used")).value();
  CHECK(check_store(check_options(dirs / "used")).error().is(store_errc::locked));
  CHECK(repair_store(check_options(dirs / "used")).error().is(store_errc::locked));
}

} // namespace store_check_test
