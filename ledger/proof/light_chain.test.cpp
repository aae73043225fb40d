#include "ledger/proof/light_chain.hpp"

#include "base/hash.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace light_chain_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

/// Ten blocks; 2 and 5 change the validators.
struct world {
  paper_chain chain{{1, 2, 3, 4}};

  world() {
    for (std::uint64_t i = 1; i <= 10; ++i)
      chain.add_block({}, i == 2   ? std::vector<std::uint8_t>{5, 6, 1, 2}
                          : i == 5 ? std::vector<std::uint8_t>{7, 8, 5}
                                   : std::vector<std::uint8_t>{});
  }
  light_chain begin() { return *light_chain::begin(chain.identity(), chain.handover_at(0)); }
};

sealed_header sealed_by(const std::vector<std::uint8_t>& keys, const block_header& header,
                        const chain_identity& of) {
  sealed_header out{encode_header(header), {}};
  const auto digest = seal_digest(of.chain_id, of.genesis_hash, keccak256(out.header), 0);
  for (const auto key : keys)
    out.seals.seals.push_back({paper_key(key).sign_recoverable(digest)});
  return out;
}

} // namespace

TEST_CASE("from the genesis block a node follows every change and opens what the validators sealed") {
  world at;
  auto light = at.begin();
  CHECK(light.head() == 0);
  CHECK(light.open(at.chain.sealed(0))); // a network that has just begun
  CHECK(light.open(at.chain.sealed(1)));
  CHECK(light.head() == 1);
  CHECK(light.open(at.chain.sealed(4)).error().is(seal_errc::not_a_validator)); // the change is not known yet
  REQUIRE(light.follow(at.chain.handover_at(2)));
  CHECK(light.reached() == 2);
  CHECK(light.head() == 2);
  CHECK(light.open(at.chain.sealed(2))->block_num == 2); // sealed by those before it, known by its hash
  CHECK(light.open(at.chain.sealed(4)));
  REQUIRE(light.follow(at.chain.handover_at(5)));
  CHECK(light.open(at.chain.sealed(10))->state_root == at.chain.header(10).state_root);
  CHECK(light.open(at.chain.sealed(10)));
}

TEST_CASE("a head that changes the validators back is sealed by those before it") {
  paper_chain chain({1, 2, 3, 4});
  chain.add_block({});
  chain.add_block({}, {5, 6, 7, 8});
  chain.add_block({}, {1, 2, 3, 4});
  auto light = *light_chain::begin(chain.identity(), chain.handover_at(0));
  CHECK(light.open(chain.sealed(3)).error().is(seal_errc::not_a_validator));
  REQUIRE(light.follow(chain.handover_at(2)));
  CHECK(light.open(chain.sealed(3)));
  CHECK(light.head() == 3);
  REQUIRE(light.follow(chain.handover_at(3))); // though it is the head already
  chain.add_block({});
  CHECK(light.open(chain.sealed(4)));
}

TEST_CASE("a node never goes back") {
  world at;
  auto light = at.begin();
  REQUIRE(light.follow(at.chain.handover_at(2)));
  REQUIRE(light.open(at.chain.sealed(4)));
  CHECK(light.open(at.chain.sealed(3)).error().is(proof_errc::old_head));
  CHECK(light.open(at.chain.sealed(0)).error().is(proof_errc::old_head));
  CHECK(light.head() == 4);
  CHECK_FALSE(light.follow(at.chain.handover_at(2)));
  CHECK(light.reached() == 2);
}

