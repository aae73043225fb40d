#include "ledger/state/execute.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "ledger/state/gas.hpp"
#include "ledger/state/testing/state_test_store.hpp"
#include "ledger/state/testing/test_contract.hpp"

#include <doctest/doctest.h>

namespace execute_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

constexpr std::uint64_t block_gas = 10'000'000;
constexpr std::uint64_t chain_id = 1337;

/// A world with the test contract in it, and one sender.
struct world {
  memory_state memory;
  contract_table contracts{test_contracts()};
  private_key key = *private_key::from_bytes(bytes(32, 0x46));
  block_context context{.chain_id = chain_id, .block_num = 9};
  state_overlay state{memory.store, empty_trie_root};

  world() {
    REQUIRE(state.set_nonce(test_address(), 1));
    REQUIRE(state.set_code(test_address(), contract_table::code_of_kind(test_kind)));
    state.forget_snapshots();
  }

  transaction make(bytes input, std::uint64_t nonce, std::uint64_t gas = 1'000'000,
                   std::optional<address> to = test_address()) {
    txn_fields fields;
    fields.nonce = nonce;
    fields.gas_limit = gas;
    fields.to = to;
    fields.data = std::move(input);
    return *make_signed(fields, key, chain_id);
  }
  result<execution> run(bytes input, std::uint64_t nonce, std::uint64_t gas = 1'000'000) {
    return execute_transaction(state, context, make(std::move(input), nonce, gas), block_gas, contracts);
  }
  std::uint64_t nonce() { return *state.nonce_of(key.account()); }
  hash32 slot(std::uint64_t key_num) { return *state.load(test_address(), word(key_num)); }
};

} // namespace

TEST_CASE("a successful call stores, logs, and costs what the schedule says") {
  world here;
  auto input = input_of(op::store, word(1), word(2));
  auto done = here.run(input, 0);
  REQUIRE(done);
  CHECK(done->call.status == call_status::ok);
  CHECK(here.slot(1) == word(2));
  CHECK(here.nonce() == 1);
  // op byte 00 and 62 zero bytes of the words; two bytes that are not zero
  CHECK(done->call.gas_used == gas::txn + 63 * gas::data_zero_byte + 2 * gas::data_byte + gas::store_new);

  auto changed = here.run(input_of(op::store, word(1), word(3)), 1);
  CHECK(done->call.gas_used - changed->call.gas_used == gas::store_new - gas::store_change);
  auto same = here.run(input_of(op::store, word(1), word(3)), 2);
  CHECK(changed->call.gas_used - same->call.gas_used == gas::store_change - gas::store_same);

  auto event = here.run(input_of(op::emit, word(7), word(8)), 3);
  REQUIRE(event);
  REQUIRE(event->logs.size() == 1);
  CHECK(event->logs[0].emitter == test_address());
  CHECK(event->logs[0].topics.size() == 2);
  CHECK(event->logs[0].data == to_bytes(word(8).view()));
  CHECK(event->call.gas_used
        == gas::txn + 62 * gas::data_zero_byte + 3 * gas::data_byte + gas::log + 2 * gas::log_topic
               + 32 * gas::log_byte);
}

