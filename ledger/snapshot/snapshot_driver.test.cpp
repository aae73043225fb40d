#include "ledger/snapshot/snapshot_driver.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/store_check.hpp"
#include "ledger/snapshot/snapshot_server.hpp"
#include "ledger/snapshot/testing/snapshot_fixture.hpp"

#include <doctest/doctest.h>

namespace snapshot_driver_test {

using namespace swarm;
using namespace swarm::sync;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using namespace swarm::sync::test;
using namespace std::chrono_literals;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

enum class conduct { honest, dead, junk, stateless, other_state, old_proof };

/// A node that takes a snapshot from neighbors that all have the same chain.
struct taker {
  std::filesystem::path where;
  std::unique_ptr<chain> on;
  std::unique_ptr<snapshot_driver> driver;
  std::vector<std::pair<chain*, conduct>> neighbors;
  time_point now{};
  std::uint64_t gap = 20;
  std::set<neighbor_id> useless, liars;
  std::vector<std::string> reports;
  block_ptr adopted;
  std::size_t answers = 0;
  std::size_t questions = 0;
  std::optional<error> fork;
  std::function<void(const question&)> before_answer;
  bool refuses_proofs = false, keeps_useless = false;

  explicit taker(std::filesystem::path dir) : where(std::move(dir)) { open(); }
  void open() {
    driver.reset();
    on.reset();
    auto opened = chain::open(options_for(where));
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    on = std::move(*opened);
    driver_options options;
    options.snapshot = {.gather = 0s, .nodes_asked = 20, .batch_bytes = 2000};
    options.history = {.range_blocks = 16};
    driver = std::make_unique<snapshot_driver>(*on, options);
  }
  /// The store is whole but for what the snapshot left out.
  void check_store() {
    driver.reset();
    on.reset();
    const auto report = ledger::check_store({.dir = where, .contracts = options_for(where).contracts});
    REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
    CHECK_MESSAGE(report->sound(), verdict(*report));
    open();
  }
  std::uint64_t head_num() const { return on->head()->header.block_num; }

