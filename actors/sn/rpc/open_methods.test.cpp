#include "actors/sn/rpc/open_methods.hpp"

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/training/client.hpp"

#include <doctest/doctest.h>

namespace open_methods_test {

using namespace swarm;
using namespace swarm::rpc::test;
using swarm::testing::says;

namespace {

std::string call_to(const address& to, const bytes& input) {
  return fmt::format(R"({{"to":"{}","data":"{}"}})", hex(to), to_hex(input));
}

const auto registry = contracts::node_registry_address();
const auto own_record = call_to(registry, contracts::encode_node(address{}));
const auto all_records = call_to(registry, contracts::encode_nodes(0, 10));

/// A node at which nobody is a member.
struct closed_node : rpc_node {
  closed_node() {
    from.may_read = [] { return fail(rpc::rpc_errc::no_member, "only members read this chain"); };
    from.reading_refused = [this](const std::string&) { ++refused; };
  }
  int refused = 0; ///< questions, as log and status are told
  bool is_refused(std::string_view method, std::string_view params = "[]") {
    const auto answer = call(method, params);
    if (!answer.contains("error")) return false;
    const auto& error = answer.at("error").as_object();
    const auto* data = error.contains("data") ? error.at("data").if_object() : nullptr;
    if (data != nullptr) return data->at("reason").as_string() == "no_member";
    return says(std::string(error.at("message").as_string()), "only members"); // of an eth_call
  }
};

} // namespace

TEST_CASE("who is no member asks for what a registration takes") {
  closed_node n;
  for (const auto* method :
       {"eth_chainId", "eth_blockNumber", "eth_coinbase", "swarm_genesis", "swarm_apiEndpoints",
        "swarm_validatorChanges", "swarm_validatorSigns", "web3_clientVersion"})
    CHECK_FALSE(n.is_refused(method));
  CHECK_FALSE(n.is_refused("eth_getBlockByNumber", R"(["0x0",false])"));
  CHECK_FALSE(n.is_refused("eth_getTransactionCount", fmt::format(R"(["{}","pending"])", hex(registry))));
  CHECK_FALSE(n.is_refused("eth_getTransactionReceipt", fmt::format(R"(["{}"])", hex(word(1)))));
  CHECK_FALSE(n.is_refused("eth_sendRawTransaction", R"(["0x00"])"));
  CHECK_FALSE(n.is_refused("eth_call", fmt::format(R"([{},"latest"])", own_record)));
  CHECK_FALSE(n.is_refused("swarm_provedCall", fmt::format("[[{}]]", own_record)));
  const auto owner = call_to(contracts::organisation_registry_address(),
                             contracts::encode(contracts::anchor_owner_args{word(1)}));
  CHECK_FALSE(n.is_refused("swarm_provedCall", fmt::format("[[{},{}]]", own_record, owner)));
  CHECK(n.refused == 0);
}

TEST_CASE("who is no member reads nothing else of the chain") {
  closed_node n;
  for (const auto* method :
       {"eth_getLogs", "eth_newFilter", "eth_newBlockFilter", "eth_subscribe", "swarm_nodes",
        "swarm_silentNodes", "swarm_heartbeat", "swarm_proveMerge", "eth_getProof", "eth_getStorageAt",
        "eth_getCode", "eth_feeHistory", "eth_getBalance", "eth_estimateGas", "eth_getTransactionByHash",
        "eth_getBlockByHash", "a_methodOfTomorrow"})
    CHECK(n.is_refused(method));
  CHECK(n.refused == 17);
  CHECK(n.is_refused("eth_getBlockByNumber", R"(["latest",false])"));
  CHECK(n.is_refused("eth_getBlockByNumber", R"(["0x1",true])"));
  CHECK(n.is_refused("eth_getBlockByNumber"));
  CHECK(n.is_refused("eth_call", fmt::format(R"([{},"latest"])", all_records)));
  // Neither an older state, nor another contract with the same function.
  CHECK(n.is_refused("eth_call", fmt::format(R"([{},"0x0"])", own_record)));
  const auto elsewhere = call_to(contracts::training_address("x"), contracts::encode_node(address{}));
  CHECK(n.is_refused("eth_call", fmt::format("[{}]", elsewhere)));
  // Not behind a question that is for everybody.
  CHECK(n.is_refused("swarm_provedCall", fmt::format("[[{},{}]]", own_record, all_records)));
  CHECK(n.is_refused("swarm_provedCall", R"(["nonsense"])"));
}

TEST_CASE("each request of a batch is judged for itself") {
  closed_node n;
  const auto answers = n.post(R"([{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},)"
                              R"({"jsonrpc":"2.0","id":2,"method":"eth_getLogs","params":[{}]},)"
                              R"({"jsonrpc":"2.0","id":3,"method":"swarm_nodes"}])");
  REQUIRE(answers.size() == 1);
  const auto list = json::parse(answers[0]).as_array();
  CHECK(list.at(0).as_object().contains("result"));
  CHECK(list.at(1).as_object().contains("error"));
  CHECK(list.at(2).as_object().contains("error"));
}

} // namespace open_methods_test
