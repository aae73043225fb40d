#include "actors/sn/rpc/params.hpp"

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace params_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::wording;

namespace {

/// Keeps the array that params refers to.
struct given {
  explicit given(std::string_view text) : list(json::parse(text).as_array()) {}
  params operator*() const { return params(list); }
  json::array list;
};

template <class T>
wording refusal(const result<T>& from) {
  REQUIRE_FALSE(from);
  REQUIRE(from.error().category == error_category(rpc_errc::internal));
  return fmt::format("{} {}", json_code_of(from.error()).code, from.error().message);
}

json::object object(std::string_view text) {
  return json::parse(text).as_object();
}

} // namespace

TEST_CASE("a quantity is written without leading zeros") {
  CHECK(quantity(std::uint64_t{0}) == "0x0");
  CHECK(quantity(std::uint64_t{0x400}) == "0x400");
  CHECK(quantity(~std::uint64_t{0}) == "0xffffffffffffffff");
  CHECK(quantity(u256()) == "0x0");
  CHECK(quantity(u256(0x0fff)) == "0xfff");
  hash32 most;
  most.fill(0xff);
  CHECK(quantity(u256(most)) == "0x" + std::string(64, 'f'));
  CHECK(hex_data({}) == "0x");
}

TEST_CASE("a quantity is read in 0x form only, and only where it fits") {
  CHECK(*parse_quantity("0x0", "n") == 0);
  CHECK(*parse_quantity("0xfF", "n") == 255);
  CHECK(*parse_quantity("0x01", "n") == 1); // some clients pad
  CHECK(*parse_quantity("0xffffffffffffffff", "n") == ~std::uint64_t{0});
  for (auto bad : {"", "0x", "1", "0X1", "0xg", "0x1g", "0x-1", "0x 1", " 0x1", "0x+1"})
    CHECK(refusal(parse_quantity(bad, "n")) == fmt::format("-32602 n: '{}' is not a number in 0x form", bad));
  CHECK(refusal(parse_quantity("0x10000000000000000", "n"))
        == "-32602 n: '0x10000000000000000' does not fit 64 bits");
  CHECK(*parse_wide_quantity("0x10000000000000000", "n")
        == u256(
            *fixed_from_hex<32>("000000000000000000000000000000000000000000000001" + std::string(16, '0'))));
  CHECK(*parse_wide_quantity("0x1", "n") == u256(1));
  for (auto bad : {"", "0x", "12", "0xzz", "0x0x1"})
    CHECK_FALSE(parse_wide_quantity(bad, "n"));
  CHECK_FALSE(parse_wide_quantity("0x1" + std::string(64, '0'), "n"));
}

TEST_CASE("what a client sent is shown shortened, never with half a character") {
  CHECK(shown("short") == "short");
  CHECK(shown(std::string(100, 'a')) == std::string(80, 'a'));
  const std::string wide = std::string(79, 'a') + "\xe2\x82\xac!"; // a euro sign across the limit
  CHECK(shown(wide) == std::string(79, 'a'));
  CHECK(shown("\xe2\x82\xac", 2).empty());
}