  void offer() {
    std::vector<neighbor_claim> all, far;
    for (neighbor_id id = 0; id < neighbors.size(); ++id) {
      all.push_back({id, neighbors[id].first->head()->header.block_num});
      if (all.back().block_num > head_num() + gap && (keeps_useless || !useless.contains(id)))
        far.push_back(all.back());
    }
    driver->set_neighbors(all, far, now);
  }
  std::optional<bytes> answer_of(neighbor_id neighbor, const question& asked) {
    const auto& [from, how] = neighbors[neighbor];
    const bool state = std::holds_alternative<state_question>(asked);
    if (how == conduct::dead) return std::nullopt;
    if (refuses_proofs && std::holds_alternative<trust_question>(asked)) return std::nullopt;
    if (how == conduct::junk) return bytes{0xc1, 0x01};
    if (how == conduct::stateless && state) return encode(state_answer{});
    if (how == conduct::other_state && state) return encode(state_answer{{bytes(50, 5)}});
    if (how == conduct::old_proof && std::holds_alternative<trust_question>(asked)) {
      chain_snapshots snapshots(*from);
      return encode(trust_answer{{}, *snapshots.handover_at(5)});
    }
    auto out = answer_part(*from, change, encode(asked), 30'000);
    REQUIRE(out);
    return *out;
  }
  /// Until all that is to be done is done, or `enough`.
  template <class Enough>
  void run(const Enough& enough) {
    for (int turn = 0; turn < 2000 && !enough(); ++turn) {
      offer();
      for (;;) {
        auto out = driver->take();
        REQUIRE_FALSE(out.broken);
        for (const auto& each : out.useless) {
          useless.insert(each.neighbor);
          if (each.lied) liars.insert(each.neighbor);
        }
        for (const auto& each : out.liars)
          liars.insert(each.neighbor);
        for (auto& text : out.reports)
          reports.push_back(std::move(text));
        if (out.adopted) adopted = out.adopted;
        if (out.fork) fork = out.fork;
        for (const auto& ask : out.asks) {
          ++questions;
          if (before_answer) before_answer(ask.what);
          if (const auto raw = answer_of(ask.neighbor, ask.what)) {
            ++answers;
            driver->on_part(ask.neighbor, ask.tag, *raw, now);
          }
          if (enough()) return;
        }
        if (out.asks.empty()) break;
      }
      now += 1s;
      driver->tick(now);
    }
    CHECK(enough());
  }
  void run_all() {
    run([&] { return adopted && on->history_complete() && !driver->active(); });
  }
};

/// Everything that can be asked of a chain is the same, up to `last`; states from `pivot` on.
void check_same(const chain& a, const chain& b, std::uint64_t pivot, std::uint64_t last) {
  for (std::uint64_t i = 0; i <= last; ++i) {
    const auto x = a.block_by_num(i), y = b.block_by_num(i);
    REQUIRE(x);
    REQUIRE(y);
    REQUIRE(*y);
    CHECK((*x)->hash == (*y)->hash);
    CHECK((*x)->txns.size() == (*y)->txns.size());
    for (std::size_t t = 0; t < (*x)->txns.size(); ++t) {
      CHECK((*x)->outcomes[t].consensus == (*y)->outcomes[t].consensus);
      CHECK((*x)->outcomes[t].gas_used == (*y)->outcomes[t].gas_used);
      CHECK((*x)->txns[t].sender() == (*y)->txns[t].sender());
      const auto place = b.find_txn((*x)->txns[t].hash());
      REQUIRE(place);
      REQUIRE(*place);
      CHECK((*place)->index == t);
    }
    CHECK(*a.seals_of(i) == *b.seals_of(i));
    CHECK(*a.validators_after(i) == *b.validators_after(i));
    const auto account = b.account_of(test_address(), i);
    if (i == 0 || i >= pivot)
      CHECK(*account == *a.account_of(test_address(), i));
    else
      CHECK(account.error().is(chain_errc::state_missing));
  }
  const log_filter all{.from_block = 0, .to_block = last, .addresses = {test_address()}, .topics = {}};
  const auto x = a.logs(all), y = b.logs(all);
  REQUIRE(x);
  REQUIRE(y);
  CHECK(x->size() == y->size());
}

} // namespace

TEST_CASE("a chain is taken by snapshot, goes on, and gets its history") {
  source from(100);
  temp_dir dir;
  taker node(dir / "taker");
  node.neighbors = {{from.on.get(), conduct::honest}, {from.on.get(), conduct::honest}};
  node.run([&] { return node.adopted != nullptr; });
  CHECK(node.head_num() == 80);
  CHECK(node.adopted->header.state_root == (*from.on->block_by_num(80))->header.state_root);
  CHECK(*node.on->account_of(test_address()) == *from.on->account_of(test_address(), 80));
  CHECK(*node.on->storage_of(test_address(), word(100)) == word(700));

  // The blocks that follow are executed, as ever.
  for (std::uint64_t i = 81; i <= 100; ++i) {
    const auto block = *from.on->block_by_num(i);
    const auto taken = node.on->import_block(block->content(), **from.on->seals_of(i));
    REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().message));
  }
  CHECK(node.on->head()->hash == from.on->head()->hash);
  node.check_store();

  CHECK(node.on->block_by_num(40).error().is(chain_errc::history_missing));
  CHECK(wording(node.on->block_by_num(40).error()).starts_with("block 40 is not here yet"));
  CHECK(node.on->header_by_num(40).error().is(chain_errc::history_missing));
  CHECK(node.on->block_by_hash((*from.on->block_by_num(40))->hash).error().is(chain_errc::history_missing));
  CHECK(node.on->logs({.from_block = 0, .to_block = 90, .addresses = {}, .topics = {}})
            .error()
            .is(chain_errc::history_missing));
  CHECK(node.on->logs({.from_block = 80, .to_block = 90, .addresses = {}, .topics = {}}));
  const auto state = node.on->account_of(test_address(), 40);
  CHECK(state.error().is(chain_errc::state_missing));
  CHECK(wording(state.error()).starts_with("missing trie node"));

  node.run_all();
  check_same(*from.on, *node.on, 80, 100);
  CHECK(node.liars.empty());
  CHECK(node.driver->status().phase == "complete");
  node.check_store();
  check_same(*from.on, *node.on, 80, 100);
  const auto repaired = [&] {
    node.driver.reset();
    node.on.reset();
    return repair_store({.dir = node.where, .contracts = options_for(node.where).contracts});
  }();
  CHECK(says(repaired.error(), "snapshot at block 80"));
}

TEST_CASE("who took a snapshot gives snapshots, and another gap can follow") {
  source from(100);
  temp_dir dir;
  taker second(dir / "second"), third(dir / "third");
  second.neighbors = {{from.on.get(), conduct::honest}};
  second.run([&] { return second.adopted != nullptr; }); // its history is still missing
  for (std::uint64_t i = 81; i <= 100; ++i) {
    const auto block = *from.on->block_by_num(i);
    REQUIRE(second.on->import_block(block->content(), **from.on->seals_of(i)));
  }
  third.neighbors = {{second.on.get(), conduct::honest}};
  third.run([&] { return third.adopted != nullptr; });
  CHECK(third.head_num() == 80);
  third.neighbors = {{second.on.get(), conduct::honest}, {from.on.get(), conduct::honest}};
  third.run_all();
  check_same(*from.on, *third.on, 80, 80);

  from.grow(100);
  third.adopted = nullptr;
  third.neighbors = {{from.on.get(), conduct::honest}};
  third.answers = 0;
  third.run([&] { return third.adopted != nullptr; });
  CHECK(third.head_num() == 176);
  third.open();
  third.adopted = third.on->head();
  third.run_all();
  CHECK(chain_snapshots(*third.on).gaps().states == std::vector<block_range>{{1, 79}, {81, 175}});
  for (const auto block_num : {1u, 79u, 80u, 81u, 100u, 175u, 176u})
    CHECK((*third.on->block_by_num(block_num))->hash == (*from.on->block_by_num(block_num))->hash);
  CHECK(*third.on->validators_after(120) == *from.on->validators_after(120));
}

