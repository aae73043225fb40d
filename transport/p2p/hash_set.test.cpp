#include "transport/p2p/hash_set.hpp"

#include <doctest/doctest.h>

#include <set>

namespace hash_set_test {

using namespace swarm;
using namespace swarm::p2p;

namespace {

hash32 numbered(std::uint64_t number, std::size_t at = 0) {
  hash32 out;
  put_be64(out.data() + at, number);
  return out;
}

} // namespace

TEST_CASE("a hash set holds what a plain set holds") {
  hash_set flat;
  std::set<hash32> plain;
  CHECK_FALSE(flat.contains(hash32{}));
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const auto hash = numbered(i * i % 3001, i % 4 * 8);
    CHECK(flat.insert(hash) == plain.insert(hash).second);
    CHECK(flat.size() == plain.size());
  }
  for (std::uint64_t i = 0; i < 4000; ++i)
    for (const std::size_t at : {0, 8, 16, 24})
      CHECK(flat.contains(numbered(i, at)) == plain.contains(numbered(i, at)));
  flat.clear();
  CHECK(flat.size() == 0);
  CHECK_FALSE(flat.contains(*plain.begin()));
  CHECK(flat.insert(*plain.begin()));
}

TEST_CASE("hashes that differ in few bits do not crowd together") {
  for (const std::size_t at : {0, 8, 16, 24}) {
    std::set<std::size_t> places;
    for (std::uint64_t i = 0; i < 4096; ++i)
      places.insert(secret_hash{}(numbered(i, at)) >> 48);
    CHECK(places.size() > 3000); // about 3,970 if it were chance
  }
}

} // namespace hash_set_test
