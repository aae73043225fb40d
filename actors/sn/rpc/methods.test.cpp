#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "contracts/training/client.hpp"
#include "ledger/state/trie.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace rpc_methods_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// Block 1: an event (EIP-1559) and a revert (legacy). Block 2: a slot set. One transaction waits.
struct told_chain : rpc_node {
  told_chain() {
    submit(event);
    submit(revert);
    one = seal(1000);
    submit(store);
    two = seal(2000);
    submit(waits);
  }
  address who = test_key(9).account();
  ledger::transaction event = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  ledger::transaction revert = make_txn(test_key(9), 1, input_of(op::revert, word(1), word(2)));
  ledger::transaction store = make_txn(test_key(9), 2, input_of(op::store, word(3), word(33)));
  ledger::transaction waits = make_txn(test_key(9), 3, input_of(op::store, word(3), word(34)));
  ledger::block_ptr one, two;

  /// `text` with {who}, {to}, {one}, {two} filled in.
  std::string fill(std::string text) const {
    const std::vector<std::pair<std::string, std::string>> names{{"{who}", hex(who)},
                                                                 {"{to}", hex(test_address())},
                                                                 {"{one}", hex(one->hash)},
                                                                 {"{two}", hex(two->hash)},
                                                                 {"{event}", hex(event.hash())},
                                                                 {"{revert}", hex(revert.hash())},
                                                                 {"{store}", hex(store.hash())},
                                                                 {"{waits}", hex(waits.hash())}};
    for (const auto& [name, value] : names)
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
        text.replace(at, name.size(), value);
    return text;
  }
  std::string text_of(std::string_view method, std::string params) {
    return text(method, fill(std::move(params)));
  }
  json::object object_of(std::string_view method, std::string params) {
    return value(method, fill(std::move(params))).as_object();
  }
  wording error_of(std::string_view method, std::string params) {
    return error(method, fill(std::move(params)));
  }
};

} // namespace

TEST_CASE("the chain tells what it is") {
  told_chain node;
  CHECK(node.text("web3_clientVersion").starts_with("\"swarmd/v"));
  CHECK(node.text("net_version") == R"("21335")");
  CHECK(node.text("eth_chainId") == R"("0x5357")");
  CHECK(node.text("eth_blockNumber") == R"("0x2")");
  CHECK(node.text("eth_syncing") == "false");
  CHECK(node.text("net_listening") == "true");
  CHECK(node.text("web3_sha3", R"(["0x68656c6c6f"])")
        == R"("0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8")");
  CHECK(node.text("eth_accounts") == "[]");
  CHECK(node.text("eth_coinbase") == R"("0x0707070707070707070707070707070707070707")"); // the SN's account
  CHECK(node.text("eth_gasPrice") == R"("0x0")");
  CHECK(node.text("eth_maxPriorityFeePerGas") == R"("0x0")");
}

TEST_CASE("fees were always zero, blocks were so full") {
  told_chain node;
  const auto all = node.object_of("eth_feeHistory", R"(["0x400","latest",[25,75]])");
  CHECK(all.at("oldestBlock") == "0x0");
  CHECK(json::serialize(all.at("baseFeePerGas")) == R"(["0x0","0x0","0x0","0x0"])");
  CHECK(json::serialize(all.at("reward")) == R"([["0x0","0x0"],["0x0","0x0"],["0x0","0x0"]])");
  const auto& ratios = all.at("gasUsedRatio").as_array();
  REQUIRE(ratios.size() == 3);
  CHECK(ratios[0].as_double() == 0);
  CHECK(ratios[1].as_double()
        == doctest::Approx(static_cast<double>(node.one->header.gas_used)
                           / static_cast<double>(node.one->header.gas_limit)));
  const auto last = node.object_of("eth_feeHistory", R"([1,"0x1"])");
  CHECK(last.at("oldestBlock") == "0x1");
  CHECK(last.at("gasUsedRatio").as_array().size() == 1);
  CHECK_FALSE(last.contains("reward"));
  CHECK(node.object_of("eth_feeHistory", R"(["0x0","latest"])").at("gasUsedRatio").as_array().empty());
  CHECK(node.error("eth_feeHistory", R"(["0x1","0x3"])")
        == "-32000 request beyond head block: requested 3, head 2");
  CHECK(node.error("eth_feeHistory", R"(["0x1","latest",["25"]])")
        == "-32602 argument 2 (rewardPercentiles) must be an array of numbers");
}

