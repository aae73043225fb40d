#include "ledger/proof/witness.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "ledger/state/testing/state_test_store.hpp"
#include "ledger/state/testing/test_contract.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

namespace witness_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

constexpr std::uint64_t chain_id = 1337;

/// Two contracts with 40 slots each, and many other accounts.
struct world {
  memory_state memory;
  contract_table contracts{test_contracts()};
  block_header header;

  world() {
    state_overlay state(memory.store, empty_trie_root);
    for (const std::uint8_t at : {1, 2}) {
      REQUIRE(state.set_nonce(test_address(at), 1));
      REQUIRE(state.set_code(test_address(at), contract_table::code_of_kind(test_kind)));
      for (std::uint64_t i = 0; i < 40; ++i)
        REQUIRE(state.store(test_address(at), word(i), word(1000 * at + i)));
    }
    for (std::uint8_t i = 100; i < 200; ++i)
      REQUIRE(state.set_nonce(test_address(i), i));
    header.gas_limit = 10'000'000;
    header.block_num = 8;
    header.state_root = memory.take(state.commit());
  }

  static call_request load(std::uint64_t slot, std::uint8_t at = 1) {
    return {.from = {},
            .to = test_address(at),
            .input = input_of(op::load, word(slot)),
            .value = {},
            .gas_limit = {}};
  }
  /// As an SN records it for somebody who has `has`.
  recorded_calls record(const std::vector<call_request>& calls, const witness_set* has = nullptr) {
    witness_recorder recorder(memory.store, has);
    state_overlay state(recorder.state(), header.state_root);
    for (const auto& call : calls)
      REQUIRE(execute_view(state, {chain_id, {}}, header, call, contracts));
    recorded_calls out;
    out.shown.nodes = recorder.take();
    out.read = {witness_id(block_hash(header), calls), recorder.take_read()};
    return out;
  }
  std::vector<bytes> nodes_of(const std::vector<call_request>& calls) { return record(calls).shown.nodes; }
  /// The next block has other values in these slots of the first contract.
  void change(const std::vector<std::uint64_t>& slots, std::uint64_t to) {
    state_overlay state(memory.store, header.state_root);
    for (const auto slot : slots)
      REQUIRE(state.store(test_address(1), word(slot), word(to)));
    header.state_root = memory.take(state.commit());
    ++header.block_num;
  }
  result<witnessed_calls> check(const std::vector<call_request>& calls, const std::vector<bytes>& nodes,
                                const known_witness_ptr& has) const {
    return execute_witnessed(header, {chain_id, {}}, calls, nodes, contracts, has);
  }
  result<std::vector<call_result>> check(const std::vector<call_request>& calls,
                                         const std::vector<bytes>& nodes) const {
    SWARM_TRY(auto done, execute_witnessed(header, {chain_id, {}}, calls, nodes, contracts));
    return std::move(done.results);
  }
  /// The refusal; anything else fails the test.
  std::string lie(const std::vector<call_request>& calls, const std::vector<bytes>& nodes) const {
    const auto done = check(calls, nodes);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(proof_errc::witness));
    return done.error().message;
  }
};

} // namespace

TEST_CASE("calls yield without the state what they yield with it; each node is there once") {
  world at;
  const std::vector<call_request> calls{at.load(3), at.load(4), at.load(3, 2), at.load(77), at.load(3)};
  const auto nodes = at.nodes_of(calls);
  const auto done = at.check(calls, nodes);
  REQUIRE(done);
  REQUIRE(done->size() == 5);
  CHECK((*done)[0].output == to_bytes(word(1003).view()));
  CHECK((*done)[1].output == to_bytes(word(1004).view()));
  CHECK((*done)[2].output == to_bytes(word(2003).view()));
  CHECK((*done)[3].output == to_bytes(word(0).view())); // never written, which is proved
  std::set<std::string> distinct;
  for (const auto& node : nodes)
    distinct.insert(to_hex(node));
  CHECK(distinct.size() == nodes.size());
}

TEST_CASE("reverts, gas and accounts that do not exist are proved as well") {
  world at;
  const std::vector<call_request> calls{
      {.from = {},
       .to = test_address(1),
       .input = input_of(op::revert, word(3), word(9)),
       .value = {},
       .gas_limit = {}},
      {.from = {}, .to = test_address(77), .input = {}, .value = {}, .gas_limit = {}}};
  const auto done = at.check(calls, at.nodes_of(calls));
  REQUIRE(done);
  CHECK((*done)[0].status == call_status::reverted);
  CHECK((*done)[0].output == nope());
  CHECK((*done)[1].status == call_status::ok);
  CHECK((*done)[1].output.empty());
}

