#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/u256.hpp"

#include <doctest/doctest.h>

namespace base_test {

using namespace swarm;

TEST_CASE("keccak256 matches the published values") {
  CHECK(to_hex(keccak256(std::string_view{}), false)
        == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  CHECK(to_hex(keccak256("hello"), false)
        == "1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8");
  const bytes empty_list{0xc0};
  CHECK(to_hex(keccak256(empty_list), false)
        == "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
}

TEST_CASE("sha256 in one piece and in several agree with FIPS 180-4") {
  const auto expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(to_hex(sha256(as_bytes("abc")), false) == expected);
  sha256_stream stream;
  for (int repeat = 0; repeat < 2; ++repeat) {
    stream.update(as_bytes("a"));
    stream.update(as_bytes("bc"));
    CHECK(to_hex(stream.finish(), false) == expected);
  }
}

TEST_CASE("hexadecimal text round-trips and bad text is refused") {
  CHECK(to_hex(*from_hex("0x00ffAb")) == "0x00ffab");
  CHECK(from_hex("").value().empty());
  CHECK(!from_hex("0x0"));
  CHECK(!from_hex("zz"));
  CHECK(!fixed_from_hex<20>("0x1234"));
}

TEST_CASE("u256 keeps its value and knows its minimal form") {
  CHECK(u256(0).minimal().empty());
  CHECK(to_hex(u256(1024).minimal()) == "0x0400");
  CHECK(u256(77).to_u64() == 77);
  u256 big;
  big[0] = 1;
  CHECK(!big.fits_u64());
}

TEST_CASE("the seeded generator repeats its sequence") {
  seeded_random a(7), b(7), c(8);
  CHECK(a() == b());
  CHECK(a() != c());
  for (int i = 0; i < 1000; ++i)
    CHECK(a.below(10) < 10);
}

} // namespace base_test
