#include "actors/sn_client/session/json_rpc.hpp"

#include <doctest/doctest.h>

namespace json_rpc_test {

using namespace swarm;
using namespace swarm::session;
namespace json = boost::json;

namespace {

json::value js(std::string_view text) {
  return json::parse(text);
}

refusal meaning(std::string_view failure) {
  const auto out = result_of(js(fmt::format(R"({{"id":1,"error":{}}})", failure)));
  REQUIRE_FALSE(out);
  REQUIRE(out.error().category == error_category(refusal{}));
  return static_cast<refusal>(out.error().code);
}

result<call_receipt> receipt(std::string_view value) {
  return receipt_of(js(fmt::format(R"({{"id":1,"result":{}}})", value)));
}

std::optional<std::uint64_t> id(std::string_view value) {
  return id_of(js(fmt::format(R"({{"id":{}}})", value)).as_object());
}

} // namespace

TEST_CASE("a batch has consecutive ids") {
  const auto batch = json::parse(encode_batch({{"a", {}}, {"b", {1, "x"}}}, 41)).as_array();
  REQUIRE(batch.size() == 2);
  CHECK(batch[0] == js(R"({"jsonrpc":"2.0","id":41,"method":"a","params":[]})"));
  CHECK(batch[1] == js(R"({"jsonrpc":"2.0","id":42,"method":"b","params":[1,"x"]})"));
}

TEST_CASE("only whole numbers from 0 on are ids") {
  CHECK(id("0") == 0);
  CHECK(id("17") == 17);
  CHECK(id("18446744073709551615") == ~std::uint64_t{0});
  for (const auto* other : {"-1", "1.0", "1e3", "\"1\"", "null", "true", "[1]", "{}", "18446744073709551616",
                            "-9223372036854775808"})
    CHECK_FALSE(id(other));
  CHECK_FALSE(id_of(json::object{}));
}

TEST_CASE("an error means what its code and reason say, whatever its text") {
  const auto with = [](int code, std::string_view reason) {
    return meaning(fmt::format(R"({{"code":{},"message":"m","data":{{"reason":"{}"}}}})", code, reason));
  };
  CHECK(with(-32000, "pool_full") == refusal::busy);
  CHECK(with(-32000, "sender_full") == refusal::busy);
  CHECK(with(-32005, "waiting_full") == refusal::busy);
  CHECK(with(-32005, "rate_limited") == refusal::busy);
  CHECK(with(-32000, "history_incomplete") == refusal::history_incomplete);
  CHECK(with(-32000, "nonce_too_low") == refusal::nonce_too_low);
  CHECK(with(-32005, "too_many_logs") == refusal::other);
  CHECK(with(-32000, "of a later version") == refusal::other);
  CHECK(meaning(R"({"code":3,"message":"m","data":"0x08c379a0"})") == refusal::reverted);
  CHECK(meaning(R"({"code":4,"message":"m","data":"0x00"})") == refusal::receipt_timeout);
  CHECK(meaning(R"({"code":-32005,"message":"m"})") == refusal::busy);
  CHECK(meaning(R"({"code":-32000,"message":"pool is full, timeout, rate limit"})") == refusal::other);
  for (const auto* malformed :
       {"1", "\"text\"", "[]", "{}", R"({"code":"4"})", R"({"code":4.0})", R"({"code":18446744073709551615})",
        R"({"message":7,"data":[]})", R"({"code":-32000,"data":{"reason":4}})", "true"})
    CHECK(meaning(malformed) == refusal::other);
  CHECK(result_of(js(R"({"id":1,"error":{"message":"in words"}})")).error().message.size() == 8);
  const auto endless = std::string(100'000, 'x');
  CHECK(result_of(js(fmt::format(R"({{"error":{{"message":"{}"}}}})", endless))).error().message.size()
        <= 1024);
}

TEST_CASE("answers without a result, or with another one than was asked for, are malformed") {
  for (const auto* other : {"{}", "[]", "7", "null", "\"x\"", R"({"id":1,"error":null})"}) {
    CHECK(result_of(js(other)).error().is(refusal::malformed_answer));
    CHECK_FALSE(receipt_of(js(other)));
    CHECK_FALSE(block_hash_of(js(other)));
  }
  CHECK(quantity_of(js(R"({"error":null,"result":"0x10"})")) == 16);
  for (const auto* other : {"16", "\"16\"", "\"0x\"", "\"0xg\"", "\"0x-1\"", "\"0x10000000000000000\"",
                            "null", "{}", "\"\"", "\"0x1 \"", "[\"0x1\"]"})
    CHECK_FALSE(quantity_of(js(fmt::format(R"({{"result":{}}})", other))));
  CHECK(output_of(js(R"({"result":"0x0102"})")) == bytes{1, 2});
  CHECK_FALSE(output_of(js(R"({"result":"0x010"})")));
  CHECK_FALSE(output_of(js(R"({"result":7})")));
  CHECK_FALSE(block_hash_of(js(R"({"result":{"hash":"0x01"}})")));
  CHECK_FALSE(block_hash_of(js(R"({"result":{"hash":7}})")));
  CHECK(texts_of(js(R"({"result":["a",7,null,"b","c"]})"), 2) == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(texts_of(js(R"({"result":"a"})"), 2));
}

TEST_CASE("a receipt says whether the transaction succeeded, and why not") {
  CHECK(receipt(R"({"status":"0x1","blockNumber":"0xff","more":[]})") == call_receipt{true, 255, {}});
  CHECK(receipt(R"({"status":"0x0","blockNumber":"0x2"})")->ok == false);
  // Error("nope"), as a contract says it.
  const auto nope = "0x08c379a0" + std::string(62, '0') + "20" + std::string(63, '0') + "4" + "6e6f7065"
                    + std::string(56, '0');
  CHECK(receipt(fmt::format(R"({{"status":"0x0","blockNumber":"0x2","revertReason":"{}"}})", nope))->revert
        == "nope");
  CHECK(receipt(R"({"status":"0x0","blockNumber":"0x2","revertReason":7})")->ok == false);
  CHECK(receipt(R"({"status":"0x0","blockNumber":"0x2","revertReason":"0x08c379a0ff"})")->ok == false);
  for (const auto* other :
       {"null", "[]", "\"0x1\"", "{}", R"({"status":"0x1"})", R"({"blockNumber":"0x1"})",
        R"({"status":1,"blockNumber":"0x1"})", R"({"status":"0x2","blockNumber":"0x1"})",
        R"({"status":"0x1","blockNumber":1})", R"({"status":"0x1","blockNumber":"0x10000000000000000"})"})
    CHECK(receipt(other).error().is(refusal::malformed_answer));
}

} // namespace json_rpc_test
