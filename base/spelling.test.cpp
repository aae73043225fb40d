#include "base/spelling.hpp"

#include <doctest/doctest.h>

#include <array>

namespace spelling_test {

using namespace swarm;

TEST_CASE("near misses are found and far ones are not") {
  constexpr std::array<std::string_view, 3> words{"sn-api-port", "sn-p2p-port", "sentinel"};
  CHECK(nearest("sn-api-prot", words) == "sn-api-port");
  CHECK(nearest("sentinal", words) == "sentinel");
  CHECK(nearest("sentinel", words) == "sentinel");
  CHECK(!nearest("banana", words));
  CHECK(!nearest("", words));
  CHECK(!nearest(std::string(100000, 's'), words));
  CHECK(did_you_mean("sentinle", words, "--") == "; did you mean '--sentinel'?");
  CHECK(did_you_mean("banana", words).empty());
  CHECK(edit_distance("sentinal", "sentinel") == 1);
  CHECK(edit_distance("", "abc") == 3);
}

} // namespace spelling_test