TEST_CASE("a block has every field of the execution API") {
  told_chain node;
  const auto block = node.object_of("eth_getBlockByNumber", R"(["0x1",false])");
  const auto& header = node.one->header;
  const std::vector<std::pair<std::string, std::string>> expected{
      {"number", "0x1"},
      {"hash", hex(node.one->hash)},
      {"parentHash", hex(header.parent_hash)},
      {"sha3Uncles", "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"},
      {"miner", hex(header.coinbase)},
      {"stateRoot", hex(header.state_root)},
      {"transactionsRoot", hex(header.txns_root)},
      {"receiptsRoot", hex(header.receipts_root)},
      {"logsBloom", hex(header.logs_bloom)},
      {"difficulty", "0x1"},
      {"gasLimit", quantity(header.gas_limit)},
      {"gasUsed", quantity(header.gas_used)},
      {"timestamp", "0x3e8"},
      {"extraData", to_hex(header.extra_data)},
      {"mixHash", hex(header.mix_hash)},
      {"nonce", "0x0000000000000000"},
      {"baseFeePerGas", "0x0"},
      {"size", quantity(node.one->encoded_size)}};
  for (const auto& [name, value] : expected) {
    INFO(name);
    CHECK(block.at(name) == json::value(value));
  }
  CHECK(block.at("uncles").as_array().empty());
  CHECK(json::serialize(block.at("transactions")) == node.fill(R"(["{event}","{revert}"])"));
  const auto full = node.object_of("eth_getBlockByHash", R"(["{one}",true])");
  CHECK(full.at("hash") == block.at("hash"));
  CHECK(full.at("transactions").at(1).at("hash") == js(hex(node.revert.hash())));
}

TEST_CASE("blocks are found by number, tag and hash; what is not there is null") {
  told_chain node;
  for (auto tag : {"latest", "safe", "finalized", "pending", "0x2"})
    CHECK(node.object_of("eth_getBlockByNumber", fmt::format("[\"{}\"]", tag)).at("hash")
          == js(hex(node.two->hash)));
  CHECK(node.object_of("eth_getBlockByNumber", R"(["earliest"])").at("number") == "0x0");
  CHECK(node.text("eth_getBlockByNumber", R"(["0x3",true])") == "null");
  CHECK(node.text("eth_getBlockByHash", "[" + in_quotes(hex(word(1))) + "]") == "null");
  CHECK(node.error("eth_getBlockByNumber", R"(["newest"])")
        == "-32602 block: 'newest' is not a number in 0x form");
  CHECK(node.error("eth_getBlockByNumber", "[2]") == "-32602 argument 0 (block) must be a string");
  CHECK(node.error("eth_getBlockByNumber", R"(["0x1",1])")
        == "-32602 argument 1 (full transactions) must be true or false");
  CHECK(node.error("eth_getBlockByHash") == "-32602 missing value for required argument 0 (block hash)");
}

TEST_CASE("a transaction has every field of its type") {
  told_chain node;
  const auto typed = node.object_of("eth_getTransactionByHash", R"(["{event}"])");
  const std::vector<std::pair<std::string, std::string>> expected{{"hash", "{event}"},
                                                                  {"type", "0x2"},
                                                                  {"chainId", "0x5357"},
                                                                  {"nonce", "0x0"},
                                                                  {"from", "{who}"},
                                                                  {"to", "{to}"},
                                                                  {"value", "0x0"},
                                                                  {"gas", "0xf4240"},
                                                                  {"gasPrice", "0x0"},
                                                                  {"maxFeePerGas", "0x0"},
                                                                  {"blockHash", "{one}"},
                                                                  {"blockNumber", "0x1"},
                                                                  {"maxPriorityFeePerGas", "0x0"},
                                                                  {"transactionIndex", "0x0"}};
  for (const auto& [name, value] : expected) {
    INFO(name);
    CHECK(typed.at(name) == json::value(node.fill(value)));
  }
  CHECK(typed.at("input") == js(to_hex(node.event.fields().data)));
  CHECK(typed.at("accessList").as_array().empty());
  CHECK(typed.at("v") == typed.at("yParity"));
  const auto legacy = node.object_of("eth_getTransactionByHash", R"(["{revert}"])");
  CHECK(legacy.at("type") == "0x0");
  CHECK(legacy.at("transactionIndex") == "0x1");
  CHECK_FALSE(legacy.contains("yParity"));
  CHECK_FALSE(legacy.contains("maxFeePerGas"));
  const auto v = parse_quantity(std::string(legacy.at("v").as_string()), "v").value();
  CHECK((v == 35 + 2 * 21335 || v == 36 + 2 * 21335));
}

