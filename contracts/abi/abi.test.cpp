#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "contracts/abi/error.hpp"
#include "contracts/abi/function.hpp"

#include <doctest/doctest.h>

namespace abi_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

struct inner {
  std::string text;
  std::uint64_t number = 0;
  address who;
  bool operator==(const inner&) const = default;
};
struct put_args {
  static constexpr abi::call<> function{"put"};
  inner item;
  std::vector<std::string> names;
  bool operator==(const put_args&) const = default;
};
struct set_name_args {
  static constexpr abi::call<> function{"setName"};
  u256 id;
  std::string name;
};
struct named {
  static constexpr abi::event event{"Named", {1, 2}};
  u256 id;
  hash32 name_hash;
  std::string first;
};

enum class colour : std::uint8_t { red, green };
constexpr colour last_value(colour) {
  return colour::green;
}
struct fixed_pair {
  std::uint32_t small = 0;
  std::int64_t wide = 0;
  bool operator==(const fixed_pair&) const = default;
};
/// One value of every type that the contracts use, and deeper nesting than theirs.
struct everything {
  std::uint8_t byte = 0;
  std::int32_t negative = 0;
  bool flag = false;
  colour paint = colour::red;
  address who;
  hash32 digest;
  u256 big;
  std::string text;
  std::array<fixed_pair, 2> fixed;
  std::array<std::string, 2> texts;
  std::vector<fixed_pair> pairs;
  std::vector<inner> inners;
  std::vector<std::vector<std::uint64_t>> table;
  bool operator==(const everything&) const = default;
};

address filled_address(std::uint8_t byte) {
  address out;
  out.fill(byte);
  return out;
}

/// Words in hexadecimal, separated by spaces; 'abc' is text padded on the right.
bytes words(std::string_view text) {
  bytes out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find(' ', at), text.size());
    auto item = text.substr(at, end - at);
    at = end + 1;
    if (item.empty()) continue;
    hash32 word;
    if (item.front() == '\'') {
      item = item.substr(1, item.size() - 2);
      std::copy(item.begin(), item.end(), word.begin());
    } else {
      const auto raw = *from_hex(std::string(item.size() % 2, '0').append(item));
      std::copy(raw.begin(), raw.end(), word.end() - static_cast<std::ptrdiff_t>(raw.size()));
    }
    append(out, word.view());
  }
  return out;
}

template <class T>
int broken_rule(bytes_view data) {
  const auto decoded = abi::decode_answer<T>(data);
  return decoded ? 0 : decoded.error().code;
}
constexpr int code(abi::rule rule) {
  return static_cast<int>(rule);
}

std::string random_text(seeded_random& random) {
  static constexpr std::array<std::string_view, 5> pieces{"a", "Z9", "\xc3\xa9", "\xe2\x82\xac",
                                                          "\xf0\x9f\x90\x9d"};
  std::string out;
  for (auto n = random.below(30); n > 0; --n)
    out += pieces[random.below(pieces.size())];
  return out;
}
template <std::size_t N>
void fill(fixed_bytes<N>& out, seeded_random& random) {
  for (auto& byte : out)
    byte = static_cast<std::uint8_t>(random());
}

everything random_everything(seeded_random& random) {
  everything out;
  out.byte = static_cast<std::uint8_t>(random());
  out.negative = static_cast<std::int32_t>(random());
  out.flag = random.below(2) == 1;
  out.paint = static_cast<colour>(random.below(2));
  fill(out.who, random);
  fill(out.digest, random);
  fill(out.big, random);
  out.text = random_text(random);
  for (auto& pair : out.fixed)
    pair = {static_cast<std::uint32_t>(random()), static_cast<std::int64_t>(random())};
  for (auto& text : out.texts)
    text = random_text(random);
  out.pairs.resize(random.below(4));
  for (auto& pair : out.pairs)
    pair.wide = static_cast<std::int64_t>(random());
  out.inners.resize(random.below(4));
  for (auto& item : out.inners)
    item.text = random_text(random);
  out.table.resize(random.below(4));
  for (auto& row : out.table)
    row.resize(random.below(3), random());
  return out;
}

} // namespace

