#include "ledger/consensus/quorum.hpp"

#include "ledger/consensus/testing/fixture.hpp"

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

TEST_CASE("the proposer is the parent's proposer's successor, and one further each round") {
  const std::vector<address> set{fake_account(1), fake_account(3), fake_account(5), fake_account(7)};
  CHECK(proposer_of(set, fake_account(3), 0) == fake_account(5));
  CHECK(proposer_of(set, fake_account(3), 1) == fake_account(7));
  CHECK(proposer_of(set, fake_account(3), 2) == fake_account(1));
  CHECK(proposer_of(set, fake_account(7), 0) == fake_account(1));
  CHECK(proposer_of(set, fake_account(3), 4'000'000'000'000) == fake_account(5));
}

TEST_CASE("a proposer that has left the set is followed by the successor of its place") {
  const std::vector<address> set{fake_account(1), fake_account(3), fake_account(5), fake_account(7)};
  CHECK(proposer_of(set, fake_account(4), 0) == fake_account(5));
  CHECK(proposer_of(set, fake_account(4), 1) == fake_account(7));
  CHECK(proposer_of(set, fake_account(9), 0) == fake_account(1));
  CHECK(proposer_of(set, address{}, 0) == fake_account(1)); // the genesis block has none
}

TEST_CASE("the proposer rule is that of a ring walked step by step") {
  for (std::size_t n = 1; n <= 7; ++n) {
    std::vector<address> set;
    for (std::size_t i = 0; i < n; ++i)
      set.push_back(fake_account(2 * i + 1));
    for (std::uint64_t parent = 0; parent <= 2 * n + 1; ++parent) {
      auto at = set.begin();
      while (at != set.end() && !(fake_account(parent) < *at))
        ++at;
      for (std::uint64_t round = 0; round < 20; ++round) {
        if (at == set.end()) at = set.begin();
        REQUIRE(proposer_of(set, fake_account(parent), round) == *at);
        ++at;
      }
    }
  }
}
