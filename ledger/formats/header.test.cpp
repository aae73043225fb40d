#include "ledger/formats/header.hpp"

#include "base/random.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace header_test {

using namespace swarm;
using namespace swarm::ledger;
using vectors::fixed;
using vectors::hex;
using vectors::text;

namespace {

/// Unsealed extra data of V13 for a round, as Besu lays it out. This chain lays it out differently, but
/// Besu's block hashes still check the header's encoding.
bytes besu_extra_data(std::uint64_t round_num) {
  std::vector<address> validators;
  for (std::uint8_t i = 1; i <= 4; ++i)
    validators.push_back(vectors::small_key(i).account());
  std::sort(validators.begin(), validators.end());
  rlp_writer to;
  to.begin_list().string(hash32{}.view()).begin_list();
  for (const auto& who : validators)
    to.string(who.view());
  to.end_list().begin_list().end_list().number(round_num).begin_list().end_list();
  return to.end_list().take();
}

block_header v13_header() {
  block_header out;
  out.parent_hash.fill(0x11);
  out.coinbase = fixed<20>("1eff47bc3a10a45d4b230b5d10e37751fe6aa718");
  out.block_num = 1;
  out.gas_limit = 30'000'000;
  out.timestamp = 0x65000000;
  out.extra_data = besu_extra_data(0);
  return out;
}

block_header genesis() {
  block_header out;
  out.gas_limit = 30'000'000;
  out.timestamp = 1'700'000'000;
  out.extra_data = to_bytes(as_bytes("swarm"));
  return out;
}

block_header child_of(const block_header& parent) {
  block_header out = parent;
  out.parent_hash = block_hash(parent);
  out.block_num = parent.block_num + 1;
  out.extra_data.resize(extra_data_max);
  return out;
}

/// The header's items with the one at `index` replaced (an encoding; empty: left out).
bytes with_item(const block_header& header, std::size_t index, bytes_view replacement) {
  const bytes raw = encode_header(header);
  auto reader = rlp_reader::open(raw, "header").value();
  rlp_writer to;
  to.begin_list();
  for (std::size_t i = 0; !reader.at_end(); ++i) {
    const auto item = reader.next("item").value();
    to.encoded(i == index ? replacement : item.encoded);
  }
  return to.end_list().take();
}

template <class Result, class Code>
bool breaks(const Result& outcome, Code code) {
  return !outcome.has_value() && outcome.error().is(code) && !outcome.error().message.empty();
}

} // namespace

TEST_CASE("constants are the hashes they stand for") {
  CHECK(keccak256(rlp_string({})) == empty_trie_root);
  CHECK(keccak256(rlp_writer().begin_list().end_list().take()) == empty_ommers_hash);
  CHECK(as_text(qbft_mix_hash.view()) == "ctical byzantine fault tolerance");
}

TEST_CASE("a London header hashes as published for QBFT (V13)") {
  CHECK(text(bytes_view(besu_extra_data(0)).first(35)) == "f87aa0" + std::string(64, '0'));
  block_header header = v13_header();
  CHECK(text(block_hash(header).view())
        == "a6cf8526ff417e0fde09c3ecd11c890720639307e059947cd2cf844974e27819");
  header.extra_data = besu_extra_data(2);
  CHECK(text(block_hash(header).view())
        == "f12384e728908df2d95a0e2fe1b77ff348fb432ac132dc2a05fc00f8c057c335");
  const hash32 hash = block_hash(v13_header());
  rlp_writer prepare;
  prepare.begin_list()
      .number(0x13)
      .begin_list()
      .number(1)
      .number(0)
      .string(hash.view())
      .end_list()
      .end_list();
  const bytes preimage = prepare.take();
  CHECK(text(bytes_view(preimage).first(6)) == "e513e30180a0");
  CHECK(text(keccak256(preimage).view())
        == "3ef2c4302352130320bf25498531100d92b7cb274a3f693f2c67ca35dd59648c");
}

TEST_CASE("headers survive encoding") {
  CHECK(decode_header(encode_header(v13_header())).value() == v13_header());
  seeded_random random(9);
  for (int i = 0; i < 200; ++i) {
    block_header header = genesis();
    fill_random(header.state_root);
    fill_random(header.coinbase);
    fill_random(header.logs_bloom);
    fill_random(header.nonce);
    header.block_num = random() >> random.below(64);
    header.gas_used = random() >> random.below(64);
    header.timestamp = random() >> random.below(64);
    header.base_fee = u256(random() >> random.below(64));
    header.extra_data.resize(random.below(70));
    REQUIRE(decode_header(encode_header(header)).value() == header);
  }
}

