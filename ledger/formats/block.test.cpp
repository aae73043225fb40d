#include "ledger/formats/block.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace block_test {

using namespace swarm;
using namespace swarm::ledger;
using swarm::testing::wording;
using vectors::hex;

namespace {

/// V5 and V6, as both are for chain 1337.
block two_txns() {
  block out;
  out.header.block_num = 5;
  out.header.gas_limit = 30'000'000;
  out.txns = {transaction::decode(vectors::v6_raw, 1337).value(),
              transaction::decode(vectors::v5_raw, 1337).value()};
  out.parent_seals.round_num = 2;
  out.parent_seals.seals.resize(3);
  out.parent_seals.seals[1].signature.fill(7);
  return out;
}

std::vector<hash32> hashes(const std::vector<transaction>& txns) {
  std::vector<hash32> out;
  for (const auto& txn : txns)
    out.push_back(txn.hash());
  return out;
}

/// A block body from its items.
bytes body(bytes_view txns, bytes_view ommers, const bytes& seals = encode_seals({})) {
  return rlp_writer().begin_list().encoded(txns).encoded(ommers).encoded(seals).end_list().take();
}

template <class Result, class Code>
bool breaks(const Result& outcome, Code code) {
  return !outcome.has_value() && outcome.error().is(code) && !outcome.error().message.empty();
}

} // namespace

TEST_CASE(
    "blocks and bodies survive encoding and have Ethereum's layout, with the parent's seals at the end") {
  const block made = two_txns();
  const bytes raw = encode_block(made);
  rlp_writer by_hand;
  by_hand.begin_list().encoded(encode_header(made.header)).begin_list().encoded(vectors::v6_raw);
  by_hand.string(vectors::v5_raw).end_list().begin_list().end_list();
  by_hand.encoded(encode_seals(made.parent_seals)).end_list();
  CHECK(raw == by_hand.take());
  const auto read = decode_block(raw, 1337).value();
  CHECK(read.header == made.header);
  CHECK(hashes(read.txns) == hashes(made.txns));
  CHECK(read.parent_seals == made.parent_seals);
  const bytes stored = encode_body(made.txns, made.parent_seals);
  CHECK(hashes(decode_body(stored, 1337).value().txns) == hashes(made.txns));
  CHECK(decode_body(stored, 1337).value().parent_seals == made.parent_seals);
  CHECK(encode_body({}, {}) == hex("c6c0c0c30180c0"));
  CHECK(decode_body(hex("c6c0c0c30180c0"), 1337).value().txns.empty());
  CHECK(decode_block(encode_block({}), 1337).value().txns.empty());
}

TEST_CASE("blocks that break a rule are refused") {
  const bytes none = hex("c0");
  CHECK(breaks(decode_body(body(none, hex("c1c0")), 1337), block_errc::has_ommers));
  CHECK(breaks(decode_body(body(none, hex("80")), 1337), rlp_errc::expected_list));
  CHECK(breaks(decode_body(body(hex("80"), none), 1337), rlp_errc::expected_list));
  CHECK(breaks(decode_body(body(none, none, hex("c30180c0c0")), 1337), rlp_errc::extra_item));
  CHECK(breaks(decode_body(body(none, none, hex("c30280c0")), 1337), seal_errc::malformed));
  CHECK(breaks(decode_body(body(none, none, hex("80")), 1337), rlp_errc::expected_list));
  CHECK(breaks(decode_body(body(none, none, {}), 1337), rlp_errc::missing_item));
  CHECK(breaks(decode_body(hex("c1c0"), 1337), rlp_errc::missing_item));
  CHECK(breaks(decode_block(hex("c3c0c0c0"), 1337), rlp_errc::missing_item));
  CHECK(breaks(decode_block(bytes(block_size_max + 1, 0), 1337), block_errc::too_large));
  CHECK(breaks(decode_block(encode_block(two_txns()), 1338), txn_errc::wrong_chain));
  const bytes wrapped = rlp_writer().begin_list().string(vectors::v6_raw).end_list().take();
  CHECK(breaks(decode_body(body(wrapped, none), 1337), txn_errc::item_form));
  const bytes listed =
      rlp_writer().begin_list().encoded(bytes_view(vectors::v5_raw).subspan(1)).end_list().take();
  CHECK(!decode_body(body(listed, none), 1337));
  rlp_writer many;
  many.begin_list();
  for (std::size_t i = 0; i <= block_txns_max; ++i)
    many.encoded(vectors::v6_raw);
  CHECK(breaks(decode_body(body(many.end_list().take(), none), 1337), block_errc::too_many_txns));
}

TEST_CASE("a header names the seals of its parent") {
  auto made = two_txns();
  made.header.extra_data = to_bytes(keccak256(encode_seals(made.parent_seals)).view());
  CHECK(check_parent_seals(made.header, made.parent_seals));
  auto other = made.parent_seals;
  other.seals.pop_back();
  CHECK(breaks(check_parent_seals(made.header, other), block_errc::parent_seals));
  other = made.parent_seals;
  std::swap(other.seals[0], other.seals[1]);
  CHECK(breaks(check_parent_seals(made.header, other), block_errc::parent_seals));
  made.header.extra_data.push_back(0);
  CHECK(breaks(check_parent_seals(made.header, made.parent_seals), block_errc::parent_seals));
}

TEST_CASE("the error of a bad transaction says which one it is") {
  bytes second = vectors::v6_raw;
  second[2] = 0x00; // nonce 00 instead of 80
  const bytes txns = rlp_writer().begin_list().encoded(vectors::v6_raw).encoded(second).end_list().take();
  const auto outcome = decode_body(body(txns, hex("c0")), 1337);
  REQUIRE(breaks(outcome, rlp_errc::integer_leading_zero));
  CHECK(wording(outcome.error())
        == "block: transaction 1: transaction: nonce: integer with a leading zero byte");
}

TEST_CASE("whatever bytes are accepted as a block, they are its only encoding") {
  const bytes good = encode_block(two_txns());
  seeded_random random(13);
  int accepted = 0;
  for (int i = 0; i < 10000; ++i) {
    bytes raw = good;
    raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
    const auto read = decode_block(raw, 1337);
    if (!read) continue;
    ++accepted;
    REQUIRE(encode_block(*read) == raw);
  }
  CHECK(accepted > 1000);
  for (std::size_t size = 0; size < good.size(); ++size)
    REQUIRE(!decode_block(bytes_view(good).first(size), 1337));
}

} // namespace block_test
