#include "actors/sn/proofs/shown_witnesses.hpp"

#include <doctest/doctest.h>

namespace shown_witnesses_test {

using namespace swarm;
using namespace swarm::proofs;

namespace {

ledger::witness_set witness(std::uint64_t number, std::size_t nodes) {
  ledger::witness_set out{u256(number), {}};
  for (std::size_t i = 0; i < nodes; ++i)
    out.sizes.emplace(u256(i), 100);
  return out;
}

} // namespace

TEST_CASE("a witness is found by its id, and is kept once") {
  shown_witnesses shown;
  CHECK(shown.find(u256(1)) == nullptr);
  shown.keep(witness(1, 3));
  shown.keep(witness(2, 5));
  shown.keep(witness(1, 3));
  CHECK(shown.nodes() == 8);
  REQUIRE(shown.find(u256(1)) != nullptr);
  CHECK(shown.find(u256(1))->sizes.size() == 3);
  CHECK(shown.find(u256(2))->sizes.size() == 5);
}

TEST_CASE("whoever asks for ever more makes an SN forget the oldest, and keep no more than so many") {
  shown_witnesses shown;
  SUBCASE("many small ones") {
    for (std::uint64_t i = 0; i < 3 * shown_witnesses::witnesses_max; ++i)
      shown.keep(witness(i, 1));
    CHECK(shown.nodes() == shown_witnesses::witnesses_max);
    CHECK(shown.find(u256(2 * shown_witnesses::witnesses_max - 1)) == nullptr);
    CHECK(shown.find(u256(2 * shown_witnesses::witnesses_max)) != nullptr);
  }
  SUBCASE("a few large ones") {
    for (std::uint64_t i = 0; i < 8; ++i) {
      shown.keep(witness(i, shown_witnesses::nodes_max / 3));
      CHECK(shown.nodes() <= shown_witnesses::nodes_max);
    }
    CHECK(shown.find(u256(4)) == nullptr);
    CHECK(shown.find(u256(5)) != nullptr);
  }
  SUBCASE("one that is too large") {
    shown.keep(witness(1, shown_witnesses::nodes_max + 1));
    CHECK(shown.nodes() == 0);
    CHECK(shown.find(u256(1)) == nullptr);
  }
}

} // namespace shown_witnesses_test