TEST_CASE("a waiting transaction has no block, an unknown one is null") {
  told_chain node;
  const auto waiting = node.object_of("eth_getTransactionByHash", R"(["{waits}"])");
  CHECK(waiting.at("blockHash").is_null());
  CHECK(waiting.at("blockNumber").is_null());
  CHECK(waiting.at("transactionIndex").is_null());
  CHECK(waiting.at("nonce") == "0x3");
  CHECK(node.text_of("eth_getTransactionReceipt", R"(["{waits}"])") == "null");
  CHECK(node.text_of("eth_getTransactionByHash", R"(["{one}"])") == "null");
  CHECK(node.text_of("eth_getTransactionReceipt", R"(["{one}"])") == "null");
}

TEST_CASE("a receipt tells what a transaction did") {
  told_chain node;
  const auto good = node.object_of("eth_getTransactionReceipt", R"(["{event}"])");
  CHECK(good.at("status") == "0x1");
  CHECK(good.at("type") == "0x2");
  CHECK(good.at("contractAddress").is_null());
  CHECK(good.at("from") == js(hex(node.who)));
  CHECK(good.at("to") == js(hex(test_address())));
  CHECK(good.at("gasUsed") == good.at("cumulativeGasUsed"));
  CHECK(good.at("effectiveGasPrice") == "0x0");
  const auto& logs = good.at("logs").as_array();
  REQUIRE(logs.size() == 1);
  CHECK(logs[0] == node.value("eth_getLogs", R"([{"fromBlock":"0x0"}])").at(0));
  CHECK(logs[0].at("removed") == false);
  CHECK(logs[0].at("topics").at(0) == js(hex(word(1))));
  const auto bad = node.object_of("eth_getTransactionReceipt", R"(["{revert}"])");
  CHECK(bad.at("status") == "0x0");
  CHECK(bad.at("type") == "0x0");
  CHECK(bad.at("logs").as_array().empty());
  CHECK(bad.at("revertReason") == js(to_hex(nope())));
  CHECK(bad.at("cumulativeGasUsed") == js(quantity(node.one->header.gas_used)));
  CHECK_FALSE(good.contains("revertReason"));
  const auto both = node.value("eth_getBlockReceipts", R"(["0x1"])").as_array();
  REQUIRE(both.size() == 2);
  CHECK(both[0] == json::value(good));
  CHECK(both[1] == json::value(bad));
  CHECK(node.text_of("eth_getBlockReceipts", R"(["{one}"])") == json::serialize(both));
  CHECK(node.text("eth_getBlockReceipts", R"(["0x9"])") == "null");
}

TEST_CASE("accounts can be asked for at any block") {
  told_chain node;
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}","latest"])") == R"("0x3")");
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}"])") == R"("0x3")");
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}","pending"])") == R"("0x4")");
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}","0x1"])") == R"("0x2")");
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}","earliest"])") == R"("0x0")");
  CHECK(node.text_of("eth_getBalance", R"(["{who}","latest"])") == R"("0x0")");
  CHECK(node.text_of("eth_getCode", R"(["{to}","latest"])") == R"("0xfe07")");
  CHECK(node.text_of("eth_getCode", R"(["{who}","latest"])") == R"("0x")");
  CHECK(node.text_of("eth_getStorageAt", R"(["{to}","0x3","latest"])") == in_quotes(hex(word(33))));
  CHECK(node.text_of("eth_getStorageAt", R"(["{to}","0x3","0x1"])") == in_quotes(hex(word(0))));
  for (auto method : {"eth_getBalance", "eth_getCode", "eth_getTransactionCount"})
    CHECK(node.error_of(method, R"(["{who}","0x3"])") == "-32001 block 3 is not there, the head is 2");
  CHECK(node.error_of("eth_getStorageAt", R"(["{to}"])")
        == "-32602 missing value for required argument 1 (slot)");
  CHECK(node.error_of("eth_getBalance", R"(["0x12"])") == "-32602 address: expected 20 bytes, got 1");
}

