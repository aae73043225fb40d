#include "ledger/consensus/quorum.hpp"

#include "ledger/consensus/testing/fixture.hpp"

namespace quorum_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;

TEST_CASE("faults and quorums are those of the table") {
  struct row {
    std::size_t n, f, q;
  };
  for (const auto& [n, f, q] : {row{1, 0, 1}, row{2, 0, 2}, row{3, 0, 2}, row{4, 1, 3}, row{5, 1, 4},
                                row{6, 1, 4}, row{7, 2, 5}, row{10, 3, 7}}) {
    CAPTURE(n);
    CHECK(faults_tolerated(n) == f);
    CHECK(quorum_of(n) == q);
  }
}

TEST_CASE("two quorums share an honest validator, and the honest alone are a quorum") {
  for (std::size_t n = 1; n <= 256; ++n) {
    const auto f = faults_tolerated(n);
    const auto q = quorum_of(n);
    REQUIRE(2 * q >= n + f + 1);
    REQUIRE(n - f >= q);
    REQUIRE(q - f >= f + 1); // those who entered a round with a quorum pull the others along
  }
}

} // namespace quorum_test
