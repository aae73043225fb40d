#include "contracts/proofs/testing/proved_story.hpp"

#include <doctest/doctest.h>

namespace merge_proof_test {

TEST_CASE("a merge that was put together is proved by its shards") {
  story made_in_shards;
  made_in_shards.make_shards();
  const proved_story made(made_in_shards);
  const auto place = verify_merge_proof(made.proof, made.by_genesis);
  REQUIRE_MESSAGE(place, place.error().message);
  CHECK(place->block_num == 2);
  auto proof = made.proof;
  const auto refused = [&](auto rule) {
    const auto verdict = verify_merge_proof(proof, made.by_genesis);
    REQUIRE_FALSE(verdict);
    CHECK_MESSAGE(verdict.error().is(rule), verdict.error().category, ": ", verdict.error().message);
  };
  SUBCASE("one shard less") {
    proof.shards.pop_back();
    refused(merge_proof_errc::shards);
  }
  SUBCASE("the other one less") {
    proof.shards.erase(proof.shards.begin());
    refused(merge_proof_errc::shards);
  }
  SUBCASE("one twice") {
    proof.shards.push_back(proof.shards[1]);
    refused(merge_proof_errc::shards);
  }
  SUBCASE("another order") {
    std::swap(proof.shards[0], proof.shards[1]);
    refused(merge_proof_errc::shards);
  }
  SUBCASE("another maker") {
    proof.shards[0].peer = who(peer_key);
    refused(merge_proof_errc::claim);
  }
  SUBCASE("another number") {
    proof.shards[0].shard = 1;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("another event") {
    proof.shards[0].commit = proof.merge;
    refused(merge_proof_errc::event);
  }
}

TEST_CASE("what the chain records wrongly of shards is not believed either") {
  story bent;
  bent.make_shards();
  const auto refused = [&](auto rule) {
    const proved_story made(bent);
    const auto verdict = verify_merge_proof(made.proof, made.by_genesis);
    REQUIRE_FALSE(verdict);
    CHECK_MESSAGE(verdict.error().is(rule), verdict.error().category, ": ", verdict.error().message);
  };

  SUBCASE("a shard that another peer signed") {
    bent.shard_signer = stranger_key;
    refused(merge_proof_errc::sender);
  }
  SUBCASE("a shard of another term") {
    bent.shards[0].term = 0;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("shards that make another merge") {
    bent.shards[1].roots[2][7] ^= 1;
    refused(merge_proof_errc::shards);
  }
  SUBCASE("shards of a merge that the leader has made") {
    bent.merge.shards = 0;
    refused(merge_proof_errc::shards);
  }
  SUBCASE("more shards than there can be peers") {
    bent.merge.shards = peers_max + 1;
    refused(merge_proof_errc::event);
  }
  SUBCASE("a merge that nobody but a stranger has part in") {
    bent.merge_signer = stranger_key;
    refused(merge_proof_errc::sender);
  }
}

} // namespace merge_proof_test
