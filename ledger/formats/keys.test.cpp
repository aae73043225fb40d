#include "ledger/formats/keys.hpp"

#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace keys_test {

using namespace swarm;
using namespace swarm::ledger;
using vectors::fixed;
using vectors::text;

namespace {

const auto order = fixed<32>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
const auto half_order = fixed<32>("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");

/// order - number, for a number below the order.
hash32 negated(const hash32& number) {
  hash32 out;
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int digit = order[i] - number[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    out[i] = static_cast<std::uint8_t>(digit & 255);
  }
  return out;
}

signature65 with(signature65 from, std::size_t offset, const hash32& word) {
  std::copy(word.begin(), word.end(), from.begin() + static_cast<std::ptrdiff_t>(offset));
  return from;
}

hash32 word_of(const signature65& from, std::size_t offset) {
  return hash32::from_view(from.view().subspan(offset, 32)).value();
}

bool breaks(const result<address>& outcome, key_errc rule) {
  return !outcome && outcome.error().is(rule);
}

} // namespace

TEST_CASE("addresses of keys and of the contracts they make (V3)") {
  CHECK(text(vectors::key46().account().view()) == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
  CHECK(text(vectors::small_key(1).account().view()) == "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  const auto creator = vectors::key46().account();
  CHECK(text(contract_address(creator, 0).view()) == "72665d3e94cb4f374b7728f1ab21a3115c4d50eb");
  CHECK(text(contract_address(creator, 1).view()) == "20bb3edd03cdb25b85f5e7e5f107c801869cc3ae");
  CHECK(text(contract_address(creator, 300).view()) == "a65e5ebf708124261d0b62a954febcfd85b69a40");
}

TEST_CASE("only numbers from 1 to the order less one are keys") {
  CHECK(private_key::from_bytes(bytes(31, 1)).error().is(key_errc::invalid_key));
  CHECK(private_key::from_bytes(bytes(33, 1)).error().is(key_errc::invalid_key));
  CHECK(private_key::from_bytes(bytes(32, 0)).error().is(key_errc::invalid_key));
  CHECK(private_key::from_bytes(order.view()).error().is(key_errc::invalid_key));
  CHECK(private_key::from_bytes(bytes(32, 0xff)).error().is(key_errc::invalid_key));
  CHECK(private_key::from_bytes(negated(u256(1)).view()));
}

TEST_CASE("a key that was moved from holds nothing") {
  auto first = vectors::key46();
  const private_key second = std::move(first);
  CHECK(std::all_of(first.secret().begin(), first.secret().end(), [](auto b) { return b == 0; })); // NOLINT
  CHECK(second.account() == vectors::account46);
  CHECK(private_key::make_random().account() != private_key::make_random().account());
}

TEST_CASE("signatures are deterministic, low, and lead back to their account") {
  const auto key = vectors::key46();
  for (int i = 0; i < 50; ++i) {
    const hash32 digest = keccak256(std::to_string(i));
    const signature65 signature = key.sign_recoverable(digest);
    CHECK(signature == key.sign_recoverable(digest));
    CHECK(word_of(signature, 32) <= half_order);
    CHECK(recover(digest, signature).value() == key.account());
    const auto other = recover(keccak256("other"), signature);
    CHECK((!other || *other != key.account()));
  }
  // Made with ethers 6.17.
  CHECK(
      text(key.sign_recoverable(fixed<32>("d8c7d769e8df0cb32cccba25139d1a4f5bac5bbf6205cedcef559c53cbbd2273"))
               .view())
      == "72c377c71c69c48e46581fdc86c276ca29ebcf2208e28457d1cf3c03441fc93a"
         "77a5cabde4f68c3e1134b2e1d1dc60a2fb7587c7f32dee34fcd3290c60a8ca2301");
}

TEST_CASE("the malleable twin of a signature is refused although the curve would accept it") {
  const auto key = vectors::key46();
  const hash32 digest = keccak256("pay");
  const signature65 signature = key.sign_recoverable(digest);
  signature65 twin = with(signature, 32, negated(word_of(signature, 32)));
  twin[64] ^= 1;
  CHECK(breaks(recover(digest, twin), key_errc::high_s));
}

TEST_CASE("signatures out of range are refused") {
  const hash32 digest = keccak256("pay");
  const signature65 good = vectors::key46().sign_recoverable(digest);
  CHECK(breaks(recover(digest, with(good, 0, hash32{})), key_errc::invalid_signature));
  CHECK(breaks(recover(digest, with(good, 0, order)), key_errc::invalid_signature));
  CHECK(breaks(recover(digest, with(good, 32, hash32{})), key_errc::invalid_signature));
  CHECK(breaks(recover(digest, with(good, 32, order)), key_errc::invalid_signature));
  CHECK(breaks(recover(digest, with(good, 0, u256(5))), key_errc::invalid_signature)); // no point has x = 5
  hash32 above_half = half_order;
  CHECK(!breaks(recover(digest, with(good, 32, above_half)), key_errc::high_s));
  ++above_half[31];
  CHECK(breaks(recover(digest, with(good, 32, above_half)), key_errc::high_s));
  for (const int id : {2, 3, 27, 28, 255}) {
    signature65 bad = good;
    bad[64] = static_cast<std::uint8_t>(id);
    CHECK(breaks(recover(digest, bad), key_errc::bad_recovery_id));
  }
}

} // namespace keys_test