TEST_CASE("state is found by the hash of its block, too") {
  told_chain node;
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}",{"blockHash":"{one}"}])") == R"("0x2")");
  CHECK(node.text_of("eth_getTransactionCount", R"(["{who}",{"blockNumber":"0x2"}])") == R"("0x3")");
  CHECK(node.text_of("eth_getStorageAt", R"(["{to}","0x3","{one}"])") == in_quotes(hex(word(0))));
  CHECK(node.text_of("eth_getStorageAt", R"(["{to}","0x3",{"blockHash":"{two}","requireCanonical":true}])")
        == in_quotes(hex(word(33))));
  CHECK(node.text_of("eth_getCode", R"(["{to}",{"blockHash":"{one}"}])") == R"("0xfe07")");
  CHECK(node.text_of("eth_call", R"([{"to":"{who}"},{"blockHash":"{one}"}])") == R"("0x")");
  CHECK(
      node.error("eth_getBalance", fmt::format(R"(["{}",{{"blockHash":"{}"}}])", hex(node.who), hex(word(1))))
      == "-32001 unknown block " + hex(word(1)));
  CHECK(node.text_of("eth_getBlockReceipts", R"([{"blockHash":"{one}"}])")
        == node.text("eth_getBlockReceipts", R"(["0x1"])"));
  CHECK(node.error("eth_getBlockReceipts") == "-32602 missing value for required argument 0 (block)");
}

TEST_CASE("the parts of a block are counted and found by their place") {
  told_chain node;
  CHECK(node.text("eth_getBlockTransactionCountByNumber", R"(["0x1"])") == R"("0x2")");
  CHECK(node.text_of("eth_getBlockTransactionCountByHash", R"(["{two}"])") == R"("0x1")");
  CHECK(node.text("eth_getBlockTransactionCountByNumber", R"(["0x7"])") == "null");
  CHECK(node.text("eth_getUncleCountByBlockNumber", R"(["0x1"])") == R"("0x0")");
  CHECK(node.text_of("eth_getUncleCountByBlockHash", R"(["{one}"])") == R"("0x0")");
  const auto second = node.text_of("eth_getTransactionByHash", R"(["{revert}"])");
  CHECK(node.text("eth_getTransactionByBlockNumberAndIndex", R"(["0x1","0x1"])") == second);
  CHECK(node.text_of("eth_getTransactionByBlockHashAndIndex", R"(["{one}","0x1"])") == second);
  CHECK(node.text("eth_getTransactionByBlockNumberAndIndex", R"(["0x1","0x2"])") == "null");
  CHECK(node.text("eth_getTransactionByBlockNumberAndIndex", R"(["0x8","0x0"])") == "null");
}

TEST_CASE("a proof leads from the state root to account and slots") {
  told_chain node;
  const auto proof = node.object_of("eth_getProof", R"(["{to}",["0x3","0x9"],"latest"])");
  const auto nodes_of = [](const json::value& list) {
    std::vector<bytes> out;
    for (const auto& one : list.as_array())
      out.push_back(from_hex(one.as_string()).value());
    return out;
  };
  const auto shown =
      ledger::verify_proof(node.two->header.state_root, keccak256(test_address().view()).view(),
                           nodes_of(proof.at("accountProof")));
  REQUIRE(shown);
  REQUIRE(*shown);
  const auto account = ledger::decode_account(**shown).value();
  CHECK(proof.at("storageHash") == js(hex(account.storage_root)));
  CHECK(proof.at("codeHash") == js(hex(account.code_hash)));
  CHECK(proof.at("nonce") == js(quantity(account.nonce)));
  const auto& slots = proof.at("storageProof").as_array();
  REQUIRE(slots.size() == 2);
  CHECK(slots[0].at("value") == "0x21");
  CHECK(*ledger::verify_proof(account.storage_root, keccak256(word(3).view()).view(),
                              nodes_of(slots[0].at("proof")))
        == bytes{33});
  CHECK(slots[1].at("value") == "0x0");
  CHECK(*ledger::verify_proof(account.storage_root, keccak256(word(9).view()).view(),
                              nodes_of(slots[1].at("proof")))
        == std::nullopt);
  CHECK(node.error_of("eth_getProof", R"(["{to}","0x3","latest"])")
        == "-32602 argument 1 (storage keys) must be an array");
  std::string many = "\"0x1\"";
  for (std::size_t i = 0; i < reader::proof_slots_max; ++i)
    many += ",\"0x1\"";
  CHECK(node.error_of("eth_getProof", R"(["{to}",[)" + many + R"(],"latest"])")
        == "-32005 storage keys: at most 256");
}

