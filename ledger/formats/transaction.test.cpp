#include "ledger/formats/transaction.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace transaction_test {

using namespace swarm;
using namespace swarm::ledger;
using swarm::testing::says;
using swarm::testing::wording;
using vectors::hex;
using vectors::text;

namespace {

// Made with ethers 6.17 from the key 46 46 ... 46, chain 1337.
const bytes eip2930_raw =
    hex("01f8da820539070382c3509435353535353535353535353535353535353535350184deadbeeff872f8599435353535353535"
        "3535353535353535"
        "3535353535f842a00000000000000000000000000000000000000000000000000000000000000001a0ffffffffffffffffff"
        "ffffffffffffff"
        "ffffffffffffffffffffffffffffffffd6949d8a62f656a8d1615c1294fd71e9cfb3e4855a4fc080a011ffca5c8c335f8e53"
        "6d1de08b3bd113"
        "b03fb474336313c53cdcc5f919049717a0248e674d1deaf0d6b57615f122a6519e2fffc2ae4a79fec29403ec5179be3973");
const bytes creation_raw = hex("02f8ca82053982010201847735940083015f90808000f872f8599435353535353535353535353"
                               "53535353535353535f842a000000000000000"
                               "00000000000000000000000000000000000000000000000001a0fffffffffffffffffffffffff"
                               "fffffffffffffffffffffffffffffffffffff"
                               "ffd6949d8a62f656a8d1615c1294fd71e9cfb3e4855a4fc001a02808770acec92d8aa8530e783"
                               "b3392a6e20582051169cea6f7a6d50a025f3e"
                               "eaa07e993d3fa3261b05c33594c83c146d0eaea3eab6e6eee0f8c1371a236c74a5b7");
const bytes largest_chain_raw =
    hex("f866808082520894353535353535353535353535353535353535353580808740000000000021a0b30e42a52a80af8e239719"
        "8d1765a5999dbe"
        "bdf59c3af554ec012c966dc81e44a071eeabfa504ababf82fe4ef2a2f46ec0486a0f8bac4f3bcc31c76ef68ef77044");
const bytes pre155_raw =
    hex("f85f808082520894353535353535353535353535353535353535353580801ca0b983afe97ca89a8a46a554419149cb0a9359"
        "153339ddb5ae64"
        "38d72f4ebb2b1ea01281aebaf1baa296375a7fdefaa0f40be00cac719666027b3be766968f3a6883");

txn_fields v4_fields() {
  txn_fields out;
  out.type = txn_type::legacy;
  out.nonce = 9;
  out.max_fee = out.max_priority_fee = u256(20'000'000'000);
  out.gas_limit = 21000;
  out.to = vectors::account35;
  out.value = u256(1'000'000'000'000'000'000);
  return out;
}

txn_fields v5_fields() {
  txn_fields out;
  out.gas_limit = 100'000;
  out.to = vectors::account35;
  out.data = hex("60fe47b10000000000000000000000000000000000000000000000000000000000000005");
  return out;
}

std::vector<access_entry> two_entries() {
  hash32 one = u256(1), all;
  all.fill(0xff);
  return {{vectors::account35, {one, all}}, {vectors::account46, {}}};
}

/// A transaction's RLP items, with item `index` replaced by `replacement` (an encoding; empty: left out).
bytes with_item(bytes_view raw, std::size_t index, bytes_view replacement) {
  const bool typed = raw[0] < 0xc0;
  auto reader = rlp_reader::open(raw.subspan(typed ? 1 : 0), "transaction").value();
  rlp_writer to;
  to.begin_list();
  for (std::size_t i = 0; !reader.at_end(); ++i) {
    const auto item = reader.next("item").value();
    to.encoded(i == index ? replacement : item.encoded);
  }
  bytes out = to.end_list().take();
  if (typed) out.insert(out.begin(), raw[0]);
  return out;
}

template <class Code>
bool breaks(const result<transaction>& outcome, Code code) {
  return !outcome && outcome.error().is(code) && !outcome.error().message.empty();
}

void check_same(const transaction& left, const transaction& right) {
  CHECK(left.fields() == right.fields());
  CHECK(left.chain_id() == right.chain_id());
  CHECK(left.signature() == right.signature());
  CHECK(left.raw() == right.raw());
  CHECK(left.hash() == right.hash());
}

/// Decodes, recovers the sender, and signs anew: everything must agree with the vector.
void check_vector(const bytes& raw, const txn_fields& fields, std::uint64_t chain_id,
                  std::string_view sighash, std::string_view hash) {
  CHECK(text(signing_hash(fields, chain_id).view()) == sighash);
  auto decoded = transaction::decode(raw, chain_id);
  REQUIRE(decoded);
  CHECK(decoded->fields() == fields);
  CHECK(text(decoded->hash().view()) == hash);
  CHECK(!decoded->sender_known());
  REQUIRE(decoded->recover_sender());
  CHECK(decoded->sender() == vectors::account46);
  const auto made = make_signed(fields, vectors::key46(), chain_id);
  REQUIRE(made);
  check_same(*made, *decoded);
  CHECK(made->sender() == vectors::account46);
  CHECK(encode_signed(fields, chain_id, made->signature()) == raw);
}

} // namespace

TEST_CASE("EIP-155: the example of the proposal, byte for byte (V4)") {
  check_vector(vectors::v4_raw, v4_fields(), 1,
               "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
               "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
  CHECK(transaction::decode(vectors::v4_raw, 1)->v() == 37);
}

TEST_CASE("EIP-1559 with call data (V5)") {
  check_vector(vectors::v5_raw, v5_fields(), 1337,
               "ac6ba14056dd2429cb6f41242aa3d63998d2d59214f60b4152d3cb2a45346c66",
               "80ca3428b54e10dabec2e9b89291dbff18e1797c1beaabb77b666af391645ef4");
  CHECK(transaction::decode(vectors::v5_raw, 1337)->v() == 0);
}

TEST_CASE("legacy without a fee (V6), and on the largest chain id") {
  txn_fields fields;
  fields.type = txn_type::legacy;
  fields.gas_limit = 100'000;
  fields.to = vectors::account35;
  const auto v6 = transaction::decode(vectors::v6_raw, 1337);
  REQUIRE(v6);
  check_vector(vectors::v6_raw, fields, 1337, text(signing_hash(fields, 1337).view()),
               "158cd6f1d40d51b8947796a0080fc42629f6af2ed4c9199e54015bd707189534");
  fields.gas_limit = 21000;
  check_vector(largest_chain_raw, fields, chain_id_max,
               "f6e0d96e881fedf3c57f48c73ac7a148e1fa5c02201f0292dc2511d351dd28f8",
               "b545c3f9ea60fbacff826021022931c2a0a089738bd082e2dcfa5b5f1ddd42ac");
  CHECK(transaction::decode(largest_chain_raw, chain_id_max)->v() == 0x40000000000021);
}

TEST_CASE("access lists, tips and contract creation as ethers signs them") {
  txn_fields fields;
  fields.type = txn_type::access_list;
  fields.nonce = 7;
  fields.max_fee = fields.max_priority_fee = u256(3);
  fields.gas_limit = 50'000;
  fields.to = vectors::account35;
  fields.value = u256(1);
  fields.data = hex("deadbeef");
  fields.access_list = two_entries();
  check_vector(eip2930_raw, fields, 1337, "b2a6d8dbe042e7e41209d511970cd6fce235cbd2326ac6dda07e32eb9c950c3a",
               "5d8a7b605f0816261d38b27ca9aa395273524d518c33894af20fc7d4ef4ca4bb");
  fields = {};
  fields.nonce = 258;
  fields.max_priority_fee = u256(1);
  fields.max_fee = u256(2'000'000'000);
  fields.gas_limit = 90'000;
  fields.data = hex("00");
  fields.access_list = two_entries();
  check_vector(creation_raw, fields, 1337, "0bceccffaf1432f0630469c9461a9c493e4c893bda4c5f999e416124afca5604",
               "c850d44125d89ec943c4a30f998726fdb4d12b8b22ac83350f75db223828529f");
}

TEST_CASE("a signature for another chain is refused, whatever the type") {
  for (const auto* raw : {&vectors::v5_raw, &vectors::v6_raw, &eip2930_raw}) {
    const auto outcome = transaction::decode(*raw, 1338);
    REQUIRE(breaks(outcome, txn_errc::wrong_chain));
    CHECK(wording(outcome.error())
          == "invalid chain id for signer: have 1337, want 1338; sign it for chain 1338");
  }
}

TEST_CASE("a legacy signature without a chain id is refused with the words that clients look for") {
  const auto outcome = transaction::decode(pre155_raw, 1337);
  REQUIRE(breaks(outcome, txn_errc::not_replay_protected));
  CHECK(says(outcome.error(), "only replay-protected"));
  CHECK(breaks(transaction::decode(with_item(pre155_raw, 6, rlp_number(27)), 1337),
               txn_errc::not_replay_protected));
}

TEST_CASE("v and the y parity have few legal values") {
  for (const std::uint64_t v : {0, 1, 26, 29, 34})
    CHECK(breaks(transaction::decode(with_item(vectors::v4_raw, 6, rlp_number(v)), 1), txn_errc::bad_v));
  CHECK(breaks(transaction::decode(with_item(vectors::v4_raw, 6, rlp_number(39)), 1), txn_errc::wrong_chain));
  CHECK(breaks(transaction::decode(with_item(vectors::v5_raw, 9, rlp_number(2)), 1337), txn_errc::bad_v));
  CHECK(breaks(transaction::decode(with_item(vectors::v5_raw, 9, rlp_number(27)), 1337), txn_errc::bad_v));
  // The other parity is well formed, but leads to somebody else.
  auto other = transaction::decode(with_item(vectors::v5_raw, 9, rlp_number(1)), 1337);
  REQUIRE(other);
  const auto found = other->recover_sender();
  CHECK((!found || other->sender() != vectors::account46));
}

TEST_CASE("rules of nonce, fees and size") {
  const bytes max_nonce = rlp_number(~std::uint64_t{0});
  CHECK(breaks(transaction::decode(with_item(vectors::v4_raw, 0, max_nonce), 1), txn_errc::nonce_max));
  CHECK(transaction::decode(with_item(vectors::v4_raw, 0, rlp_number(~std::uint64_t{0} - 1)), 1));
  CHECK(breaks(transaction::decode(with_item(vectors::v5_raw, 2, rlp_number(1)), 1337),
               txn_errc::tip_above_max_fee));
  CHECK(transaction::decode(with_item(vectors::v5_raw, 3, rlp_number(1)), 1337));
  auto fields = v5_fields();
  fields.nonce = ~std::uint64_t{0};
  CHECK(breaks(make_signed(fields, vectors::key46(), 1337), txn_errc::nonce_max));
  fields = v5_fields();
  fields.max_priority_fee = u256(1);
  CHECK(breaks(make_signed(fields, vectors::key46(), 1337), txn_errc::tip_above_max_fee));
  fields = v4_fields();
  fields.access_list = two_entries();
  CHECK(breaks(make_signed(fields, vectors::key46(), 1337), txn_errc::access_list_in_legacy));
  CHECK(breaks(make_signed(v5_fields(), vectors::key46(), 0), txn_errc::wrong_chain));
  CHECK(breaks(make_signed(v5_fields(), vectors::key46(), chain_id_max + 1), txn_errc::wrong_chain));
}

TEST_CASE("a transaction has up to 128 KiB") {
  auto fields = v5_fields();
  const auto overhead = [&] {
    fields.data.assign(100'000, 1);
    return make_signed(fields, vectors::key46(), 1337)->raw().size() - fields.data.size();
  }();
  fields.data.assign(txn_size_max - overhead - 2,
                     1); // r and s may be a byte shorter than in the probe, or longer
  const auto fits = make_signed(fields, vectors::key46(), 1337);
  REQUIRE(fits);
  CHECK(transaction::decode(fits->raw(), 1337));
  fields.data.assign(txn_size_max, 1);
  CHECK(breaks(make_signed(fields, vectors::key46(), 1337), txn_errc::too_large));
  CHECK(breaks(transaction::decode(bytes(txn_size_max + 1, 2), 1337), txn_errc::too_large));
  CHECK(breaks(transaction::decode({}, 1337), txn_errc::empty));
}

TEST_CASE("first bytes that announce no known type") {
  for (const int first : {0x00, 0x03, 0x04, 0x7f, 0x80, 0xbf}) {
    bytes raw = vectors::v5_raw;
    raw[0] = static_cast<std::uint8_t>(first);
    CHECK(breaks(transaction::decode(raw, 1337), txn_errc::unsupported_type));
  }
}

TEST_CASE("every field has its form") {
  const auto v4 = [](std::size_t index, std::string_view item) {
    return transaction::decode(with_item(vectors::v4_raw, index, hex(item)), 1);
  };
  CHECK(breaks(v4(0, "8200ff"), rlp_errc::integer_leading_zero));
  CHECK(breaks(v4(0, "00"), rlp_errc::integer_leading_zero));
  CHECK(breaks(v4(0, "89ffffffffffffffffff"), rlp_errc::integer_too_wide));
  CHECK(breaks(v4(1, "a1ff" + std::string(64, 'f')), rlp_errc::integer_too_wide));
  CHECK(breaks(v4(2, "c0"), rlp_errc::expected_string));
  CHECK(breaks(v4(3, "93" + std::string(38, '3')), rlp_errc::wrong_width));
  CHECK(breaks(v4(3, "00"), rlp_errc::wrong_width));
  CHECK(!v4(3, "80")->fields().to.has_value());
  CHECK(breaks(v4(5, "c0"), rlp_errc::expected_string));
  CHECK(breaks(v4(8, "a000" + std::string(62, '1')), rlp_errc::integer_leading_zero));
  CHECK(breaks(v4(8, ""), rlp_errc::missing_item));
  CHECK(breaks(v4(8, "0101"), rlp_errc::extra_item));
  const auto list = [](std::string_view item) {
    return transaction::decode(with_item(vectors::v5_raw, 8, hex(item)), 1337);
  };
  CHECK(breaks(list("80"), rlp_errc::expected_list));
  CHECK(breaks(list("c180"), rlp_errc::expected_list));
  CHECK(breaks(list("c1c0"), rlp_errc::missing_item));
  CHECK(breaks(list("d7d6d5" + std::string(42, '3')), rlp_errc::expected_string));
  CHECK(breaks(list("d8d794" + std::string(40, '3') + "c180"), rlp_errc::wrong_width));
  CHECK(breaks(list("d8d794" + std::string(40, '3') + "c0c0"), rlp_errc::extra_item));
  for (const auto* raw : {&vectors::v4_raw, &vectors::v5_raw, &eip2930_raw}) {
    const std::uint64_t chain_id = raw == &vectors::v4_raw ? 1 : 1337;
    bytes longer = *raw, shorter = *raw;
    longer.push_back(0);
    shorter.pop_back();
    CHECK(breaks(transaction::decode(longer, chain_id), rlp_errc::trailing_bytes));
    CHECK(breaks(transaction::decode(shorter, chain_id), rlp_errc::truncated));
  }
}

TEST_CASE("signatures that are no signatures fail when the sender is asked for") {
  const auto recovered = [](std::size_t index, const bytes& item) {
    auto txn = transaction::decode(with_item(vectors::v5_raw, index, item), 1337);
    REQUIRE(txn);
    const auto outcome = txn->recover_sender();
    REQUIRE(!outcome);
    CHECK(!txn->sender_known());
    return outcome.error();
  };
  CHECK(recovered(10, rlp_number(0)).is(key_errc::invalid_signature));
  CHECK(recovered(11, rlp_number(0)).is(key_errc::invalid_signature));
  CHECK(recovered(11, rlp_string(bytes(32, 0xf0))).is(key_errc::high_s));
  CHECK(recovered(10, rlp_string(bytes(32, 0xff))).is(key_errc::invalid_signature));
}

TEST_CASE("in a block a legacy transaction is a list and a typed one a string") {
  for (const auto& [raw, chain_id] : {std::pair{&vectors::v4_raw, 1}, std::pair{&vectors::v5_raw, 1337}}) {
    const auto id = static_cast<std::uint64_t>(chain_id);
    const auto txn = transaction::decode(*raw, id).value();
    rlp_writer to;
    put_item(to, txn);
    const bytes item = to.take();
    CHECK(item == (id == 1 ? *raw : rlp_string(*raw)));
    check_same(transaction::decode_item(*rlp_decode(item, "item"), id).value(), txn);
  }
  const bytes wrapped = rlp_string(vectors::v4_raw), nothing = rlp_string({});
  CHECK(breaks(transaction::decode_item(*rlp_decode(wrapped, "item"), 1), txn_errc::item_form));
  CHECK(breaks(transaction::decode_item(*rlp_decode(nothing, "item"), 1), txn_errc::empty));
  const bytes bare = to_bytes(bytes_view(vectors::v5_raw).subspan(1));
  CHECK(!transaction::decode_item(*rlp_decode(bare, "item"), 1337));
}

TEST_CASE("whatever bytes are accepted as a transaction, they are its only encoding") {
  seeded_random random(11);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    bytes raw =
        std::array{&vectors::v4_raw, &vectors::v5_raw, &eip2930_raw, &creation_raw}[random.below(4)][0];
    const std::uint64_t chain_id = raw[0] == 0xf8 ? 1 : 1337;
    for (auto flips = 1 + random.below(3); flips > 0; --flips)
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
    const auto txn = transaction::decode(raw, chain_id);
    if (!txn) continue;
    ++accepted;
    REQUIRE(encode_signed(txn->fields(), chain_id, txn->signature()) == raw);
    REQUIRE(txn->hash() == keccak256(raw));
  }
  CHECK(accepted > 1000);
}

} // namespace transaction_test