TEST_CASE("each missing, changed, doubled, foreign or needless node is a lie") {
  world at;
  const std::vector<call_request> calls{at.load(3), at.load(50)};
  const auto nodes = at.nodes_of(calls);
  REQUIRE(nodes.size() > 3);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto less = nodes;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(says(at.lie(calls, less), "is missing"));
    auto changed = nodes;
    changed[i].back() ^= 1;
    CHECK(says(at.lie(calls, changed), "is missing"));
    auto twice = nodes;
    twice.push_back(nodes[i]);
    CHECK(says(at.lie(calls, twice), "twice"));
  }
  auto more = nodes;
  more.push_back(at.nodes_of({at.load(3, 2)}).back());
  CHECK(says(at.lie(calls, more), "no call reads"));
  more.back() = {1, 2, 3};
  CHECK(says(at.lie(calls, more), "no call reads"));
  more.back() = {};
  CHECK(says(at.lie(calls, more), "no call reads"));
  std::ignore = at.lie(calls, {});
}

TEST_CASE("a slot cannot be shown as empty, nor with the value of another slot, contract or block") {
  world at;
  CHECK(says(at.lie({at.load(3)}, at.nodes_of({at.load(77)})), "is missing"));
  std::ignore = at.lie({at.load(77)}, at.nodes_of({at.load(3)}));
  std::ignore = at.lie({at.load(3)}, at.nodes_of({at.load(3, 2)}));
  world other;
  state_overlay state(other.memory.store, other.header.state_root);
  REQUIRE(state.store(test_address(1), word(3), word(5)));
  other.header.state_root = other.memory.take(state.commit());
  CHECK(other.check({at.load(3)}, other.nodes_of({at.load(3)})));
  std::ignore = at.lie({at.load(3)}, other.nodes_of({at.load(3)}));
}

TEST_CASE("what is too long is refused before it is looked at, and not made") {
  world at;
  std::ignore = at.lie({at.load(3)}, std::vector<bytes>(witness_nodes_max + 1));
  std::ignore = at.lie({at.load(3)}, {bytes(witness_bytes_max + 1)});
  memory_state big;
  state_overlay filling(big.store, empty_trie_root);
  for (std::uint64_t i = 0; i < 60'000; ++i)
    REQUIRE(filling.store(test_address(1), word(i), keccak256(word(i).view())));
  REQUIRE(filling.set_nonce(test_address(1), 1));
  const auto root = big.take(filling.commit());
  witness_recorder recorder(big.store);
  state_overlay reading(recorder.state(), root);
  std::optional<error> refused;
  for (std::uint64_t i = 0; i < 60'000 && !refused; ++i)
    if (auto read = reading.load(test_address(1), word(i)); !read) refused = read.error();
  REQUIRE(refused);
  CHECK(refused->is(errc::limit));
}

TEST_CASE("a contract of another version is nobody's lie") {
  world at;
  const auto nodes = at.nodes_of({at.load(3)});
  const contract_table none(native_contract_set{});
  const auto done = execute_witnessed(at.header, {chain_id, {}}, std::vector{at.load(3)}, nodes, none);
  REQUIRE_FALSE(done);
  CHECK(done.error().is(errc::internal));
}

TEST_CASE("an encoded witness is read as it was written, anything else is refused") {
  world at;
  proved_calls made{{encode_header(at.header), {2, std::vector<commit_seal>(3)}}, at.nodes_of({at.load(3)})};
  const auto raw = encode_proved_calls(made);
  const auto read = decode_proved_calls(raw);
  REQUIRE(read);
  CHECK(read->block.header == made.block.header);
  CHECK(read->block.seals == made.block.seals);
  CHECK(read->nodes == made.nodes);
  for (std::size_t size = 0; size < raw.size(); size += 7)
    CHECK_FALSE(decode_proved_calls(bytes_view(raw).first(size)));
  made.nodes.emplace_back(5000);
  CHECK_FALSE(decode_proved_calls(encode_proved_calls(made)));
}

TEST_CASE(
    "of what calls read before, only what changed is shown, and they yield what they yield with the state") {
  world at;
  const std::vector<call_request> calls{at.load(3), at.load(4), at.load(30), at.load(5, 2)};
  const auto first = at.record(calls);
  const auto known = at.check(calls, first.shown.nodes, nullptr);
  REQUIRE(known);
  CHECK(known->witness->id == first.read.id);
  CHECK(known->witness->nodes.size() == first.read.sizes.size());
  CHECK(at.record(calls, &first.read).shown.nodes.empty());
  at.change({4}, 77);
  const auto then = at.record(calls, &first.read);
  CHECK(then.shown.nodes.size() < first.shown.nodes.size() / 2);
  CHECK(then.read.id != first.read.id);
  const auto done = at.check(calls, then.shown.nodes, known->witness);
  REQUIRE(done);
  CHECK(done->results[0].output == to_bytes(word(1003).view()));
  CHECK(done->results[1].output == to_bytes(word(77).view()));
  CHECK(done->witness->id == then.read.id);
  CHECK(done->witness->nodes.size() == then.read.sizes.size()); // what is not read any more is not kept
}

TEST_CASE("what the asker has does not help a lie: each missing, changed, doubled or needless node is one") {
  world at;
  const std::vector<call_request> calls{at.load(3), at.load(50), at.load(3, 2)};
  const auto first = at.record(calls);
  const auto known = at.check(calls, first.shown.nodes, nullptr)->witness;
  at.change({3}, 77);
  const auto nodes = at.record(calls, &first.read).shown.nodes;
  REQUIRE(nodes.size() > 1);
  const auto lie = [&](const std::vector<bytes>& shown, const known_witness_ptr& has,
                       std::string_view words) {
    const auto done = at.check(calls, shown, has);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(proof_errc::witness));
    CHECK(says(done.error().message, words));
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto less = nodes;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
    lie(less, known, "is missing");
    auto changed = nodes;
    changed[i].back() ^= 1;
    lie(changed, known, "is missing");
    auto twice = nodes;
    twice.push_back(nodes[i]);
    lie(twice, known, "twice");
  }
  lie({}, known, "is missing");                // "nothing has changed"
  lie(first.shown.nodes, known, "is missing"); // the old state for the new one
  lie(nodes, nullptr, "is missing");           // what this program does not have
  auto more = nodes;
  more.push_back(at.nodes_of({at.load(9, 2)}).back());
  lie(more, known, "no call reads");
  // A node that it has, shown again, is no lie: who made the witness need not know what it has.
  CHECK(at.check(calls, at.nodes_of(calls), known));
}

TEST_CASE(
    "whatever changes and whatever is asked for, those who have the state and those who have not agree") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    world at;
    witness_memory memory;
    std::map<hash32, witness_set> noted; // by the SN
    for (int block = 0; block < 40; ++block) {
      std::vector<std::uint64_t> slots(random() % 4);
      for (auto& slot : slots)
        slot = random() % 60;
      at.change(slots, random() % 3 == 0 ? 0 : random());
      std::vector<call_request> calls;
      for (auto count = 1 + random() % 5; count > 0; --count)
        calls.push_back(at.load(random() % 12 * 5, 1 + random() % 2));
      const auto has = memory.best_for(calls);
      const auto* told = has && noted.contains(has->id) && random() % 5 != 0 ? &noted.at(has->id) : nullptr;
      const auto made = at.record(calls, told);
      noted[made.read.id] = made.read;
      // Somebody else asks for the same.
      const auto again = nodes_to_show(at.memory.store, noted[made.read.id], told);
      REQUIRE(again);
      CHECK(std::set(again->begin(), again->end())
            == std::set(made.shown.nodes.begin(), made.shown.nodes.end()));
      CHECK(again->size() == made.shown.nodes.size());
      const auto done = at.check(calls, made.shown.nodes, has);
      REQUIRE(done);
      CHECK(done->witness->id == made.read.id);
      for (std::size_t i = 0; i < calls.size(); ++i) {
        state_overlay state(at.memory.store, at.header.state_root);
        const auto truth = execute_view(state, {chain_id, {}}, at.header, calls[i], at.contracts);
        CHECK(done->results[i].output == truth->call.output);
      }
      memory.keep(done->witness);
    }
  }
}