TEST_CASE("when the snapshot was of another chain than this node's own, it says so and ends") {
  source from(60), other(3);
  other.submit(test_address(), input_of(op::store, word(77), word(1)));
  other.seal(4);
  temp_dir dir;
  taker node(dir / "taker");
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const auto block = *other.on->block_by_num(i);
    REQUIRE(node.on->import_block(block->content(), **other.on->seals_of(i)));
  }
  node.neighbors = {{from.on.get(), conduct::honest}};
  node.run([&] { return node.fork.has_value(); });
  CHECK(node.adopted);
  CHECK(node.fork->message.find("block 4 is " + to_hex(node.on->head()->hash.view())) == std::string::npos);
  CHECK(says(*node.fork, "block 4 is " + to_hex((*other.on->block_by_num(4))->hash.view())));
  CHECK(says(*node.fork, to_hex((*from.on->block_by_num(4))->hash.view())));
  CHECK_FALSE(node.on->history_complete());
  node.open(); // nor does it go unnoticed after a restart
  node.fork.reset();
  node.run([&] { return node.fork.has_value(); });
}

TEST_CASE("history that cannot be stored is begun again, and reported") {
  source from(100);
  temp_dir dir;
  taker node(dir / "taker");
  node.neighbors = {{from.on.get(), conduct::honest}};
  node.run([&] { return node.adopted != nullptr; });
  // Somebody else stores what this machine is about to store.
  bool stolen = false;
  node.before_answer = [&](const question& asked) {
    if (stolen || !std::holds_alternative<history_question>(asked)) return;
    stolen = true;
    chain_snapshots own(*node.on), theirs(*from.on);
    const auto missing = **own.youngest_missing();
    const auto raw = *theirs.past_block(missing.last);
    REQUIRE(own.store_past(std::vector{
        *check_past_block(*raw, missing.last, missing.last_hash, missing.last_seals, node.on->chain_id())}));
  };
  node.run_all();
  CHECK(stolen);
  CHECK(std::count_if(node.reports.begin(), node.reports.end(),
                      [](const std::string& text) {
                        return wording(text).starts_with(
                            "blocks before the snapshot cannot be stored: block ");
                      })
        == 1);
  check_same(*from.on, *node.on, 80, 80);
}

TEST_CASE("a damaged store under the history ends the node, whatever is damaged") {
  source from(60);
  temp_dir dir;
  taker node(dir / "taker");
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const auto block = *from.on->block_by_num(i);
    REQUIRE(node.on->import_block(block->content(), **from.on->seals_of(i)));
  }
  node.neighbors = {{from.on.get(), conduct::honest}};
  node.run([&] { return node.adopted != nullptr; });
  bytes last_own(8);
  put_be64(last_own.data(), 4);
  for (const auto& value : {std::optional<bytes>{}, std::optional<bytes>{{0xc1, 0x80}}}) {
    node.driver.reset();
    node.on.reset();
    {
      auto tables = kv_store::open({.dir = node.where});
      REQUIRE(tables);
      kv_batch batch;
      if (value)
        batch.put(column::headers, last_own, *value);
      else
        batch.erase(column::headers, last_own);
      REQUIRE((*tables)->write(batch));
    }
    node.open();
    node.offer();
    const auto out = node.driver->take();
    REQUIRE(out.broken);
    CHECK(says(*out.broken, "block 4"));
    CHECK(out.asks.empty());
  }
}

TEST_CASE("blocks that come one after the other meanwhile may make the snapshot needless") {
  source from(100);
  temp_dir dir;
  taker node(dir / "taker");
  node.neighbors = {{from.on.get(), conduct::dead}, {from.on.get(), conduct::honest}};
  node.before_answer = [&](const question& asked) {
    if (!std::holds_alternative<state_question>(asked)) return;
    CHECK(node.driver->proved_pivot() == 80);
    for (auto i = node.head_num() + 1; i <= 80; ++i) {
      const auto block = *from.on->block_by_num(i);
      REQUIRE(node.on->import_block(block->content(), **from.on->seals_of(i)));
    }
    node.neighbors[1].second = conduct::dead;
  };
  node.run([&] { return node.head_num() == 80; });
  node.gap = 1; // somebody still says that he is far ahead
  node.now += 1s;
  node.offer();
  CHECK_FALSE(node.driver->proved_pivot());
  CHECK_FALSE(node.adopted);
  CHECK(node.on->history_complete());
  CHECK(node.reports.size() == 1);
  CHECK(node.driver->take().reports.at(0) == "blocks up to 80 came without the snapshot of block 80");
}

