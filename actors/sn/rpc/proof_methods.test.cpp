#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/hash.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/proof/light_chain.hpp"
#include "ledger/proof/receipt_proof.hpp"
#include "ledger/proof/witness.hpp"

#include <doctest/doctest.h>

#include <set>

namespace proof_methods_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::says;

namespace {

/// A chain on which nodes register; SNs among them become validators and seal.
struct network : rpc_node {
  std::map<std::uint8_t, std::uint64_t> nonces;

  void send(std::uint8_t key, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[key]++;
    fields.gas_limit = 5'000'000;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    submit(*ledger::make_signed(fields, test_key(key), chain->chain_id()));
    seal();
  }
  void register_node(std::uint8_t key, contracts::node_type type) {
    hash32 fingerprint;
    fingerprint[0] = key;
    send(key, contracts::encode_register_node({.type = type,
                                               .identity = fingerprint,
                                               .name = fmt::format("node-{}", key),
                                               .endpoint = "host:1"}));
  }
  ledger::chain_identity identity() const { return {chain->chain_id(), chain->genesis_hash()}; }
  std::vector<bytes> changes(std::string_view params = "[]") {
    std::vector<bytes> out;
    const auto list = value("swarm_validatorChanges", params);
    for (const auto& each : list.as_array())
      out.push_back(*from_hex(std::string_view(each.as_string())));
    return out;
  }
  ledger::proved_calls proved(std::string_view params) {
    const auto shown = value("swarm_provedCall", params);
    return *ledger::decode_proved_calls(*from_hex(std::string_view(shown.as_string())));
  }
};

std::string call_of(const address& to, const bytes& input) {
  return fmt::format(R"({{"to":"{}","input":"{}"}})", hex(to), to_hex(input));
}

} // namespace

TEST_CASE("a proved call is enough to find out without the chain what eth_call says") {
  network sn;
  const auto input = contracts::encode_node(test_key(9).account());
  const auto call = call_of(contracts::node_registry_address(), input);
  const auto revert = call_of(contracts::node_registry_address(), {1, 2, 3});
  const ledger::contract_table contracts(contracts::make_contracts());
  for (const bool grown : {false, true}) {
    if (grown) sn.register_node(9, contracts::node_type::sl);
    auto light = *ledger::light_chain::begin(sn.identity(), *ledger::decode_handover(sn.changes().at(0)));
    const auto shown = sn.proved(fmt::format("[[{},{}]]", call, revert));
    const auto header = light.open(shown.block);
    REQUIRE(header);
    CHECK(header->block_num == (grown ? 1 : 0));
    const std::vector<ledger::call_request> calls{
        {.from = {}, .to = contracts::node_registry_address(), .input = input, .value = {}, .gas_limit = {}},
        {.from = {},
         .to = contracts::node_registry_address(),
         .input = {1, 2, 3},
         .value = {},
         .gas_limit = {}}};
    const auto views = ledger::execute_witnessed(*header, sn.identity(), calls, shown.nodes, contracts);
    REQUIRE(views);
    CHECK(js(to_hex(views->results.at(0).output)) == sn.value("eth_call", fmt::format("[{}]", call)));
    CHECK(contracts::decode_node(views->results.at(0).output)->active == grown);
    CHECK(views->results.at(1).status == ledger::call_status::reverted);
  }
}

TEST_CASE("a proved call is of the block that was asked for") {
  network sn;
  sn.register_node(9, contracts::node_type::sl);
  sn.register_node(10, contracts::node_type::sl);
  const auto call = call_of(contracts::node_registry_address(), contracts::encode_node_count());
  CHECK(ledger::open_header(sn.proved(fmt::format(R"([[{}],"0x1"])", call)).block.header)->block_num == 1);
  CHECK(ledger::open_header(sn.proved(fmt::format("[[{}]]", call)).block.header)->block_num == 2);
  CHECK(says(sn.error("swarm_provedCall", fmt::format(R"([[{}],"0x9"])", call)), "block 9 is not there"));
}

