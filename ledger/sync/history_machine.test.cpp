#include "ledger/sync/history_machine.hpp"

#include "base/random.hpp"
#include "ledger/state/trie.hpp"

#include <doctest/doctest.h>

#include <deque>

namespace history_machine_test {

using namespace swarm;
using namespace swarm::sync;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t chain_id = 7;

/// Blocks with a transaction each, linked by their hashes.
struct line {
  std::vector<past_block> blocks{1};
  std::vector<hash32> hashes{1};

  std::vector<hash32> seals{ledger::hash_of_seals({})};

  explicit line(std::uint64_t length) {
    bytes secret(32, 9);
    const auto key = *ledger::private_key::from_bytes(secret);
    ledger::seal_record last;
    for (std::uint64_t i = 1; i <= length; ++i) {
      ledger::txn_fields fields;
      fields.nonce = i;
      fields.gas_limit = 21'000;
      fields.to = key.account();
      const auto txn = *ledger::make_signed(fields, key, chain_id);
      const ledger::receipt outcome{
          .type = fields.type, .ok = true, .cumulative_gas_used = 21'000, .logs = {}};
      const std::vector<bytes> raw_txns{txn.raw()}, raw_receipts{ledger::encode_receipt(outcome)};
      ledger::block block;
      block.header.block_num = i;
      block.header.parent_hash = hashes.back();
      block.header.gas_limit = 1'000'000;
      block.header.txns_root = ledger::ordered_trie_root(raw_txns);
      block.header.receipts_root = ledger::ordered_trie_root(raw_receipts);
      block.txns.push_back(txn);
      block.parent_seals = last;
      block.header.extra_data = to_bytes(seals.back().view());
      hashes.push_back(ledger::block_hash(block.header));
      last = {.round_num = i % 3, .seals = {{}}};
      seals.push_back(ledger::hash_of_seals(last));
      const std::vector receipts{outcome};
      blocks.push_back(
          {ledger::encode_block(block), ledger::encode_seals(last), ledger::encode_receipts(receipts)});
    }
  }
};

enum class conduct {
  honest,
  dead,
  short_answers,
  junk,
  other_receipts,
  other_block,
  no_history,
  other_seals
};

/// A machine that fetches the blocks of a line from good and bad neighbors.
struct network {
  line truth;
  seeded_random random;
  std::vector<conduct> neighbors;
  history_options options{.range_blocks = 8};
  history_machine node;
  time_point now{};
  std::vector<neighbor_claim> claims;
  std::uint64_t expected;
  std::uint64_t first;
  std::set<neighbor_id> liars;

  network(std::uint64_t seed, std::uint64_t from, std::uint64_t to, std::vector<conduct> who,
          std::optional<hash32> below = {})
      : truth(to + 5), random(seed), neighbors(std::move(who)),
        node(options, chain_id, {from, to, truth.hashes[to], truth.seals[to]},
             below.value_or(truth.hashes[from - 1])),
        expected(to), first(from) {
    for (neighbor_id id = 0; id < neighbors.size(); ++id)
      claims.push_back({id, to + 5});
  }

  std::optional<history_answer> answer_of(neighbor_id neighbor, const history_question& asked) {
    history_answer out;
    const auto how = neighbors[neighbor];
    if (how == conduct::dead) return std::nullopt;
    if (how == conduct::no_history) return out;
    for (std::uint64_t i = 0; i < asked.count && i < asked.last; ++i)
      out.blocks.push_back(truth.blocks[asked.last - i]);
    auto& last = out.blocks.back();
    if (how == conduct::short_answers) out.blocks.resize(1 + random.below(out.blocks.size()));
    if (how == conduct::junk) last.block = bytes(50, 3);
    if (how == conduct::other_receipts)
      last.receipts = ledger::encode_receipts(std::vector<ledger::receipt>{{.ok = false}});
    if (how == conduct::other_block) last = truth.blocks[asked.last - asked.count + 2];
    if (how == conduct::other_seals)
      for (auto& each : out.blocks)
        each.seals = ledger::encode_seals({.round_num = 32, .seals = {{}}});
    return out;
  }

  /// Runs until everything is there or nothing moves any more.
  bool run() {
    for (int turn = 0; turn < 5000 && !node.complete(); ++turn) {
      node.set_neighbors(claims, now);
      for (auto& each : node.take_actions()) {
        if (auto* ask = std::get_if<action::ask_part>(&each)) {
          const auto raw = answer_of(ask->neighbor, std::get<history_question>(ask->what));
          if (raw) node.on_part(ask->neighbor, ask->tag, encode(*raw), now);
        } else if (auto* store = std::get_if<action::store_past>(&each)) {
          for (const auto& block : store->blocks) {
            CHECK(block.content.header.block_num == expected);
            CHECK(block.hash == truth.hashes[expected]);
            CHECK(block.receipts.size() == 1);
            CHECK(ledger::hash_of_seals(block.seals) == truth.seals[expected]);
            --expected;
          }
          node.on_stored(now);
        } else if (auto* useless = std::get_if<action::useless>(&each)) {
          if (useless->lied) liars.insert(useless->neighbor);
        }
      }
      now += 500ms;
      node.tick(now);
    }
    if (node.complete()) CHECK(expected == first - 1);
    return node.complete();
  }
};

} // namespace

TEST_CASE("history comes from the youngest block downwards, whatever some neighbors do") {
  for (const auto odd :
       {conduct::honest, conduct::dead, conduct::short_answers, conduct::junk, conduct::other_receipts,
        conduct::other_block, conduct::other_seals, conduct::no_history}) {
    CAPTURE(static_cast<int>(odd));
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      network net(seed, 1 + seed * 3, 100 + seed, {odd, conduct::honest, odd});
      CHECK(net.run());
      const bool lies = odd == conduct::junk || odd == conduct::other_receipts || odd == conduct::other_block
                        || odd == conduct::other_seals;
      CHECK(net.liars.contains(1) == false);
      CHECK(net.liars.empty() != lies);
      CHECK(net.node.waiting_bytes() == 0);
    }
  }
}

TEST_CASE("no block is kept without its seals: while all give others, the history waits") {
  network all(2, 1, 10, {conduct::other_seals, conduct::other_seals});
  CHECK_FALSE(all.run());
  CHECK(all.expected == 10);
  CHECK(all.liars.size() == 2);
}

TEST_CASE(
    "the first missing block must follow this node's own; if not, it is not stored, and nothing goes on") {
  for (const std::uint64_t last : {40u, 5u}) {
    hash32 other;
    other[3] = 1;
    network net(1, 5, last, {conduct::honest, conduct::honest}, other);
    CHECK_FALSE(net.run());
    REQUIRE(net.node.other_parent());
    CHECK(*net.node.other_parent() == net.truth.hashes[4]);
    CHECK(net.expected >= 5);
    CHECK(net.liars.empty());
    CHECK(net.node.take_actions().empty());
  }
}

TEST_CASE("without neighbors it waits; one block alone is a range") {
  network none(1, 1, 40, {conduct::dead, conduct::no_history});
  CHECK_FALSE(none.run());
  CHECK(none.expected == 40);
  network one(1, 5, 5, {conduct::honest});
  CHECK(one.run());
}

} // namespace history_machine_test