TEST_CASE("a call answers, reverts with its reason and data, or runs out of gas") {
  told_chain node;
  const auto call = [&](const bytes& input, std::string_view more = "") {
    return fmt::format(R"([{{"to":"{}","input":"{}"{}}},"latest"])", hex(test_address()), to_hex(input),
                       more);
  };
  CHECK(node.text("eth_call", call(input_of(op::load, word(3)))) == in_quotes(hex(word(33))));
  auto answer = node.call("eth_call", call(input_of(op::revert, word(1), word(1))));
  CHECK(rpc_node::error_text(answer) == "3 execution reverted: nope");
  CHECK(answer.at("error").at("data") == js(to_hex(nope())));
  answer = node.call("eth_estimateGas", call(input_of(op::revert, word(1), word(1))));
  CHECK(rpc_node::error_text(answer) == "3 execution reverted: nope");
  answer = node.call("eth_call", call({0xff}));
  CHECK(rpc_node::error_text(answer) == "3 execution reverted");
  CHECK(answer.at("error").at("data") == "0x");
  CHECK(node.error("eth_call", call(input_of(op::burn))) == "-32000 out of gas");
  CHECK(node.error("eth_call", call({}, R"(,"value":"0x1")")).starts_with("-32000 insufficient funds"));
  CHECK(node.error("eth_call", call({}, R"(,"value":"0x10000000000000000")"))
            .starts_with("-32000 insufficient funds"));
  CHECK(node.error("eth_call", R"([{"data":"0x"}])").starts_with("-32000 contract creation"));
  CHECK(node.error("eth_call", call({}, R"(,"gas":"0x1")")).starts_with("-32000 intrinsic gas too low"));
  CHECK(node.error("eth_call", "[]") == "-32602 missing value for required argument 0 (call)");
  CHECK(node.text_of("eth_call", R"([{"to":"{who}"}])") == R"("0x")");
  CHECK(node.text_of("eth_call", R"([{"to":"{who}"},"latest",{},{}])") == R"("0x")");
  CHECK(node.error_of("eth_call", R"([{"to":"{who}"},"latest",{"{who}":{"balance":"0x1"}}])")
        == "-32602 argument 2: state and block overrides are not supported");
  // At an older block.
  auto old = call(input_of(op::load, word(3)));
  old.replace(old.find("latest"), 6, "0x1");
  CHECK(node.text("eth_call", old) == in_quotes(hex(word(0))));
}

TEST_CASE("an estimate is a limit that suffices") {
  told_chain node;
  const auto input = input_of(op::store, word(8), word(8));
  const auto estimate =
      node.value("eth_estimateGas", fmt::format(R"([{{"from":"{}","to":"{}","data":"{}"}}])", hex(node.who),
                                                hex(test_address()), to_hex(input)));
  const auto gas = parse_quantity(std::string(estimate.as_string()), "gas").value();
  node.submit(make_txn(test_key(9), 4, input, gas));
  const auto block = node.seal();
  REQUIRE(block->txns.size() == 2);
  CHECK(block->outcomes[1].consensus.ok);
}