TEST_CASE("call data is encoded as published (vectors V10, V11)") {
  put_args args;
  args.item = {"abc", 5, filled_address(0x35)};
  args.names = {"x", "yz"};
  CHECK(abi::signature<put_args>() == "put((string,uint64,address),string[])");
  const auto call = abi::encode_call(args);
  CHECK(to_hex(bytes_view(call).first(4)) == "0x945b70bd");
  const auto expected =
      words("40 e0 60 5 3535353535353535353535353535353535353535 3 'abc' 2 40 80 1 'x' 2 'yz'");
  CHECK(to_hex(bytes_view(call).subspan(4)) == to_hex(expected));
  CHECK(abi::decode_members<put_args>(expected).value() == args);

  const auto named_call = abi::encode_call(set_name_args{u256(1), "hello"});
  CHECK(to_hex(named_call) == fmt::format("0xfe55932a{}", to_hex(words("1 40 5 'hello'"), false)));
  const std::array<std::string, 2> pair{"a", "b"};
  CHECK(to_hex(abi::encode_answer(pair)) == to_hex(words("20 40 80 1 'a' 1 'b'")));
}

TEST_CASE("errors are encoded as published (vector V11) and described for people") {
  const auto nope = abi::encode_error("nope");
  CHECK(to_hex(nope) == fmt::format("0x08c379a0{}", to_hex(words("20 4 'nope'"), false)));
  CHECK(abi::describe_error(nope) == "nope");
  CHECK(abi::describe_error(abi::encode_error("a\nforged line")) == "a?forged line");
  auto panic = *from_hex("4e487b71");
  append(panic, words("11"));
  CHECK(abi::describe_error(panic) == "panic 0x11");
  CHECK(abi::describe_error({}) == "reverted without a reason");
  CHECK(abi::describe_error(bytes{1, 2}) == "reverted with 2 bytes that are no Error(string): 0x0102");
  CHECK(abi::describe_error(bytes(100)).ends_with("..."));
}