TEST_CASE(
    "of the witnesses that are kept, the one that has most of the calls is the best; there is a bound") {
  witness_memory memory;
  world at;
  const auto keep = [&](const std::vector<call_request>& calls) {
    auto made = at.check(calls, at.nodes_of(calls), nullptr)->witness;
    memory.keep(made);
    return made;
  };
  CHECK(memory.best_for(std::vector{at.load(1)}) == nullptr);
  const auto one = keep({at.load(1)});
  const auto two = keep({at.load(1), at.load(2)});
  CHECK(memory.best_for(std::vector{at.load(1), at.load(2), at.load(3)}) == two);
  CHECK(memory.best_for(std::vector{at.load(1)}) == two); // the newest
  CHECK(memory.best_for(std::vector{at.load(3)}) == nullptr);
  at.change({1}, 8);
  const auto again = keep({at.load(1)}); // in the place of the first
  CHECK(memory.best_for(std::vector{at.load(1)}) == again);
  CHECK(memory.memory() == two->memory + again->memory);
  for (std::uint64_t i = 0; i < 3 * witness_memory::witnesses_max; ++i)
    keep({at.load(100 + i)});
  CHECK(memory.best_for(std::vector{at.load(1)}) == nullptr);
  auto large = *one;
  large.memory = witness_memory::bytes_max;
  memory.keep(std::make_shared<const known_witness>(large));
  CHECK(memory.memory() == witness_memory::bytes_max);
  CHECK(memory.best_for(std::vector{at.load(100 + 3 * witness_memory::witnesses_max - 1)}) == nullptr);
  ++large.memory;
  memory.keep(std::make_shared<const known_witness>(large));
  CHECK(memory.memory() == 0);
}

} // namespace witness_test