TEST_CASE("a header's fields have fixed forms") {
  const auto header = genesis();
  const std::vector<std::pair<std::size_t, std::size_t>> widths{{0, 32}, {1, 32},  {2, 20},  {3, 32}, {4, 32},
                                                                {5, 32}, {6, 256}, {13, 32}, {14, 8}};
  for (const auto& [index, width] : widths)
    for (const auto other : {std::size_t{0}, width - 1, width + 1})
      CHECK(breaks(decode_header(with_item(header, index, rlp_string(bytes(other, 0xaa)))),
                   rlp_errc::wrong_width));
  for (const std::size_t index : {7, 8, 9, 10, 11, 15}) {
    CHECK(breaks(decode_header(with_item(header, index, hex("820001"))), rlp_errc::integer_leading_zero));
    CHECK(breaks(decode_header(with_item(header, index, hex("c0"))), rlp_errc::expected_string));
    CHECK(breaks(decode_header(with_item(header, index, rlp_string(bytes(33, 1)))),
                 rlp_errc::integer_too_wide));
  }
  CHECK(breaks(decode_header(with_item(header, 15, {})), rlp_errc::missing_item));
  CHECK(breaks(decode_header(with_item(header, 15, hex("8080"))), rlp_errc::extra_item));
  CHECK(breaks(decode_header(with_item(header, 12, rlp_string(bytes(extra_data_read_max + 1, 1)))),
               rlp_errc::too_large));
  CHECK(breaks(decode_header(bytes(100'000, 0xf9)), rlp_errc::too_large));
  CHECK(breaks(decode_header(hex("80")), rlp_errc::expected_list));
  CHECK(breaks(decode_header(bytes_view{}), rlp_errc::truncated));
}

TEST_CASE("a good chain of headers passes every rule") {
  const auto first = genesis();
  CHECK(check_genesis_header(first));
  auto parent = first;
  for (int i = 0; i < 3; ++i) {
    const auto child = child_of(parent);
    CHECK(check_header(child, parent, block_hash(parent)));
    parent = child;
  }
}

TEST_CASE("the genesis block was made in no round") {
  auto header = genesis();
  header.nonce[7] = 1;
  CHECK(breaks(check_genesis_header(header), header_errc::nonce));
}

TEST_CASE("each broken header rule is named by its code") {
  using change = std::function<void(block_header&)>;
  const std::vector<std::pair<header_errc, change>> rows{
      {header_errc::parent_hash, [](auto& h) { h.parent_hash[0] ^= 1; }},
      {header_errc::block_num, [](auto& h) { h.block_num = 3; }},
      {header_errc::block_num, [](auto& h) { h.block_num = 1; }},
      {header_errc::timestamp, [](auto& h) { --h.timestamp; }},
      {header_errc::timestamp, [](auto& h) { h.timestamp = header_number_max + 1; }},
      {header_errc::gas_limit, [](auto& h) { ++h.gas_limit; }},
      {header_errc::gas_limit, [](auto& h) { h.gas_limit = 0; }},
      {header_errc::gas_used, [](auto& h) { h.gas_used = h.gas_limit + 1; }},
      {header_errc::extra_data_size, [](auto& h) { h.extra_data.resize(33); }},
      {header_errc::ommers_hash, [](auto& h) { h.ommers_hash[0] ^= 1; }},
      {header_errc::difficulty, [](auto& h) { h.difficulty = u256(2); }},
      {header_errc::mix_hash, [](auto& h) { h.mix_hash = {}; }},
      {header_errc::nonce, [](auto& h) { put_be64(h.nonce.data(), round_num_max + 1); }},
      {header_errc::base_fee, [](auto& h) { h.base_fee = u256(1); }},
  };
  const auto parent = child_of(genesis());
  const hash32 hash = block_hash(parent);
  for (const auto& [rule, breaking] : rows) {
    auto header = child_of(parent);
    REQUIRE(check_header(header, parent, hash));
    breaking(header);
    CAPTURE(static_cast<int>(rule));
    CHECK(breaks(check_header(header, parent, hash), rule));
  }
  auto short_hash = child_of(parent);
  short_hash.extra_data.resize(31);
  CHECK(breaks(check_header(short_hash, parent, hash), header_errc::extra_data_size));
  auto limits = child_of(parent);
  limits.gas_used = limits.gas_limit;
  limits.extra_data.resize(32);
  limits.timestamp = header_number_max;
  put_be64(limits.nonce.data(), round_num_max);
  CHECK(check_header(limits, parent, hash));
}

TEST_CASE("a block is early when its date is more than 5 s ahead of the clock and later than its parent's") {
  auto parent = genesis();
  parent.timestamp = 1000;
  auto header = child_of(parent);
  header.timestamp = 1006;
  CHECK(is_early(header, parent, 1000));
  CHECK_FALSE(is_early(header, parent, 1001));
  header.timestamp = header_number_max;
  CHECK(is_early(header, parent, 1'800'000'000));
  // All clocks were put back: time stands still until they have caught up.
  header.timestamp = 1000;
  CHECK_FALSE(is_early(header, parent, 10));
  header.timestamp = 1001;
  CHECK(is_early(header, parent, 10));
}

TEST_CASE("no chain of valid headers has one that is behind the median of the eleven before it") {
  seeded_random random(5);
  std::vector<block_header> chain{genesis()};
  while (chain.size() < 500) {
    auto next = child_of(chain.back());
    next.timestamp = chain.back().timestamp + random.below(20) - 10;
    if (!check_header(next, chain.back(), block_hash(chain.back()))) continue;
    std::vector<std::uint64_t> last;
    for (auto i = chain.size(); i-- > 0 && last.size() < 11;)
      last.push_back(chain[i].timestamp);
    std::sort(last.begin(), last.end());
    CHECK(next.timestamp >= last[last.size() / 2]);
    chain.push_back(next);
  }
}

TEST_CASE("a genesis header has rules of its own") {
  CHECK(breaks(check_genesis_header(child_of(genesis())), header_errc::block_num));
  auto header = genesis();
  header.parent_hash[0] = 1;
  CHECK(breaks(check_genesis_header(header), header_errc::genesis_parent));
  header = genesis();
  header.gas_limit = gas_limit_min - 1;
  CHECK(breaks(check_genesis_header(header), header_errc::gas_limit));
  header = genesis();
  header.block_num = header_number_max + 1;
  CHECK(breaks(check_header_alone(header), header_errc::block_num));
}

} // namespace header_test
