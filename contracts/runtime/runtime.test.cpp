#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "base/u256.hpp"
#include "contracts/abi/client.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/page.hpp"
#include "contracts/runtime/slots.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/testing/memory_host.hpp"

#include <doctest/doctest.h>

#include <map>

namespace runtime_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

struct packed_sample {
  std::uint64_t number = 0;
  address who;
  std::uint16_t small = 0;
  bool flag = false;
  bool operator==(const packed_sample&) const = default;
};

/// The slots behind `record_stores`, looked at after several writes.
std::map<hash32, hash32> written_by(const std::function<void(const slots&)>& write) {
  const auto stores = record_stores(write);
  return {stores.begin(), stores.end()};
}

struct old_args {
  static constexpr abi::call<> function{"old"};
};
struct noted_args {
  static constexpr abi::call<> function{"old", 3};
  std::uint64_t note = 0;
};
struct notes_args {
  static constexpr abi::view<std::uint64_t> function{"notes", 3};
};
struct growing_interface {
  static constexpr std::string_view name = "Growing";
  using functions = type_list<old_args, noted_args, notes_args>;
};
struct growing_call {
  growing_call(ledger::contract_host&, const ledger::call_context&) {}
  result<> on(const old_args&) { return {}; }
  result<> on(const noted_args&) { return {}; }
  result<std::uint64_t> on(const notes_args&) const { return std::uint64_t{7}; }
};

} // namespace

TEST_CASE("functions of a later version of the rules are not there before it is in force") {
  const std::vector<ledger::native_contract_set::entry> kinds{
      {1, std::make_shared<typed_contract<growing_call, growing_interface>>()}};
  memory_world world({kinds, {{test_account(1), 1, {}}}}, {}, {}, 2);
  const auto send = [&](const auto& args) { return world.send({}, test_account(1), abi::encode_call(args)); };
  CHECK(send(old_args{}).ok);
  const auto unknown = send(noted_args{5});
  CHECK_FALSE(unknown.ok);
  // As if nobody had ever heard of it.
  CHECK(revert_text(unknown.output)
        == "Growing has no function with selector " + to_hex(abi::selector_of<noted_args>()));
  CHECK_FALSE(send(notes_args{}).ok);
  CHECK(world.view({}, test_account(1), abi::encode_call(notes_args{})).ok);
  CHECK_FALSE(world.view({}, test_account(1), abi::encode_call(noted_args{5})).ok);
  world.begin_rules(3);
  CHECK(send(old_args{}).ok);
  CHECK(send(noted_args{5}).ok);
  CHECK(send(notes_args{}).ok);
}

TEST_CASE("members share a slot from left to right") {
  packed_sample sample;
  sample.number = 0x0102030405060708;
  sample.who.fill(0xaa);
  sample.small = 0xbbcc;
  sample.flag = true;
  const auto word = pack(sample);
  CHECK(to_hex(word.view()) == "0x0102030405060708aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbcc0100");
  CHECK(unpack<packed_sample>(word) == sample);
  CHECK(pack(packed_sample{}).is_zero());
}

TEST_CASE("slot numbers are 256-bit numbers") {
  CHECK(slot_after(u256(5), 7) == u256(12));
  hash32 low_ones;
  std::fill(low_ones.begin() + 24, low_ones.end(), std::uint8_t{0xff});
  hash32 next;
  next[23] = 1;
  CHECK(slot_after(low_ones, 1) == next);
  hash32 last;
  last.fill(0xff);
  CHECK(slot_after(last, 1).is_zero());
}