TEST_CASE("parameters are read by position and named when they are missing or wrong") {
  const given some(R"(["a\u0000b", "0x10", true, null, 5, "0xabc", [1, 2.5], {}])");
  const auto args = *some;
  CHECK(*args.text(0, "t") == std::string("a\0b", 3));
  CHECK(*args.number(1, "n") == 16);
  CHECK(*args.count(4, "n") == 5);
  CHECK(*args.count(1, "n") == 16);
  CHECK(*args.flag(2, "f"));
  CHECK_FALSE(*args.flag(3, "f"));
  CHECK_FALSE(*args.flag(99, "f"));
  CHECK(*args.numbers(6, "l", 2) == 2);
  CHECK(*args.numbers(3, "l", 2) == 0);
  CHECK(args.has(0));
  CHECK_FALSE(args.has(3)); // null is as good as nothing
  CHECK_FALSE(args.has(8));
  CHECK(refusal(args.text(3, "t")) == "-32602 missing value for required argument 3 (t)");
  CHECK(refusal(args.text(8, "t")) == "-32602 missing value for required argument 8 (t)");
  CHECK(refusal(args.text(4, "t")) == "-32602 argument 4 (t) must be a string");
  CHECK(refusal(args.flag(4, "f")) == "-32602 argument 4 (f) must be true or false");
  CHECK(refusal(args.raw(0, "d")) == "-32602 d: data must start with 0x");
  CHECK_FALSE(args.raw(5, "d")); // an odd number of digits
  CHECK(refusal(args.numbers(0, "l", 2)) == "-32602 argument 0 (l) must be an array of numbers");
  CHECK(refusal(args.numbers(6, "l", 1)) == "-32005 l: at most 1");
  CHECK(refusal(args.object(0, "o")) == "-32602 argument 0 (o) must be an object");
  CHECK(refusal(args.object(9, "o")) == "-32602 missing value for required argument 9 (o)");
  CHECK((*args.object(7, "o"))->empty());
  CHECK_FALSE((*given("[-5]")).count(0, "n"));
}

TEST_CASE("hashes and addresses have their exact width") {
  const given some(R"(["0x0000000000000000000000000000000000005001", "0x5001",
                       "0x00000000000000000000000000000000000000000000000000000000000000ff"])");
  const auto args = *some;
  CHECK((*args.account(0, "a"))[18] == 0x50);
  CHECK((*args.hash(2, "h"))[31] == 0xff);
  CHECK(refusal(args.account(1, "a")) == "-32602 a: expected 20 bytes, got 2");
  CHECK(refusal(args.hash(0, "h")) == "-32602 h: expected 32 bytes, got 20");
}

TEST_CASE("storage keys come with any number of digits") {
  CHECK(*parse_slot("0x0") == word(0));
  CHECK(*parse_slot("0xf1") == word(0xf1));
  CHECK(*parse_slot("0x" + std::string(62, '0') + "2a") == word(42));
  for (const auto& bad :
       {std::string("0x"), std::string("1"), "0x" + std::string(65, '0'), std::string("0x1z")})
    CHECK_FALSE(parse_slot(bad));
}

TEST_CASE("a call takes input before data and refuses two that differ") {
  const auto read = [](std::string_view text) { return (*given("[" + std::string(text) + "]")).call(0); };
  const auto full = read(R"({"from":"0x0000000000000000000000000000000000000001",
      "to":"0x0000000000000000000000000000000000005001","gas":"0x5208","value":"0x10000000000000000",
      "input":"0x0102","data":"0x0102","gasPrice":"0x0","something":[]})");
  REQUIRE(full);
  CHECK(full->from[19] == 1);
  CHECK((*full->to)[19] == 1);
  CHECK(full->gas_limit == 21000);
  CHECK_FALSE(full->value.fits_u64());
  CHECK(full->input == bytes{1, 2});
  const auto least = read("{}");
  REQUIRE(least);
  CHECK(least->from.is_zero());
  CHECK_FALSE(least->to);
  CHECK(least->input.empty());
  CHECK(read(R"({"data":"0x07","to":null,"gas":null})")->input == bytes{7});
  CHECK(refusal(read(R"({"data":"0x07","input":"0x08"})"))
        == R"(-32602 both "data" and "input" are set and not equal; use "input")");
  for (auto bad : {R"({"to":"0x1"})", R"({"gas":5})", R"({"value":"ten"})", R"({"input":7})", "7"})
    CHECK_FALSE(read(bad));
}