TEST_CASE(
    "of a witness that the asker has nothing is shown again; of one that is not known here, everything") {
  network sn;
  for (const std::uint8_t key : {9, 10, 11, 12, 13})
    sn.register_node(key, contracts::node_type::sl);
  const auto registry = contracts::node_registry_address();
  const auto input = contracts::encode_node(test_key(9).account());
  const auto count = contracts::encode_node_count();
  const std::vector<ledger::call_request> calls{
      {.from = {}, .to = registry, .input = input, .value = {}, .gas_limit = {}},
      {.from = {}, .to = registry, .input = count, .value = {}, .gas_limit = {}}};
  const auto call = call_of(registry, input) + "," + call_of(registry, count);
  const auto all = sn.proved(fmt::format("[[{}]]", call));
  const auto id = ledger::witness_id(keccak256(all.block.header), calls);
  const auto since = [&](const hash32& has) {
    return sn.proved(fmt::format(R"([[{}],"latest","{}"])", call, hex(has)));
  };
  CHECK(since(id).nodes.empty());
  CHECK(since(id).block.header == all.block.header);
  const auto again = since(keccak256(id.view())).nodes; // these calls are known, and so not executed again
  CHECK(again.size() == all.nodes.size());
  CHECK(std::set(again.begin(), again.end()) == std::set(all.nodes.begin(), all.nodes.end()));

  const auto views = [&](const ledger::proved_calls& shown, const ledger::known_witness_ptr& has) {
    static const ledger::contract_table contracts(contracts::make_contracts());
    return ledger::execute_witnessed(*ledger::open_header(shown.block.header), sn.identity(), calls,
                                     shown.nodes, contracts, has);
  };
  const auto before = views(all, nullptr);
  REQUIRE(before);
  CHECK(before->witness->id == id);
  sn.register_node(14, contracts::node_type::sl);
  const auto changed = since(id);
  CHECK_FALSE(changed.nodes.empty());
  CHECK(changed.nodes.size() < all.nodes.size());
  const auto after = views(changed, before->witness);
  REQUIRE(after);
  CHECK(after->results.at(0).output == before->results.at(0).output);
  CHECK(*contracts::decode_node_count(before->results.at(1).output) == 5);
  CHECK(*contracts::decode_node_count(after->results.at(1).output) == 6);
  CHECK_FALSE(views(changed, nullptr)); // who said that he has it and does not
  for (const auto* no : {"7", R"("0x12")", "{}"})
    CHECK(says(sn.error("swarm_provedCall", fmt::format(R"([[{}],"latest",{}])", call, no)), "-32602"));
}

TEST_CASE("who is no member takes up no room among the witnesses that an SN remembers") {
  network sn;
  const auto registry = contracts::node_registry_address();
  const auto input = contracts::encode_node(test_key(9).account());
  const auto all = fmt::format("[[{}]]", call_of(registry, input));
  const std::vector<ledger::call_request> calls{
      {.from = {}, .to = registry, .input = input, .value = {}, .gas_limit = {}}};
  const auto id = ledger::witness_id(sn.chain->head()->hash, calls);
  const auto since = fmt::format(R"([[{}],"latest","{}"])", call_of(registry, input), hex(id));
  sn.from.may_read = [] { return fail(rpc_errc::no_member, "only members read this chain"); };
  sn.from.reading_refused = [](const std::string& why) { FAIL(why); }; // nobody refuses what it asks
  CHECK_FALSE(sn.proved(all).nodes.empty());
  CHECK_FALSE(sn.proved(since).nodes.empty());
  sn.from.may_read = nullptr;
  sn.from.reading_refused = nullptr;
  CHECK_FALSE(sn.proved(since).nodes.empty());
  CHECK(sn.proved(since).nodes.empty());
}

TEST_CASE("what is no list of calls is refused, and so are too many") {
  network sn;
  for (const auto* params :
       {"[]", "[null]", "[[]]", "[{}]", "[[1]]", R"([[{"to":7}]])", R"([[{"to":"0x12"}]])"})
    CHECK(says(sn.error("swarm_provedCall", params), "-32602"));
  std::string many = call_of({}, {});
  for (std::size_t i = 0; i < ledger::witness_calls_max; ++i)
    many += "," + call_of({}, {});
  CHECK(says(sn.error("swarm_provedCall", "[[" + many + "]]"), "at most 256"));
}

TEST_CASE("changes of validators are told from the genesis block or from a later one on") {
  network sn;
  auto light = *ledger::light_chain::begin(sn.identity(), *ledger::decode_handover(sn.changes().at(0)));
  CHECK(sn.changes().size() == 1);
  CHECK(sn.changes(R"(["0x0"])").empty());
  sn.register_node(9, contracts::node_type::sl);
  for (const std::uint8_t key : {2, 3}) { // of two members only the first seals
    sn.register_node(key, contracts::node_type::sn);
    sn.send(1, contracts::encode_propose_validator_vote(test_key(key).account(), true));
  }
  const auto found = sn.changes(R"(["0x0"])");
  REQUIRE(found.size() == 1);
  REQUIRE(light.follow(*ledger::decode_handover(found[0])));
  CHECK(light.reached() == 5);
  CHECK(light.validators() == *sn.chain->validators_after(5));
  CHECK(light.validators().size() == 3);
  CHECK(sn.changes(R"(["0x5"])").empty());
  CHECK(sn.changes(R"(["0x77"])").empty());
  CHECK(sn.changes().size() == 2);
  CHECK(says(sn.error("swarm_validatorChanges", R"(["x"])"), "-32602"));
}

