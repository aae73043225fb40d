#include "ledger/formats/rlp.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace rlp_test {

using namespace swarm;
using namespace swarm::ledger;
using swarm::testing::wording;
using vectors::hex;
using vectors::text;

namespace {

/// RLP as a tree, with an encoder written straight from the definition: the writer's naive twin.
struct tree {
  bool is_list = false;
  bytes content;
  std::vector<tree> items;
  bool operator==(const tree&) const = default;
};

bytes twin_header(std::size_t length, std::uint8_t base) {
  if (length <= 55) return {static_cast<std::uint8_t>(base + length)};
  bytes digits;
  for (auto rest = length; rest != 0; rest /= 256)
    digits.insert(digits.begin(), static_cast<std::uint8_t>(rest % 256));
  digits.insert(digits.begin(), static_cast<std::uint8_t>(base + 55 + digits.size()));
  return digits;
}

bytes twin_encode(const tree& node) {
  bytes payload = node.content;
  for (const auto& item : node.items)
    append(payload, twin_encode(item));
  if (!node.is_list && payload.size() == 1 && payload[0] < 0x80) return payload;
  bytes out = twin_header(payload.size(), node.is_list ? 0xc0 : 0x80);
  append(out, payload);
  return out;
}

void write(rlp_writer& to, const tree& node) {
  if (!node.is_list) {
    to.string(node.content);
    return;
  }
  to.begin_list();
  for (const auto& item : node.items)
    write(to, item);
  to.end_list();
}

tree read(const rlp_item& item) {
  tree out;
  out.is_list = item.is_list;
  if (!item.is_list) {
    out.content = to_bytes(item.payload);
    return out;
  }
  for (auto list = rlp_reader::open(item, "list").value(); !list.at_end();)
    out.items.push_back(read(*list.next("item")));
  return out;
}

tree random_tree(seeded_random& random, std::size_t depth) {
  tree out;
  out.is_list = depth > 0 && random.below(3) != 0;
  if (out.is_list) {
    for (auto left = random.below(6); left > 0; --left)
      out.items.push_back(random_tree(random, depth - 1));
    return out;
  }
  constexpr std::array<std::size_t, 9> sizes{0, 1, 1, 2, 20, 55, 56, 255, 300};
  out.content.resize(sizes[random.below(sizes.size())]);
  for (auto& byte : out.content)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

template <class Result>
bool breaks(const Result& outcome, rlp_errc rule) {
  return !outcome.has_value() && outcome.error().is(rule) && !outcome.error().message.empty();
}

} // namespace

TEST_CASE("RLP of strings and numbers as published (V2, ethereum/tests rlptest)") {
  CHECK(text(rlp_string({})) == "80");
  CHECK(text(rlp_string(hex("00"))) == "00");
  CHECK(text(rlp_string(hex("7f"))) == "7f");
  CHECK(text(rlp_string(hex("80"))) == "8180");
  CHECK(text(rlp_string(as_bytes("dog"))) == "83646f67");
  CHECK(text(rlp_number(0)) == "80");
  CHECK(text(rlp_number(127)) == "7f");
  CHECK(text(rlp_number(128)) == "8180");
  CHECK(text(rlp_number(1000)) == "8203e8");
  CHECK(text(rlp_number(1024)) == "820400");
  CHECK(text(rlp_number(100000)) == "830186a0");
  CHECK(text(rlp_number(~std::uint64_t{0})) == "88ffffffffffffffff");
  u256 wide;
  const auto digits = hex("0100020003000400050006000700080009000a000b000c000d000e01");
  std::copy(digits.begin(), digits.end(), wide.begin() + 4);
  CHECK(text(rlp_writer().number(wide).take()) == "9c" + text(digits));
  const std::string longest = "Lorem ipsum dolor sit amet, consectetur adipisicing eli";
  CHECK(text(rlp_string(as_bytes(longest))).substr(0, 6) == "b74c6f");
  CHECK(text(rlp_string(as_bytes(longest + "t"))).substr(0, 8) == "b8384c6f");
  CHECK(text(rlp_string(bytes(1024, 0x61))).substr(0, 8) == "b9040061");
}

TEST_CASE("RLP of lists as published (V2, ethereum/tests rlptest)") {
  rlp_writer to;
  CHECK(text(to.begin_list().end_list().take()) == "c0");
  CHECK(text(to.begin_list().string(as_bytes("cat")).string(as_bytes("dog")).end_list().take())
        == "c88363617483646f67");
  to.begin_list();
  to.begin_list().end_list();
  to.begin_list().begin_list().end_list().end_list();
  to.begin_list().begin_list().end_list().begin_list().begin_list().end_list().end_list().end_list();
  CHECK(text(to.end_list().take()) == "c7c0c1c0c3c0c1c0");
  CHECK(text(to.begin_list()
                 .string(as_bytes("zw"))
                 .begin_list()
                 .number(4)
                 .end_list()
                 .number(1)
                 .end_list()
                 .take())
        == "c6827a77c10401");
  to.begin_list();
  for (int i = 0; i < 11; ++i)
    to.string(as_bytes("asdf"));
  CHECK(text(to.end_list().take()).substr(0, 4) == "f784");
  to.begin_list();
  for (int i = 0; i < 4; ++i)
    to.begin_list().string(as_bytes("asdf")).string(as_bytes("qwer")).string(as_bytes("zxcv")).end_list();
  CHECK(text(to.end_list().take()).substr(0, 14) == "f840cf84617364");
}

TEST_CASE("what is not the one canonical RLP is refused, each with its code") {
  const std::vector<std::pair<std::string_view, rlp_errc>> rows{
      {"", rlp_errc::truncated},
      {"8100", rlp_errc::wrapped_byte},
      {"8101", rlp_errc::wrapped_byte},
      {"817f", rlp_errc::wrapped_byte},
      {"c28101", rlp_errc::wrapped_byte},
      {"b800", rlp_errc::length_leading_zero},
      {"f800", rlp_errc::length_leading_zero},
      {"b90000", rlp_errc::length_leading_zero},
      {"b90040000102", rlp_errc::length_leading_zero},
      {"fb00000040000102", rlp_errc::length_leading_zero},
      {"b801ff", rlp_errc::long_form},
      {"f80180", rlp_errc::long_form},
      {"f80100", rlp_errc::long_form},
      {"f803112233", rlp_errc::long_form},
      {"b81000112233445566778899aabbccddeeff", rlp_errc::long_form},
      {"c100ff", rlp_errc::trailing_bytes},
      {"8080", rlp_errc::trailing_bytes},
      {"81", rlp_errc::truncated},
      {"b8", rlp_errc::truncated},
      {"b9ff", rlp_errc::truncated},
      {"83646f", rlp_errc::truncated},
      {"c183", rlp_errc::truncated},
      {"f83f00", rlp_errc::truncated},
      {"bf0f000000000000021111", rlp_errc::too_large},
      {"ff0f000000000000021111", rlp_errc::too_large},
      {"bfffffffffffffffff", rlp_errc::too_large},
      {"ffffffffffffffffff", rlp_errc::too_large},
      {"b9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0",
       rlp_errc::length_leading_zero},
  };
  for (const auto& [input, rule] : rows) {
    CAPTURE(input);
    const auto outcome = rlp_check(hex(input));
    CHECK(breaks(outcome, rule));
  }
}

TEST_CASE("nesting and size have limits") {
  const auto nested = [](std::size_t depth) {
    rlp_writer to;
    for (std::size_t i = 0; i < depth; ++i)
      to.begin_list();
    for (std::size_t i = 0; i < depth; ++i)
      to.end_list();
    return to.take();
  };
  CHECK(rlp_check(nested(rlp_depth_max)));
  CHECK(breaks(rlp_check(nested(rlp_depth_max + 1)), rlp_errc::too_deep));
  CHECK(breaks(rlp_check(nested(100'000)), rlp_errc::too_deep));
  const bytes deep = nested(rlp_depth_max + 1);
  auto reader = rlp_reader::open(deep, "deep").value();
  for (std::size_t depth = 1; depth < rlp_depth_max; ++depth)
    reader = reader.list("inner").value();
  CHECK(breaks(reader.list("inner"), rlp_errc::too_deep));
  CHECK(breaks(rlp_decode(bytes(11, 0x80), "input", 10), rlp_errc::too_large));
  const bytes list = rlp_writer().begin_list().string(bytes(33, 1)).end_list().take();
  CHECK(breaks(rlp_reader::open(list, "list").value().string("field", 32), rlp_errc::too_large));
}

TEST_CASE("integers, fixed widths and list lengths are checked by the reader") {
  const auto list = [](std::string_view digits) { return hex(digits); };
  const auto open = [](const bytes& raw) { return rlp_reader::open(raw, "thing").value(); };
  const bytes zero_led = list("c3820001"), zero = list("c100"), wide = list("ca89010000000000000000");
  CHECK(breaks(open(zero_led).number("n"), rlp_errc::integer_leading_zero));
  CHECK(open(zero_led).string("n").value().size() == 2); // as a byte string the same item is legal
  CHECK(breaks(open(zero).number("n"), rlp_errc::integer_leading_zero));
  CHECK(breaks(open(wide).number("n"), rlp_errc::integer_too_wide));
  CHECK(open(wide).number256("n").value()[23] == 1);
  const bytes over256 = rlp_writer().begin_list().string(bytes(33, 1)).end_list().take();
  CHECK(breaks(open(over256).number256("n"), rlp_errc::integer_too_wide));
  const bytes inner = list("c1c0"), flat = list("c180"), empty = list("c0"), two = list("c20102");
  CHECK(breaks(open(inner).number("n"), rlp_errc::expected_string));
  CHECK(breaks(open(inner).string("n"), rlp_errc::expected_string));
  CHECK(breaks(open(flat).list("n"), rlp_errc::expected_list));
  CHECK(breaks(rlp_reader::open(list("80"), "thing"), rlp_errc::expected_list));
  CHECK(breaks(open(flat).fixed<32>("n"), rlp_errc::wrong_width));
  CHECK(breaks(open(list("c0")).next("n"), rlp_errc::missing_item));
  CHECK(!open(flat).address_or_none("n").value().has_value());
  CHECK(breaks(open(two).address_or_none("n"), rlp_errc::wrong_width));
  auto reader = open(two);
  CHECK(reader.number("first").value() == 1);
  CHECK(breaks(reader.finish(), rlp_errc::extra_item));
  CHECK(reader.number("second").value() == 2);
  CHECK(reader.finish());
  CHECK(reader.at_end());
  CHECK(wording(open(zero_led).number("gas limit").error())
        == "thing: gas limit: integer with a leading zero byte");
}

TEST_CASE("random trees survive writing and reading, and the writer agrees with its twin") {
  seeded_random random(20250101);
  for (int i = 0; i < 2000; ++i) {
    const tree made = random_tree(random, 5);
    rlp_writer to;
    write(to, made);
    const bytes raw = to.take();
    REQUIRE(raw == twin_encode(made));
    REQUIRE(rlp_check(raw));
    REQUIRE(read(*rlp_decode(raw, "tree")) == made);
  }
}

TEST_CASE("whatever bytes are accepted, they are what the writer makes of their meaning") {
  seeded_random random(7);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    bytes raw = twin_encode(random_tree(random, 4));
    for (auto flips = 1 + random.below(2); flips > 0; --flips)
      raw[random.below(raw.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    if (random.below(4) == 0) raw.resize(random.below(raw.size() + 1));
    if (!rlp_check(raw)) continue;
    ++accepted;
    REQUIRE(twin_encode(read(*rlp_decode(raw, "tree"))) == raw);
  }
  CHECK(accepted > 1000);
}

} // namespace rlp_test