TEST_CASE("mappings, arrays and strings are where Solidity puts them") {
  // keccak256(abi.encode(uint256(1), uint256(2))) and keccak256(abi.encode(uint256(0))), published with
  // solc's docs.
  record_stores([](const slots& in) {
    bytes joined(64);
    joined[31] = 1;
    joined[63] = 2;
    CHECK(in.mapped(u256(1), u256(2)) == keccak256(joined));
    CHECK(to_hex(in.items(u256(0)).view())
          == "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563");
  });
  const auto short_text = written_by([](const slots& in) { in.store_text(u256(3), "abc"); });
  REQUIRE(short_text.size() == 1);
  CHECK(to_hex(short_text.at(u256(3)).view())
        == "0x6162630000000000000000000000000000000000000000000000000000000006");
  const std::string text(40, 'x');
  const auto long_text = written_by([&text](const slots& in) { in.store_text(u256(3), text); });
  REQUIRE(long_text.size() == 3);
  CHECK(long_text.at(u256(3)) == u256(81));
  const auto first = keccak256(u256(3).view());
  CHECK(as_text(long_text.at(first).view()) == text.substr(0, 32));
  CHECK(long_text.at(slot_after(first, 1))[7] == 'x');
  CHECK(long_text.at(slot_after(first, 1))[8] == 0);
}

TEST_CASE("strings of every length replace each other without leaving anything behind") {
  seeded_random random(3);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const std::string before(random.below(100), 'b');
    const std::string after(random.below(100), 'a');
    const auto replaced = written_by([&](const slots& in) {
      in.store_text(u256(9), before);
      CHECK(in.load_text(u256(9)) == before);
      in.store_text(u256(9), after);
      CHECK(in.load_text(u256(9)) == after);
    });
    CHECK(replaced == written_by([&](const slots& in) { in.store_text(u256(9), after); }));
  }
}

TEST_CASE("pages never reach beyond the end") {
  const auto at = [](const u256& first, const u256& count) {
    const auto part = page_of(first, count, 10, 4);
    return std::pair(part.begin, part.end);
  };
  u256 huge;
  huge[0] = 1;
  CHECK(at(0, 3) == std::pair<std::uint64_t, std::uint64_t>(0, 3));
  CHECK(at(0, 100) == std::pair<std::uint64_t, std::uint64_t>(0, 4));
  CHECK(at(8, 100) == std::pair<std::uint64_t, std::uint64_t>(8, 10));
  CHECK(at(8, huge) == std::pair<std::uint64_t, std::uint64_t>(8, 10));
  CHECK(at(10, 1) == std::pair<std::uint64_t, std::uint64_t>(0, 0));
  CHECK(at(huge, 1) == std::pair<std::uint64_t, std::uint64_t>(0, 0));
  CHECK(at(~std::uint64_t{0}, ~std::uint64_t{0}) == std::pair<std::uint64_t, std::uint64_t>(0, 0));
}

TEST_CASE("reverts are bounded and stay UTF-8") {
  const auto text_of = [](const std::string& text) { return abi::describe_error(reverted(text).output); };
  CHECK(text_of("short") == "short");
  CHECK(text_of(std::string(1000, 'x')).size() == revert_text_bytes_max);
  std::string two_byte;
  for (int i = 0; i < 300; ++i)
    two_byte += "\xc3\xa9";
  const auto cut = text_of("x" + two_byte);
  CHECK(cut.size() == revert_text_bytes_max - 1);
  CHECK(abi::is_utf8(as_bytes(cut)));
  CHECK(in_quotes("mean") == "'mean'");
  CHECK(in_quotes(std::string(100, 'm')) == "'" + std::string(40, 'm') + "...'");
}

TEST_CASE("texts with control characters or too many bytes are refused") {
  CHECK(check_text("name", "Zürich 7 €", 64).has_value());
  CHECK(check_text("name", "", 64).has_value());
  CHECK(wording(check_text("name", std::string(65, 'x'), 64).error())
        == "name has 65 bytes, at most 64 are allowed");
  CHECK(wording(check_text("name", "a\nb", 64).error()) == "name has a control character at byte 1");
  CHECK(!check_text("name", "\x7f", 64));
  CHECK(!check_text("name", "\xc2\x9b", 64)); // C1: a terminal's control sequence introducer
  CHECK(check_text("name", "\xc2\xa0", 64).has_value());
}

} // namespace runtime_test
