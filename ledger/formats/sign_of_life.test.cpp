#include "ledger/formats/sign_of_life.hpp"

#include "base/hash.hpp"

#include <doctest/doctest.h>

namespace sign_of_life_test {

using namespace swarm;
using namespace swarm::ledger;

namespace {

const auto genesis = keccak256(as_bytes("genesis"));

} // namespace

TEST_CASE("a sign of life tells who made it, and carries an SN's endpoint") {
  const auto key = private_key::make_random();
  for (const std::string endpoint : {"", "sn-1.example:30304", "[::1]:30304"}) {
    const auto read = decode_sign_of_life(encode_sign_of_life(7, 12, endpoint, key, 1, genesis), 1, genesis);
    REQUIRE(read);
    CHECK(*read == sign_of_life{key.account(), 7, 12, endpoint});
  }
}

TEST_CASE("a sign of life that was changed, or made for another chain, is not that account's") {
  const auto key = private_key::make_random();
  const auto raw = encode_sign_of_life(7, 12, "sn-1:30304", key, 1, genesis);
  CHECK(decode_sign_of_life(raw, 2, genesis)->account != key.account());
  CHECK(decode_sign_of_life(raw, 1, keccak256(as_bytes("another")))->account != key.account());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    auto changed = raw;
    changed[i] ^= 1;
    const auto read = decode_sign_of_life(changed, 1, genesis);
    CHECK((!read || read->account != key.account()));
  }
}

TEST_CASE("a sign of life is bounded and exact") {
  const auto key = private_key::make_random();
  auto longer = encode_sign_of_life(7, 12, "sn-1:30304", key, 1, genesis);
  longer.push_back(0);
  CHECK(!decode_sign_of_life(longer, 1, genesis));
  CHECK(!decode_sign_of_life({}, 1, genesis));
  CHECK(decode_sign_of_life(
      encode_sign_of_life(UINT64_MAX, 12, std::string(api_endpoint_bytes_max, 'a'), key, 1, genesis), 1,
      genesis));
  const std::string too_long(api_endpoint_bytes_max + 1, 'a');
  CHECK(!decode_sign_of_life(encode_sign_of_life(7, 12, too_long, key, 1, genesis), 1, genesis));
  CHECK(!decode_sign_of_life(encode_sign_of_life(7, 12, "a b", key, 1, genesis), 1, genesis));
}

} // namespace sign_of_life_test