TEST_CASE("another snapshot is looked for while history comes, and history does not wait for it") {
  source from(100);
  temp_dir dir;
  taker node(dir / "taker");
  node.neighbors = {{from.on.get(), conduct::honest}};
  node.run([&] { return node.adopted != nullptr; });
  node.gap = 10; // and nobody proves anything
  node.refuses_proofs = true;
  node.keeps_useless = true;
  node.run([&] { return node.on->history_complete(); });
  CHECK(node.driver->active());
  check_same(*from.on, *node.on, 80, 80);
}

TEST_CASE("some neighbors may do what they like") {
  source from(100);
  for (const auto odd :
       {conduct::dead, conduct::junk, conduct::stateless, conduct::other_state, conduct::old_proof}) {
    CAPTURE(static_cast<int>(odd));
    temp_dir dir;
    taker node(dir / "taker");
    node.neighbors = {{from.on.get(), odd}, {from.on.get(), conduct::honest}, {from.on.get(), odd}};
    node.run_all();
    CHECK(node.head_num() == 80);
    CHECK_FALSE(node.liars.contains(1));
    if (odd == conduct::junk || odd == conduct::other_state) CHECK(node.liars.contains(0));
    check_same(*from.on, *node.on, 80, 80);
  }
}

TEST_CASE("a crash at any moment costs what was not stored, never the chain") {
  source from(60);
  const auto target = *from.on->block_by_num(32);
  std::size_t whole = 0;
  for (std::size_t crash_after = 1;; crash_after += 3) {
    CAPTURE(crash_after);
    temp_dir dir;
    taker node(dir / "taker");
    node.neighbors = {{from.on.get(), conduct::honest}, {from.on.get(), conduct::honest}};
    node.run([&] { return node.answers >= crash_after || (node.adopted && node.on->history_complete()); });
    if (node.answers < crash_after) break; // it had done everything before
    const bool was_adopted = node.adopted != nullptr;
    node.open();
    CHECK(node.head_num() == (was_adopted ? 32 : 0));
    CHECK(node.on->account_of(test_address()));
    if (was_adopted) {
      node.adopted = node.on->head();
      node.gap = 100; // the rest comes block by block
    }
    node.run_all();
    CHECK(node.on->head()->hash == target->hash);
    check_same(*from.on, *node.on, 32, 32);
    ++whole;
  }
  CHECK(whole > 5);
}

TEST_CASE("questions that no honest node asks are refused; what is not there makes empty answers") {
  source from(40);
  CHECK_FALSE(answer_part(*from.on, change, bytes{0x80}, 1000));
  CHECK_FALSE(answer_part(*from.on, change, bytes{}, 1000));
  const auto ask = [&](const question& what, std::size_t bytes_max = 100'000) {
    auto out = answer_part(*from.on, change, encode(what), bytes_max);
    REQUIRE(out);
    return *out;
  };
  CHECK(decode_state_answer(ask(state_question{{keccak256("no node")}, {}}))->items.empty());
  CHECK(decode_history_answer(ask(history_question{41, 5}))->blocks.empty());
  CHECK(decode_history_answer(ask(history_question{40, 128}, 1'000'000))->blocks.size() == 40);
  CHECK(decode_history_answer(ask(history_question{40, 128}, 10))->blocks.size() == 1);
  const auto late = decode_trust_answer(ask(trust_question{39}));
  CHECK(late->changes.empty());
  CHECK_FALSE(late->pivot);
  const auto first = decode_trust_answer(ask(trust_question{0}));
  REQUIRE(first->pivot);
  CHECK(decode_header(first->pivot->block.header)->block_num == 16);
  CHECK(first->changes.size() == 1);
  const auto small = decode_trust_answer(ask(trust_question{0}, 10));
  CHECK(small->changes.size() == 1);
  CHECK_FALSE(small->pivot);
  source longer(95); // 64 and 90 change the validators
  const auto pivot = answer_part(*longer.on, change, encode(question(trust_question{0})), 1'000'000,
                                 {.pivot_lag = 5, .pivot_step = 45});
  CHECK(decode_header(decode_trust_answer(*pivot)->pivot->block.header)->block_num == 91);
}

} // namespace snapshot_driver_test