TEST_CASE("a block below the head is opened by those who sealed it, and does not move the head") {
  world at;
  auto light = at.begin();
  for (const auto change : {2, 5})
    REQUIRE(light.follow(at.chain.handover_at(static_cast<std::size_t>(change))));
  REQUIRE(light.open(at.chain.sealed(9)));
  for (std::size_t block_num = 1; block_num <= 9; ++block_num)
    CHECK(light.open_past(at.chain.sealed(block_num))->block_num == block_num);
  CHECK(light.head() == 9);
  CHECK(light.open_past(at.chain.sealed(10)));
  CHECK(light.head() == 10);
  CHECK(light.open_past(at.chain.sealed(0)).error().is(proof_errc::old_head));
  auto header = at.chain.header(4);
  header.state_root = keccak256("forged");
  const auto of = at.chain.identity();
  CHECK(light.open_past(sealed_by({1, 2, 3}, header, of))
            .error()
            .is(seal_errc::not_a_validator)); // before block 3
  CHECK(light.open_past(sealed_by({5}, header, of)).error().is(seal_errc::below_quorum));
}

TEST_CASE("of validators of long ago is forgotten who they were") {
  paper_chain chain({1, 2, 3, 4});
  const auto changes = light_chain::former_sets_max + 2;
  for (std::size_t i = 0; i < changes; ++i)
    chain.add_block({}, i % 2 == 0 ? std::vector<std::uint8_t>{5, 6, 7, 8}
                                   : std::vector<std::uint8_t>{1, 2, 3, 4});
  auto light = *light_chain::begin(chain.identity(), chain.handover_at(0));
  for (std::size_t block_num = 1; block_num <= changes; ++block_num)
    REQUIRE(light.follow(chain.handover_at(block_num)));
  CHECK(light.open_past(chain.sealed(1)).error().is(proof_errc::old_head));
  CHECK(light.open_past(chain.sealed(2)).error().is(proof_errc::old_head));
  CHECK(light.open_past(chain.sealed(3)));
}

TEST_CASE("another genesis block, one with seals, and a later block are no beginning") {
  world at, other;
  other.chain = paper_chain({1, 2, 3});
  const auto of = at.chain.identity();
  CHECK(light_chain::begin(of, other.chain.handover_at(0)).error().is(proof_errc::genesis));
  CHECK(light_chain::begin(of, at.chain.handover_at(1)).error().is(proof_errc::genesis));
  auto sealed = at.chain.handover_at(0);
  sealed.block.seals = at.chain.sealed(1).seals;
  CHECK(light_chain::begin(of, sealed).error().is(proof_errc::genesis));
  auto lie = at.chain.handover_at(0);
  lie.proof.members.pop_back();
  CHECK(light_chain::begin(of, lie).error().is(proof_errc::validators));
}

TEST_CASE("a head that an SN makes with its own key is refused, and so is one of too few") {
  world at;
  auto light = at.begin();
  auto header = at.chain.header(1);
  header.state_root = keccak256("forged");
  const auto of = at.chain.identity();
  CHECK(light.open(sealed_by({1}, header, of)).error().is(seal_errc::below_quorum));
  CHECK(light.open(sealed_by({}, header, of)).error().is(seal_errc::below_quorum));
  CHECK(light.open(sealed_by({1, 2, 9}, header, of)).error().is(seal_errc::not_a_validator));
  auto moved = at.chain.sealed(1); // seals of another block
  moved.header = encode_header(header);
  CHECK_FALSE(light.open(moved));
  auto zero = at.chain.header(0);
  zero.extra_data = {1};
  CHECK(light.open(sealed_by({}, zero, of)).error().is(proof_errc::fork));
  CHECK(light.head() == 0);
}

TEST_CASE("two final blocks of one number are a fork, whichever comes first") {
  world at;
  auto light = at.begin();
  REQUIRE(light.open(at.chain.sealed(1)));
  auto header = at.chain.header(1);
  header.state_root = keccak256("other");
  CHECK(light.open(sealed_by({1, 2, 3}, header, at.chain.identity())).error().is(proof_errc::fork));
  CHECK(light.open(at.chain.sealed(1)));
  auto ahead = at.begin();
  auto two = at.chain.header(2);
  two.state_root = keccak256("other");
  REQUIRE(ahead.open(sealed_by({1, 2, 3}, two, at.chain.identity())));
  CHECK(ahead.follow(at.chain.handover_at(2)).error().is(proof_errc::fork));
  CHECK(ahead.reached() == 0);
}

} // namespace light_chain_test