TEST_CASE("of a head that changes the validators back it is told who has sealed it") {
  network sn;
  for (const std::uint8_t key : {2, 3}) {
    sn.register_node(key, contracts::node_type::sn);
    sn.send(1, contracts::encode_propose_validator_vote(test_key(key).account(), true));
  }
  const auto taken_in = sn.chain->head()->header.block_num;
  for (const std::uint8_t voter : {1, 2}) // of two members the first is the only validator
    sn.send(voter, contracts::encode_propose_validator_vote(test_key(3).account(), false));
  const auto head = sn.chain->head()->header.block_num;
  REQUIRE(*sn.chain->validators_after(head) == *sn.chain->validators_after(0));
  REQUIRE(*sn.chain->validators_after(head - 1) != *sn.chain->validators_after(head));
  const auto blocks = [&](std::string_view params) {
    std::vector<std::uint64_t> out;
    for (const auto& each : sn.changes(params))
      out.push_back(ledger::open_header(ledger::decode_handover(each)->block.header)->block_num);
    return out;
  };
  CHECK(blocks(R"(["0x0"])") == std::vector{taken_in, head});
  CHECK(blocks(fmt::format(R"(["{:#x}"])", taken_in)) == std::vector{head});
  CHECK(blocks(fmt::format(R"(["{:#x}"])", head - 1)) == std::vector{head});
  CHECK(blocks(fmt::format(R"(["{:#x}"])", head)).empty());
}

TEST_CASE("a receipt is proved by the header of its block") {
  network sn;
  auto light = *ledger::light_chain::begin(sn.identity(), *ledger::decode_handover(sn.changes().at(0)));
  std::vector<ledger::transaction> txns;
  for (std::uint64_t nonce = 0; nonce < 40; ++nonce)
    txns.push_back(
        make_txn(test_key(9), nonce, input_of(nonce % 3 == 1 ? op::revert : op::emit, word(1), word(2))));
  for (const auto& txn : txns)
    sn.submit(txn);
  sn.seal();
  sn.register_node(10, contracts::node_type::sl);
  REQUIRE(light.open(sn.proved("[[" + call_of(contracts::node_registry_address(), {}) + "]]").block));
  REQUIRE(light.head() == 2);
  for (std::size_t i = 0; i < txns.size(); ++i) {
    const auto shown = sn.value("swarm_provedReceipt", fmt::format(R"(["{}"])", hex(txns[i].hash())));
    const auto proof = ledger::decode_receipt_proof(*from_hex(std::string_view(shown.as_string())));
    REQUIRE(proof);
    CHECK(proof->txn_index == i);
    const auto header = light.open_past(proof->block);
    REQUIRE(header);
    const auto outcome = ledger::check_receipt_proof(*proof, *header, txns[i].raw());
    REQUIRE(outcome);
    CHECK(outcome->ok == (i % 3 != 1));
  }
  CHECK(sn.value("swarm_provedReceipt", fmt::format(R"(["{}"])", hex(word(1)))).is_null());
  CHECK(says(sn.error("swarm_provedReceipt", "[7]"), "-32602"));
}

TEST_CASE("what validators sign of their heads is passed on, of nobody else") {
  network sn;
  CHECK(sn.value("swarm_validatorSigns").as_array().empty());
  sn.register_node(1, contracts::node_type::sn);
  sn.register_node(9, contracts::node_type::sl);
  sn.register_node(10, contracts::node_type::sn); // no validator
  for (const std::uint8_t key : {1, 9, 10}) {
    const auto raw = ledger::encode_sign_of_life(5, 3, "sn:1", test_key(key), sn.chain->chain_id(),
                                                 sn.chain->genesis_hash());
    std::ignore = sn.value("swarm_heartbeat", fmt::format(R"(["{}"])", to_hex(raw)));
  }
  const auto signs = sn.value("swarm_validatorSigns");
  REQUIRE(signs.as_array().size() == 1);
  const auto sign = ledger::decode_sign_of_life(*from_hex(std::string_view(signs.at(0).as_string())),
                                                sn.chain->chain_id(), sn.chain->genesis_hash());
  CHECK(sign->account == test_key(1).account());
  CHECK(sign->head == 3);
}

} // namespace proof_methods_test