TEST_CASE("logs are found by range, block, address and topics") {
  told_chain node;
  const auto count = [&](const std::string& params) {
    return node.value("eth_getLogs", node.fill(params)).as_array().size();
  };
  CHECK(count(R"([{"fromBlock":"earliest","toBlock":"latest"}])") == 1);
  CHECK(count("[{}]") == 0); // the head alone
  CHECK(count(R"([{"blockHash":"{one}"}])") == 1);
  CHECK(count(R"([{"blockHash":"{two}"}])") == 0);
  CHECK(count(R"([{"fromBlock":"0x1","toBlock":"0x1","address":"{to}"}])") == 1);
  CHECK(count(R"([{"fromBlock":"0x0","address":["{who}"]}])") == 0);
  CHECK(count(fmt::format(R"([{{"fromBlock":"0x0","topics":["{}"]}}])", hex(word(1)))) == 1);
  CHECK(count(fmt::format(R"([{{"fromBlock":"0x0","topics":["{}"]}}])", hex(word(2)))) == 0);
  CHECK(count(R"([{"fromBlock":"0x0","topics":[null,null]}])") == 1);
  CHECK(count(R"([{"fromBlock":"0x0","topics":[null,null,null]}])") == 0);
  CHECK(count(R"([{"fromBlock":"0x3"}])") == 0); // a poller ahead of the head
  CHECK(count(R"([{"fromBlock":"0x3","toBlock":"latest"}])") == 0);
  CHECK(node.error("eth_getLogs", R"([{"fromBlock":"0x2","toBlock":"0x1"}])")
        == "-32602 invalid block range: from 2 to 1");
  CHECK(node.error("eth_getLogs", fmt::format(R"([{{"blockHash":"{}"}}])", hex(word(1))))
        == "-32001 unknown block " + hex(word(1)));
  CHECK(node.error("eth_getLogs", "[7]") == "-32602 argument 0 (filter) must be an object");
}

TEST_CASE("a raw transaction is taken or refused in the words that clients look for") {
  told_chain node;
  const auto send = [&](const bytes& raw) { return fmt::format("[\"{}\"]", to_hex(raw)); };
  const auto good = make_txn(test_key(9), 4, input_of(op::store, word(1), word(1)));
  CHECK(node.text("eth_sendRawTransaction", send(good.raw())) == in_quotes(hex(good.hash())));
  CHECK(node.error("eth_sendRawTransaction", send(good.raw())).starts_with("-32000 already known"));
  CHECK(node.error("eth_sendRawTransaction", send(node.event.raw())).starts_with("-32000 nonce too low"));
  const auto other = make_txn(test_key(9), 4, input_of(op::store, word(1), word(2)));
  CHECK(node.error("eth_sendRawTransaction", send(other.raw()))
            .starts_with("-32000 replacement transaction underpriced"));
  ledger::txn_fields fields{.nonce = 5, .gas_limit = 100'000, .to = test_address()};
  const auto signed_by = [&](const ledger::txn_fields& from, std::uint64_t chain_id) {
    return send(ledger::make_signed(from, test_key(9), chain_id)->raw());
  };
  CHECK(node.error("eth_sendRawTransaction", signed_by(fields, 1))
            .starts_with("-32000 invalid chain id for signer"));
  fields.value = u256(1);
  CHECK(node.error("eth_sendRawTransaction", signed_by(fields, 21335))
            .starts_with("-32000 insufficient funds"));
  fields.value = {};
  fields.gas_limit = 1;
  CHECK(node.error("eth_sendRawTransaction", signed_by(fields, 21335))
            .starts_with("-32000 intrinsic gas too low"));
  CHECK(node.error("eth_sendRawTransaction", R"(["0x"])") == "-32000 transaction: no bytes at all");
  CHECK(node.error("eth_sendRawTransaction", R"(["f8"])") == "-32602 transaction: data must start with 0x");
  // A pre-EIP-155 signature (v 27): sign for chain 0 by hand.
  const auto unprotected =
      *from_hex("0xf86103018207d094b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8255441ca098ff921201554726367d2b"
                "e8c804a7ff89ccf285"
                "ebc57dff8ae4c44b9c19ac4aa08887321be575c8095f789dd4c743dfe42c1820f9231f98a962b210e3ac2452a3");
  CHECK(says(node.error("eth_sendRawTransaction", send(unprotected)), "only replay-protected"));
}

TEST_CASE("a merge that is not there cannot be proved") {
  rpc_node node;
  const auto said = [&](const std::string& params) { return node.error("swarm_proveMerge", params); };
  CHECK(said("[]") == "-32602 missing value for required argument 0 (contract)");
  CHECK(said(R"(["none"])") == "-32602 missing value for required argument 1 (round)");
  CHECK(said(R"(["none", 1])") == "-32602 there is no training contract 'none' on this chain");
  const auto name = in_quotes(std::string(contracts::default_training_name));
  CHECK(said("[" + name + ", 1]") == "-32602 'defaultbb.cqdb.sml.hpe' has no merge of round 1");
  CHECK(said("[" + name + ", 1, 3]").ends_with("has no merge of round 1 in generation 3"));
}

} // namespace rpc_methods_test
