#include "ledger/formats/seal.hpp"

#include "base/random.hpp"
#include "ledger/formats/rlp.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace seal_test {

using namespace swarm;
using namespace swarm::ledger;
using vectors::hex;
using vectors::text;

namespace {

hash32 filled(std::uint8_t with) {
  hash32 out;
  out.fill(with);
  return out;
}

const hash32 digest = seal_digest(1337, filled(0x11), filled(0x22), 2);

/// Keys 1 to 4 of the validators that the tests use.
std::vector<address> validators() {
  std::vector<address> out;
  for (std::uint8_t i = 1; i <= 4; ++i)
    out.push_back(vectors::small_key(i).account());
  return out;
}

seal_record sealed_by(std::initializer_list<std::uint8_t> keys) {
  seal_record out;
  out.round_num = 2;
  for (const auto key : keys)
    out.seals.push_back({vectors::small_key(key).sign_recoverable(digest)});
  return out;
}

template <class Result, class Code>
bool breaks(const Result& outcome, Code code) {
  return !outcome.has_value() && outcome.error().is(code) && !outcome.error().message.empty();
}

} // namespace

TEST_CASE("the sealed digest binds domain, chain, genesis, block and round") {
  // Computed with ethers 6.17 from the layout in the header file.
  CHECK(text(digest.view()) == "d8c7d769e8df0cb32cccba25139d1a4f5bac5bbf6205cedcef559c53cbbd2273");
  CHECK(seal_digest(1338, filled(0x11), filled(0x22), 2) != digest);
  CHECK(seal_digest(1337, filled(0x12), filled(0x22), 2) != digest);
  CHECK(seal_digest(1337, filled(0x11), filled(0x23), 2) != digest);
  CHECK(seal_digest(1337, filled(0x11), filled(0x22), 3) != digest);
}

TEST_CASE("seal records survive encoding") {
  for (const auto& record : {seal_record{}, sealed_by({1}), sealed_by({1, 2, 3})}) {
    const bytes raw = encode_seals(record);
    CHECK(decode_seals(raw).value() == record);
    for (std::size_t size = 0; size < raw.size(); ++size)
      REQUIRE(!decode_seals(bytes_view(raw).first(size)));
  }
  CHECK(text(encode_seals({})) == "c30180c0");
  seal_record largest;
  largest.round_num = round_num_max;
  largest.seals.resize(seals_max, {vectors::small_key(1).sign_recoverable(digest)});
  CHECK(decode_seals(encode_seals(largest)).value() == largest);
}

TEST_CASE("seal records that break a rule are refused") {
  CHECK(breaks(decode_seals(hex("c30280c0")), seal_errc::malformed));
  CHECK(breaks(decode_seals(hex("c48001c080")), seal_errc::malformed));
  CHECK(breaks(decode_seals(hex("c40180c080")), rlp_errc::extra_item));
  CHECK(breaks(decode_seals(hex("c20180")), rlp_errc::missing_item));
  CHECK(breaks(decode_seals(hex("c30180c0c0")), rlp_errc::trailing_bytes));
  CHECK(breaks(decode_seals(hex("c40180c180")), rlp_errc::wrong_width));
  seal_record record;
  record.round_num = round_num_max + 1;
  CHECK(breaks(decode_seals(encode_seals(record)), seal_errc::round_too_large));
  record = {};
  record.seals.resize(seals_max + 1);
  CHECK(!decode_seals(encode_seals(record)));
}

TEST_CASE("a quorum of distinct validators makes a block final, nothing less") {
  const auto set = validators();
  const auto authors = check_seals(sealed_by({3, 1, 4}), digest, set, 3).value();
  CHECK(authors == std::vector<address>{set[2], set[0], set[3]});
  CHECK(check_seals(sealed_by({1, 2, 3, 4}), digest, set, 3));
  CHECK(breaks(check_seals(sealed_by({1, 2}), digest, set, 3), seal_errc::below_quorum));
  CHECK(breaks(check_seals(sealed_by({1, 2, 2}), digest, set, 3), seal_errc::duplicate_author));
  CHECK(breaks(check_seals(sealed_by({1, 2, 5}), digest, set, 3), seal_errc::not_a_validator));
  CHECK(breaks(check_seals(sealed_by({1, 2, 3, 4, 1}), digest, set, 3), seal_errc::too_many));
  auto forged = sealed_by({1, 2, 3});
  forged.seals[1].signature = {};
  CHECK(breaks(check_seals(forged, digest, set, 3), key_errc::invalid_signature));
  // Seals over another digest recover to strangers.
  CHECK(!check_seals(sealed_by({1, 2, 3}), filled(9), set, 3));
}

} // namespace seal_test