TEST_CASE("a revert undoes everything but the nonce and keeps its reason") {
  world here;
  auto done = here.run(input_of(op::revert, word(1), word(2)), 0);
  REQUIRE(done);
  CHECK(done->call.status == call_status::reverted);
  CHECK(done->call.output == nope());
  CHECK(done->logs.empty());
  CHECK(here.slot(1).is_zero());
  CHECK(here.nonce() == 1);
  CHECK(done->call.gas_used < 100'000);
}

TEST_CASE("running out of gas undoes everything but the nonce and uses all the gas") {
  world here;
  auto done = here.run(input_of(op::burn), 0, 77'777);
  REQUIRE(done);
  CHECK(done->call.status == call_status::out_of_gas);
  CHECK(done->call.gas_used == 77'777);
  CHECK(done->call.output.empty());
  CHECK(here.slot(0).is_zero());
  CHECK(here.slot(1).is_zero());
  CHECK(here.nonce() == 1);
}

TEST_CASE("the exact gas suffices, one less does not") {
  world here;
  auto needed = here.run(input_of(op::emit, word(7), word(8)), 0)->call.gas_used;
  CHECK(here.run(input_of(op::emit, word(7), word(8)), 1, needed)->call.status == call_status::ok);
  CHECK(here.run(input_of(op::emit, word(7), word(8)), 2, needed - 1)->call.status
        == call_status::out_of_gas);
}

TEST_CASE("what cannot be executed leaves the state alone and says what ethers looks for") {
  world here;
  REQUIRE(here.run(input_of(op::store, word(1), word(2)), 0));
  auto refused = [&](const transaction& txn, execution_errc rule, std::string_view words,
                     std::uint64_t gas = block_gas) {
    auto done = execute_transaction(here.state, here.context, txn, gas, here.contracts);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(rule));
    CHECK(says(done.error(), words));
    CHECK(here.nonce() == 1);
  };
  refused(here.make({}, 0), execution_errc::nonce_too_low, "nonce too low");
  refused(here.make({}, 2), execution_errc::nonce_too_high, "nonce too high");
  refused(here.make({}, 1, 20'999), execution_errc::gas_below_intrinsic, "intrinsic gas too low");
  refused(here.make({1}, 1, 21'015), execution_errc::gas_below_intrinsic, "21016");
  refused(here.make({}, 1, 50'000), execution_errc::gas_above_block, "exceeds block gas limit", 49'999);
  refused(here.make({}, 1, 50'000, std::nullopt), execution_errc::contract_creation, "contract creation");
  txn_fields rich;
  rich.nonce = 1;
  rich.gas_limit = 50'000;
  rich.to = test_address();
  rich.value = u256(1);
  refused(*make_signed(rich, here.key, chain_id), execution_errc::insufficient_funds, "insufficient funds");
}

TEST_CASE("a call to an account without code succeeds and does nothing") {
  world here;
  auto done = execute_transaction(here.state, here.context, here.make({1, 2, 3}, 0, 50'000, test_address(1)),
                                  block_gas, here.contracts);
  REQUIRE(done);
  CHECK(done->call.status == call_status::ok);
  CHECK(done->call.gas_used == gas::txn + 3 * gas::data_byte);
  CHECK(here.nonce() == 1);
}

TEST_CASE("contracts learn about the call and the block, and no more") {
  world here;
  bytes expected = to_bytes(here.key.account().view());
  append(expected, test_address().view());
  append(expected, word(chain_id).view());
  append(expected, word(9).view());
  expected.push_back(0);
  CHECK(here.run(input_of(op::context), 0)->call.output == expected);
  expected.back() = 1;
  call_request request{.from = here.key.account(), .to = test_address(), .input = input_of(op::context)};
  CHECK(execute_call(here.state, here.context, request, block_gas, here.contracts)->call.output == expected);
}

TEST_CASE("a contract may deploy another and fill it, in the same call only") {
  world here;
  auto done = here.run(input_of(op::deploy, word(5), word(test_kind), word(77)), 0);
  REQUIRE(done);
  CHECK(done->call.status == call_status::ok);
  CHECK(done->call.output == bytes{1});
  CHECK(*here.state.code_of(test_address(5)) == bytes{0xfe, test_kind});
  CHECK(*here.state.nonce_of(test_address(5)) == 1);
  CHECK(*here.state.load(test_address(5), word(1)) == word(77));

  auto root = here.memory.take(here.state.commit());
  auto stored = state_view(here.memory.store, root).code_of(test_address(5));
  REQUIRE(stored);
  CHECK(*stored == bytes{0xfe, test_kind});
}

TEST_CASE("what a host does not allow reverts with a reason") {
  world here;
  std::uint64_t nonce = 0;
  for (const auto& input : {input_of(op::write_foreign), input_of(op::five_topics),
                            input_of(op::deploy, word(5), word(test_kind + 1), word(0)),
                            input_of(op::deploy, word(0x99), word(test_kind), word(0))}) {
    auto done = here.run(input, nonce++);
    REQUIRE(done);
    CHECK(done->call.status == call_status::reverted);
    CHECK(done->call.output.size() % 32 == 4);
    CHECK(to_hex(bytes_view(done->call.output).first(4)) == "0x08c379a0");
  }
}

TEST_CASE("a contract that throws is an error of this node, not an outcome") {
  world here;
  auto done = here.run(input_of(op::crash), 0);
  REQUIRE_FALSE(done);
  CHECK(done.error().is(errc::internal));
}

TEST_CASE("calls nobody signed check value and gas too") {
  world here;
  call_request request{
      .from = here.key.account(), .to = test_address(), .input = input_of(op::load, word(5))};
  REQUIRE(here.state.store(test_address(), word(5), word(55)));
  auto done = execute_call(here.state, here.context, request, block_gas, here.contracts);
  REQUIRE(done);
  CHECK(done->call.output == to_bytes(word(55).view()));
  CHECK(here.nonce() == 0);
  request.value = u256(1);
  CHECK(execute_call(here.state, here.context, request, block_gas, here.contracts)
            .error()
            .is(execution_errc::insufficient_funds));
  request.value = {};
  request.gas_limit = block_gas + 1;
  CHECK(execute_call(here.state, here.context, request, block_gas, here.contracts)
            .error()
            .is(execution_errc::gas_above_block));
  request.gas_limit = {};
  request.to = {};
  CHECK(execute_call(here.state, here.context, request, block_gas, here.contracts)
            .error()
            .is(execution_errc::contract_creation));
}

TEST_CASE("an access list is paid for") {
  txn_fields fields;
  fields.access_list = {{test_address(), {word(1), word(2)}}, {test_address(1), {}}};
  CHECK(intrinsic_gas(fields) == gas::txn + 2 * gas::access_account + 2 * gas::access_slot);
}

} // namespace execute_test
