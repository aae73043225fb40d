#include "transport/p2p/p2p_versions.hpp"

#include <doctest/doctest.h>

namespace p2p_versions_test {

using namespace swarm::p2p;

TEST_CASE("the newest version that both speak is taken") {
  CHECK(newest_common({2, 3}, {2, 3}) == 3);
  CHECK(newest_common({2, 3}, {2, 2}) == 2);
  CHECK(newest_common({2, 3}, {3, 9}) == 3);
  CHECK(newest_common({2, 9}, {4, 5}) == 5);
  CHECK_FALSE(newest_common({2, 3}, {4, 5}));
  CHECK_FALSE(newest_common({4, 5}, {1, 1}));
  // Who speaks with its next release speaks with swarmd 0.2 as well.
  CHECK(newest_common(versions_known, versions_unsaid) == 2);
}

TEST_CASE("versions as a header has them") {
  for (const auto& range : {version_range{2, 3}, version_range{7, 7}, version_range{1, UINT64_MAX}})
    CHECK(read_versions(text_of(range)) == range);
  CHECK(text_of({2, 3}) == "2-3");
  CHECK(text_of({2, 2}) == "2");
  for (const auto* wrong :
       {"", "-", "2-", "-3", "3-2", "0-2", "2-3-4", "2 - 3", "two", "2-18446744073709551616", "+2"})
    CHECK_FALSE(read_versions(wrong));
}

} // namespace p2p_versions_test
