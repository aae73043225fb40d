#include "actors/sn/rpc/errors.hpp"

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "ledger/state/execute.hpp"

#include <doctest/doctest.h>

namespace errors_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;

namespace {

template <class Enum>
std::string shown(Enum which) {
  const auto code = json_code_of(fail(which, "in words").value());
  return fmt::format("{} {}", code.code, code.reason);
}

/// "code reason" of the error that a request gets.
std::string reason(const json::object& answer) {
  const auto& why = answer.at("error").as_object();
  return fmt::format("{} {}", why.at("code").as_int64(), why.at("data").at("reason").as_string().c_str());
}

/// A request with a signed transaction.
std::string send_of(const ledger::transaction& txn, std::string_view more = "") {
  return fmt::format("[\"{}\"{}]", to_hex(txn.raw()), more);
}

} // namespace

TEST_CASE("whatever is refused has a code and a word of its own") {
  CHECK(shown(rpc_errc::parse_error) == "-32700 parse_error");
  CHECK(shown(rpc_errc::rate_limited) == "-32005 rate_limited");
  CHECK(shown(rpc_errc::history_incomplete) == "-32000 history_incomplete");
  CHECK(shown(ledger::chain_errc::history_missing) == "-32001 history_incomplete");
  CHECK(shown(ledger::chain_errc::bad_filter) == "-32602 bad_filter");
  CHECK(shown(ledger::pool_errc::pool_full) == "-32000 pool_full");
  CHECK(shown(ledger::space_errc::day_full) == "-32005 day_full");
  CHECK(shown(ledger::space_errc::no_member) == shown(ledger::pool_errc::no_member));
  CHECK(shown(ledger::execution_errc::nonce_too_low) == "-32000 nonce_too_low");
  CHECK(shown(ledger::txn_errc::wrong_chain) == "-32000 wrong_chain");
  CHECK(shown(ledger::txn_errc::empty) == "-32000 txn_malformed");
  CHECK(shown(ledger::rlp_errc::too_deep) == "-32000 txn_malformed");
  CHECK(shown(ledger::chain_errc::gas_used) == "-32000 refused"); // no client hears of it
  CHECK(shown(errc::corrupt) == "-32603 internal");
  CHECK(shown(ledger::store_errc::io) == "-32603 internal");
  CHECK(shown(errc::denied) == "-32000 refused");
}

TEST_CASE("what is wrong on this host is for its log, not for clients") {
  const auto told = [](auto which) {
    const failure why(fail(which, "/home/ann/records: no space left").value());
    return std::string(error_json(why).at("message").as_string());
  };
  CHECK(told(ledger::store_errc::io) == "this SN has trouble of its own; its log says more");
  CHECK(told(errc::io) == told(ledger::store_errc::io));
  CHECK(told(rpc_errc::rate_limited) == "/home/ann/records: no space left");
}

TEST_CASE("no enumerator of the service's own is forgotten") {
  for (int i = 1; i <= static_cast<int>(rpc_errc::receipt_timeout); ++i)
    CHECK(json_code_of(fail(static_cast<rpc_errc>(i), "in words").value()).reason != "refused");
}

TEST_CASE("answers carry the reason for programs") {
  rpc_node node;
  const auto txn = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  CHECK(reason(node.ask("{")) == "-32700 parse_error");
  CHECK(reason(node.ask("[]")) == "-32600 invalid_request");
  CHECK(reason(node.call("eth_mining")) == "-32601 method_not_found");
  CHECK(reason(node.call("eth_getBalance")) == "-32602 invalid_params");
  CHECK(reason(node.call("eth_getFilterChanges", R"(["0x9"])")) == "-32000 filter_not_found");
  CHECK(reason(node.call("eth_sendRawTransaction", R"(["0x"])")) == "-32000 txn_malformed");
  node.submit(txn);
  CHECK(reason(node.call("eth_sendRawTransaction", send_of(txn))) == "-32000 already_known");
  node.seal();
  const auto other = make_txn(test_key(9), 0, input_of(op::emit, word(3), word(4)));
  CHECK(reason(node.call("eth_sendRawTransactionSync", send_of(other))) == "-32000 nonce_too_low");
}

TEST_CASE("where Ethereum's tools look into data there is what they look for") {
  rpc_node node;
  const auto no_data = [&](std::string_view method, const std::string& params) {
    const auto answer = node.call(method, params);
    const auto& why = answer.at("error").as_object();
    return why.at("code").as_int64() != 3 && !why.contains("data");
  };
  // web3.py takes an object in an error of a call for a revert, ethers.js any hexadecimal text.
  for (const auto* method : {"eth_call", "eth_estimateGas"}) {
    CHECK(no_data(method, fmt::format(R"([{{"to":"{}","value":"0x1"}}])", hex(test_key(9).account()))));
    CHECK(no_data(method, "[]"));
    CHECK(no_data(method, fmt::format(R"([{{"to":"{}"}},"0x99"])", hex(test_key(9).account()))));
  }
  const auto txn = make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)));
  CHECK(node.post(fmt::format(R"({{"id":5,"method":"eth_sendRawTransactionSync","params":{}}})",
                              send_of(txn, R"(,"0x1")")))
            .empty());
  node.pass(std::chrono::milliseconds(1));
  const auto late = json::parse(node.sent.at(0)).at("error"); // EIP-7966
  CHECK(late.at("code") == 4);
  CHECK(late.at("data") == js(hex(txn.hash())));
}

} // namespace errors_test