TEST_CASE("a filter has addresses and positional topics") {
  const auto one = parse_filter(object(R"({"address":"0x0000000000000000000000000000000000005001"})"));
  REQUIRE(one);
  CHECK(one->addresses.size() == 1);
  const std::string topic = "\"" + hex(word(7)) + "\"";
  const auto full =
      parse_filter(object(fmt::format(R"({{"address":[],"topics":[null,[{0},{0}],{0},[]]}})", topic)));
  REQUIRE(full);
  REQUIRE(full->topics.size() == 4);
  CHECK(full->topics[0].empty());
  CHECK(full->topics[1].size() == 2);
  CHECK(full->topics[2] == std::vector{word(7)});
  CHECK(full->topics[3].empty());
  CHECK(parse_filter(object(R"({"address":null,"topics":null})"))->topics.empty());
  CHECK(refusal(parse_filter(object(R"({"topics":{}})"))) == "-32602 topics must be an array");
  CHECK(refusal(parse_filter(object(R"({"topics":[null,null,null,null,null]})")))
        == "-32602 a log has at most 4 topics");
  CHECK_FALSE(parse_filter(object(R"({"topics":[[null]]})")));
  CHECK_FALSE(parse_filter(object(R"({"topics":["0x01"]})")));
  CHECK_FALSE(parse_filter(object(R"({"address":5})")));
  std::string many = topic;
  for (std::size_t i = 0; i < ledger::log_filter::alternatives_max; ++i)
    many += "," + topic;
  CHECK(refusal(parse_filter(object(fmt::format(R"({{"topics":[[{}]]}})", many))))
        == "-32005 at most 256 values for one topic");
  CHECK(refusal(parse_filter(object(fmt::format(R"({{"address":[{}]}})", many))))
        == "-32005 at most 256 addresses");
}

TEST_CASE("a range is one block by its hash or two ends") {
  const auto open = parse_range(object("{}"));
  REQUIRE(open);
  CHECK_FALSE(open->block_hash);
  CHECK_FALSE(open->from);
  CHECK_FALSE(open->to);
  const auto ends = parse_range(object(R"({"fromBlock":"earliest","toBlock":"0x5"})"));
  CHECK(ends->from == 0);
  CHECK(ends->to == 5);
  CHECK(parse_range(object(fmt::format(R"({{"blockHash":"{}"}})", hex(word(1)))))->block_hash == word(1));
  CHECK(refusal(parse_range(object(fmt::format(R"({{"blockHash":"{}","toBlock":"latest"}})", hex(word(1))))))
        == "-32602 cannot specify both blockHash and fromBlock/toBlock, choose one or the other");
  CHECK_FALSE(parse_range(object(R"({"fromBlock":"first"})")));
}

TEST_CASE("a block is a number, a tag, a hash or an object with one of them") {
  const auto read = [](std::string_view text) {
    const given one("[" + std::string(text) + "]");
    return (*one).block_or_hash(0);
  };
  const auto in_quotes = [](const std::string& text) { return "\"" + text + "\""; };
  CHECK(read("\"0x7\"")->num == 7);
  CHECK(read("\"earliest\"")->num == 0);
  for (auto head : {"\"latest\"", "\"safe\"", "\"finalized\"", "\"pending\"", "null"}) {
    const auto which = read(head);
    REQUIRE(which);
    CHECK_FALSE(which->num);
    CHECK_FALSE(which->hash);
    CHECK(which->pending == (std::string_view(head) == "\"pending\""));
  }
  CHECK(read(in_quotes(hex(word(5))))->hash == word(5));
  CHECK(read(fmt::format(R"({{"blockHash":"{}","requireCanonical":true}})", hex(word(5))))->hash == word(5));
  CHECK(read(R"({"blockNumber":"0x7"})")->num == 7);
  CHECK(refusal(read("{}")) == "-32602 argument 0 (block): needs either blockHash or blockNumber");
  CHECK_FALSE(read(fmt::format(R"({{"blockHash":"{}","blockNumber":"0x1"}})", hex(word(5)))));
  CHECK_FALSE(read(R"({"blockHash":"0x1"})"));
  CHECK_FALSE(read("7"));
  CHECK_FALSE(read("\"0x" + std::string(64, 'z') + "\""));
}

} // namespace params_test