TEST_CASE("events become topics and data as published (vector V12)") {
  // The vector's second parameter is an indexed string: its topic is the hash of the text.
  const named event{u256(7), keccak256("hello"), "Ada"};
  const auto log = abi::encode_event(filled_address(0x35), event);
  REQUIRE(log.topics.size() == 3);
  CHECK(to_hex(keccak256("Named(uint256,string,string)").view(), false)
        == "a1d8f520a64bab9ad9290bd83b500985456a519f7e46997973855f7af866e3aa");
  CHECK(log.topics[1] == u256(7));
  CHECK(to_hex(log.topics[2].view()) == "0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8");
  CHECK(to_hex(log.data) == to_hex(words("20 3 'Ada'")));
  const auto back = abi::decode_event<named>(log.topics, log.data).value();
  CHECK(back.id == event.id);
  CHECK(back.first == "Ada");
  CHECK(abi::decode_event<named>({log.topics[0]}, log.data).error().is(abi::rule::wrong_event));
  CHECK(to_hex(keccak256("Transfer(address,address,uint256)").view(), false)
        == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST_CASE("values outside their type are refused") {
  CHECK(abi::decode_answer<std::uint8_t>(words("ff")).value() == 255);
  CHECK(broken_rule<std::uint8_t>(words("100")) == code(abi::rule::out_of_range));
  CHECK(broken_rule<std::uint64_t>(words("10000000000000000")) == code(abi::rule::out_of_range));
  CHECK(broken_rule<bool>(words("2")) == code(abi::rule::out_of_range));
  CHECK(broken_rule<colour>(words("2")) == code(abi::rule::out_of_range));
  CHECK(broken_rule<address>(words("010000000000000000000000000000000000000000"))
        == code(abi::rule::out_of_range));

  const auto minus_one = bytes(32, 0xff);
  CHECK(abi::decode_answer<std::int64_t>(minus_one).value() == -1);
  CHECK(to_hex(abi::encode_answer(std::int64_t{-1})) == to_hex(minus_one));
  // 2^63 does not fit an int64, and a negative number needs all its sign bits.
  CHECK(broken_rule<std::int64_t>(words("8000000000000000")) == code(abi::rule::out_of_range));
  auto half_sign = minus_one;
  half_sign[0] = 0;
  CHECK(broken_rule<std::int64_t>(half_sign) == code(abi::rule::out_of_range));
}

TEST_CASE("layouts other than the canonical one are refused") {
  using text = std::string;
  CHECK(abi::decode_answer<text>(words("20 1 'a'")).value() == "a");
  CHECK(broken_rule<text>(words("40 0 1 'a'")) == code(abi::rule::bad_offset)); // a gap
  CHECK(broken_rule<text>(words("0")) == code(abi::rule::bad_offset));          // the head itself
  CHECK(broken_rule<text>(words("20 1 'a' 0")) == code(abi::rule::trailing_bytes));
  CHECK(broken_rule<text>(words("20 1 'ab'")) == code(abi::rule::dirty_padding));
  CHECK(broken_rule<text>(words("20 21 'a'")) == code(abi::rule::too_long));
  CHECK(broken_rule<text>(words("20 ffffffffffffffff 'a'")) == code(abi::rule::too_long));
  CHECK(broken_rule<text>(words("20")) == code(abi::rule::truncated));
  CHECK(broken_rule<text>({}) == code(abi::rule::truncated));
  CHECK(broken_rule<std::vector<address>>(words("20 2 1")) == code(abi::rule::too_long));
  CHECK(broken_rule<std::vector<address>>(words("20 7fffffffffffffff 1")) == code(abi::rule::too_long));
  // Two strings that share one tail would decode elsewhere.
  CHECK(broken_rule<std::vector<text>>(words("20 2 40 40 1 'a'")) == code(abi::rule::bad_offset));
  const auto error = abi::decode_answer<std::vector<text>>(words("20 2 40 40 1 'a'")).error();
  CHECK(wording(error) == "item 1.2: offset 64, canonical encoding has 128");
}

TEST_CASE("strings have to be UTF-8") {
  for (const auto* good :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9d", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
    CHECK(abi::is_utf8(as_bytes(good)));
  for (const auto* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "a\xc3"})
    CHECK(!abi::is_utf8(as_bytes(bad)));
  CHECK(broken_rule<std::string>(words("20 1 'a'")) == 0);
  auto raw = words("20 1 'a'");
  raw[64] = 0xff;
  CHECK(broken_rule<std::string>(raw) == code(abi::rule::bad_utf8));
}

TEST_CASE("what is encoded decodes to itself; of changed bytes only other canonical encodings are accepted") {
  seeded_random random(20240611);
  for (int repeat = 0; repeat < 60; ++repeat) {
    const auto value = random_everything(random);
    bytes data;
    abi::append_members(data, value);
    REQUIRE(abi::decode_members<everything>(data).value() == value);
    for (int change = 0; change < 60; ++change) {
      auto changed = data;
      // Mostly changes low bytes of words, where lengths, offsets and flags are.
      auto at = random.below(changed.size());
      if (random.below(2) == 0) at |= 31;
      changed[at] =
          static_cast<std::uint8_t>(random.below(4) == 0 ? random() : changed[at] ^ (1u << random.below(8)));
      const auto decoded = abi::decode_members<everything>(changed);
      if (!decoded) continue;
      bytes again;
      abi::append_members(again, *decoded);
      CHECK(again == changed);
    }
    const auto cut = bytes_view(data).first(random.below(data.size()));
    CHECK(!abi::decode_members<everything>(cut));
    auto longer = data;
    longer.resize(longer.size() + 1 + random.below(64));
    CHECK(!abi::decode_members<everything>(longer));
  }
}

TEST_CASE("any bytes decode to a value or an error") {
  seeded_random random(7);
  for (int repeat = 0; repeat < 3000; ++repeat) {
    bytes data(random.below(1024));
    for (std::size_t i = 0; i < data.size(); ++i)
      if (i % 32 > 29 || random.below(64) == 0) data[i] = static_cast<std::uint8_t>(random());
    const auto decoded = abi::decode_members<everything>(data);
    if (!decoded) CHECK(!decoded.error().message.empty());
  }
}

} // namespace abi_test
