#include "contracts/proofs/testing/proved_story.hpp"

#include <doctest/doctest.h>

namespace merge_proof_test {

using namespace swarm;
using namespace swarm::contracts;
using ledger::proof_errc;
using ledger::seal_errc;

namespace {

/// A good proof, which a test alters.
struct altered_proof : proved_story {
  /// For any of these rules.
  template <class... Rules>
  void refused(Rules... rules) const {
    const auto verdict = verify_merge_proof(proof, by_genesis);
    REQUIRE_FALSE(verdict);
    CHECK_MESSAGE((verdict.error().is(rules) || ...), verdict.error().category, ": ",
                  verdict.error().message);
  }
};

} // namespace

TEST_CASE("a merge record is proved from the genesis block, or from the validators") {
  proved_story made;
  const auto place = verify_merge_proof(made.proof, made.by_genesis);
  REQUIRE(place);
  CHECK(place->block_num == 2);
  CHECK(place->seals == 3);
  CHECK(place->validators == 4);
  CHECK(place->timestamp == made.chain.header(2).timestamp);

  CHECK(verify_merge_proof(made.proof, {}).error().is(merge_proof_errc::no_trust));
  merge_trust validators{made.chain.validators(), {}};
  CHECK(verify_merge_proof(made.proof, validators)
            .error()
            .is(seal_errc::below_quorum)); // block 1 has another set
  made.proof.models.erase(made.proof.models.begin());
  made.proof.blocks.pop_back();
  CHECK(verify_merge_proof(made.proof, validators)
            .error()
            .is(merge_proof_errc::models)); // so its seals are believed
  validators.validators = {who(stranger_key), who(peer_key), who(leader_key), who(excluded_key)};
  CHECK(verify_merge_proof(made.proof, validators).error().is(seal_errc::not_a_validator));
  merge_trust stranger{{}, hash32(u256(7))};
  CHECK(verify_merge_proof(made.proof, stranger).error().is(proof_errc::genesis));
}

TEST_CASE_FIXTURE(altered_proof, "nothing that a merge proof says of the merge can be altered") {
  SUBCASE("the chain id") {
    ++proof.chain.chain_id;
    refused(seal_errc::not_a_validator);
  }
  SUBCASE("the genesis hash") {
    proof.chain.genesis_hash[3] ^= 1;
    refused(proof_errc::genesis);
  }
  SUBCASE("the contract") {
    proof.contract = "digit";
    refused(merge_proof_errc::contract);
  }
  SUBCASE("the generation") {
    proof.generation = 1;
    refused(merge_proof_errc::round);
  }
  SUBCASE("the round") {
    proof.round_num = 5;
    refused(merge_proof_errc::round);
  }
  SUBCASE("the term") {
    proof.term = 0;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("the leader") {
    proof.leader = who(peer_key);
    refused(merge_proof_errc::claim);
  }
  SUBCASE("the digest") {
    proof.digest[31] ^= 1;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("the size") {
    --proof.size;
    refused(merge_proof_errc::claim);
  }
}

TEST_CASE_FIXTURE(altered_proof, "nothing that a merge proof says of the peers can be altered") {
  auto& model = proof.models[1];
  SUBCASE("a peer") {
    model.peer[7] ^= 1;
    refused(merge_proof_errc::models);
  }
  SUBCASE("a peer's digest") {
    model.digest[0] ^= 1;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("a peer's size") {
    ++model.size;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("a peer's weightage") {
    ++model.weightage;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("a peer's base round") {
    --model.base_round;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("who was excluded") {
    model.excluded = exclusion_reason::not_available;
    refused(merge_proof_errc::models);
  }
  SUBCASE("why") {
    proof.models[2].excluded = exclusion_reason::not_available;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("one model less") {
    proof.models.pop_back();
    refused(merge_proof_errc::models);
  }
  SUBCASE("one model more") {
    proof.models.push_back(proof.models.back());
    refused(merge_proof_errc::models);
  }
  SUBCASE("the order of the models") {
    std::swap(proof.models[1], proof.models[2]);
    refused(merge_proof_errc::models);
  }
  SUBCASE("another peer's model") {
    model.reveal = proof.models[0].reveal;
    refused(merge_proof_errc::claim);
  }
}

TEST_CASE_FIXTURE(altered_proof, "nothing that a merge proof says of the checks can be altered") {
  SUBCASE("a checker") {
    proof.checkers[0].peer[3] ^= 1;
    refused(merge_proof_errc::checkers);
  }
  SUBCASE("one checker less") {
    proof.checkers.pop_back();
    refused(merge_proof_errc::checkers);
  }
  SUBCASE("one checker more") {
    proof.checkers.push_back(proof.checkers.back());
    refused(merge_proof_errc::checkers);
  }
  SUBCASE("nobody has checked it") {
    proof.checkers.clear();
    refused(merge_proof_errc::checkers);
  }
  SUBCASE("another one's attestation") {
    proof.checkers[0].attest = proof.checkers[1].attest;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("another event instead of an attestation") {
    proof.checkers[0].attest = proof.models[1].reveal;
    refused(merge_proof_errc::event);
  }
  SUBCASE("a proposal instead of an acceptance") {
    proof.acceptance = proof.merge;
    refused(merge_proof_errc::event);
  }
}

TEST_CASE_FIXTURE(altered_proof, "a merge proof cannot point elsewhere") {
  SUBCASE("another event") {
    proof.merge.log_index = 0;
    refused(merge_proof_errc::event);
  }
  SUBCASE("a log that is not there") {
    proof.merge.log_index = 2;
    refused(proof_errc::log);
  }
  SUBCASE("a transaction's place") {
    proof.merge.txn_index = 2;
    refused(proof_errc::transaction);
  }
  SUBCASE("a block's number") {
    proof.merge.block_num = 9;
    refused(proof_errc::missing_block);
  }
  SUBCASE("another block of the proof") {
    proof.merge.block_num = 1;
    refused(proof_errc::transaction);
  }
}

TEST_CASE_FIXTURE(altered_proof, "no byte of the evidence can be altered") {
  const auto each_byte = [](auto& raw, std::size_t step, const auto& check) {
    for (std::size_t i = 0; i < raw.size(); i += step) {
      raw[i] ^= 0x20;
      check();
      raw[i] ^= 0x20;
    }
  };
  SUBCASE("headers") {
    for (auto& block : proof.blocks)
      each_byte(block.header, 7, [&] {
        refused(proof_errc::header, seal_errc::not_a_validator, seal_errc::too_many, seal_errc::below_quorum,
                ledger::key_errc::invalid_signature);
      });
    each_byte(proof.handovers[0].block.header, 7, [&] { refused(proof_errc::header, proof_errc::genesis); });
  }
  SUBCASE("seals") {
    for (auto& seal : proof.blocks[0].seals.seals)
      each_byte(seal.signature, 5, [&] {
        refused(seal_errc::not_a_validator, ledger::key_errc::invalid_signature, ledger::key_errc::high_s,
                ledger::key_errc::bad_recovery_id);
      });
    ++proof.blocks[0].seals.round_num;
    refused(seal_errc::not_a_validator, ledger::key_errc::invalid_signature);
  }
  SUBCASE("too few seals") {
    proof.blocks[0].seals.seals.pop_back();
    refused(seal_errc::below_quorum);
  }
  SUBCASE("one validator's seal counted twice") {
    proof.blocks[0].seals.seals[2] = proof.blocks[0].seals.seals[0];
    refused(seal_errc::duplicate_author);
  }
  SUBCASE("transaction proofs") {
    for (auto& node : proof.merge.txn)
      each_byte(node, 3, [&] { refused(proof_errc::transaction); });
    proof.merge.txn.pop_back();
    refused(proof_errc::transaction);
  }
  SUBCASE("receipt proofs") {
    for (auto& node : proof.models[2].reveal.receipt)
      each_byte(node, 3, [&] { refused(proof_errc::receipt); });
    proof.models[2].reveal.receipt.push_back({0x80});
    refused(proof_errc::receipt);
  }
  SUBCASE("validators") {
    auto& shown = proof.handovers[1].proof;
    for (auto* nodes : {&shown.account, &shown.count, &shown.members[0], &shown.members[3]})
      for (auto& node : *nodes)
        each_byte(node, 3, [&] { refused(proof_errc::validators); });
  }
}

TEST_CASE_FIXTURE(altered_proof, "the evidence has every block and handover once, in order") {
  SUBCASE("a handover left out") {
    proof.handovers.pop_back();
    refused(seal_errc::too_many);
  }
  SUBCASE("a block that claims to be before all validators") {
    auto header = chain.header(2);
    header.block_num = 0;
    proof.blocks.push_back({ledger::encode_header(header), {}});
    proof.merge.block_num = 0;
    refused(proof_errc::order);
  }
  SUBCASE("a block left out") {
    proof.blocks.pop_back();
    refused(proof_errc::missing_block);
  }
  SUBCASE("a block twice") {
    proof.blocks.push_back(proof.blocks[0]);
    refused(proof_errc::order);
  }
}

TEST_CASE("what the chain records wrongly is not believed either") {
  story bent;
  const auto refused = [&](auto rule) {
    const proved_story made(bent);
    const auto verdict = verify_merge_proof(made.proof, made.by_genesis);
    REQUIRE_FALSE(verdict);
    CHECK_MESSAGE(verdict.error().is(rule), verdict.error().category, ": ", verdict.error().message);
  };

  SUBCASE("a merge that another peer signed") {
    bent.merge_signer = peer_key;
    refused(merge_proof_errc::sender);
  }
  SUBCASE("a model that another peer signed") {
    bent.reveal_signer = stranger_key;
    refused(merge_proof_errc::sender);
  }
  SUBCASE("a transaction to another contract") {
    bent.merge_to = who(stranger_key);
    refused(merge_proof_errc::contract);
  }
  SUBCASE("another contract's log") {
    bent.contract = training_address("other");
    refused(merge_proof_errc::contract);
  }
  SUBCASE("a model behind the merge") {
    bent.reveal_late = true;
    refused(merge_proof_errc::order);
  }
  SUBCASE("a model of another round") {
    bent.models[1].round_num = 3;
    refused(merge_proof_errc::round);
  }
  SUBCASE("a model of another generation") {
    bent.models[1].generation = 1;
    refused(merge_proof_errc::round);
  }
  SUBCASE("an attestation that another peer signed") {
    bent.attest_signer = stranger_key;
    refused(merge_proof_errc::sender);
  }
  SUBCASE("attestations of different attempts") {
    bent.attestations[1].attempt = 3;
    refused(merge_proof_errc::checkers);
  }
  SUBCASE("an attestation of another term") {
    bent.attestations[0].term = 0;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("the acceptance of another digest") {
    bent.acceptance.digest[1] ^= 1;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("the acceptance of another term") {
    bent.acceptance.term = 0;
    refused(merge_proof_errc::claim);
  }
  SUBCASE("attestations before the merge") {
    bent.accept_early = true;
    refused(merge_proof_errc::order);
  }
  SUBCASE("excluded peers without reasons") {
    bent.merge.reasons.clear();
    refused(merge_proof_errc::event);
  }
}

} // namespace merge_proof_test
