#pragma once

#include "base/hash_tree.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/proofs/merge_proof.hpp"
#include "contracts/training/interface.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

/// A round on a chain that a test makes up, and its proof.
namespace merge_proof_test {

using namespace swarm;
using namespace swarm::contracts;
using ledger::test::paper_chain;
using ledger::test::paper_key;
using ledger::test::paper_txn;

inline constexpr std::string_view contract_name = "digits";
inline constexpr std::uint8_t leader_key = 11, peer_key = 12, excluded_key = 13, stranger_key = 14;

inline address who(std::uint8_t key) {
  return paper_key(key).account();
}

/// What happens in a round; a test may change it before it goes on the chain.
struct story {
  address contract = training_address(contract_name);
  address merge_to = contract;
  std::uint8_t merge_signer = leader_key;
  std::uint8_t reveal_signer = peer_key;
  bool reveal_late = false;
  bool accept_early = false;
  std::uint8_t attest_signer = peer_key;
  /// With some, the merge is put together of them, which their makers sign; the last one brings it about.
  std::vector<shard_committed> shards;
  std::uint8_t shard_signer = leader_key;
  std::vector<revealed> models{
      {who(leader_key), 4, 2, hash32(u256(0xaa)), 1000, 10, 3, hash32(u256(1))},
      {who(peer_key), 4, 2, hash32(u256(0xbb)), 1001, 20, 3, hash32(u256(1))},
      {who(excluded_key), 4, 2, hash32(u256(0xcc)), 1002, 30, 2, hash32(u256(2))},
  };
  merge_committed merge{4,
                        2,
                        1,
                        who(leader_key),
                        hash32(u256(0xdd)),
                        1003,
                        {who(leader_key), who(peer_key)},
                        {who(excluded_key)},
                        {exclusion_reason::not_finite}};

  std::vector<attested> attestations{{who(peer_key), 4, 2, 1, 2}, {who(excluded_key), 4, 2, 1, 2}};
  merge_accepted acceptance{4, 2, 1, who(leader_key), hash32(u256(0xdd)), {who(peer_key), who(excluded_key)}};

  /// With the acceptance, which the last attestation brings about, the transactions of both checkers.
  paper_txn attest(std::size_t which, std::uint8_t signer) const {
    paper_txn out{signer, contract, {abi::encode_event(contract, attestations[which])}};
    if (which == 1) out.logs.push_back(abi::encode_event(contract, acceptance));
    return out;
  }
  paper_txn reveal(std::size_t which, std::uint8_t signer) const {
    return {signer, contract, {abi::encode_event(contract, models[which])}};
  }
  /// Of two makers; a unit has two chunks.
  void make_shards() {
    constexpr std::uint64_t size = 18 << 20;
    const auto roots_from = [](std::uint64_t first, std::uint64_t count) {
      std::vector<hash32> out;
      for (std::uint64_t i = first; i < first + count; ++i)
        out.push_back(hash32(u256(5000 + i)));
      return out;
    };
    shards = {{who(leader_key), 4, 2, 1, 0, roots_from(0, 5)}, {who(peer_key), 4, 2, 1, 1, roots_from(5, 4)}};
    merge.size = size;
    merge.shards = 2;
    merge.digest = acceptance.digest = model_digest(size, 1 << 20, tree_root(roots_from(0, 9)));
    merge_signer = peer_key;
  }
  paper_txn noise() const { return {stranger_key, contract, {}}; }
};

/// The story on a chain that starts with one validator and has four when the merge is committed,
/// and its proof.
struct proved_story {
  paper_chain chain{{1}};
  merge_proof proof;
  merge_trust by_genesis;

  explicit proved_story(const story& of = {}) {
    std::vector<paper_txn> begin{of.noise(), of.reveal(0, leader_key)};
    if (!of.shards.empty())
      begin.push_back({of.shard_signer, of.contract, {abi::encode_event(of.contract, of.shards[0])}});
    chain.add_block(begin, {1, 2, 3, 4});
    const auto before = of.shards.size() > 1 ? abi::encode_event(of.contract, of.shards[1])
                                             : abi::encode_event(of.contract, training_complete{});
    const auto merge =
        paper_txn{of.merge_signer, of.merge_to, {before, abi::encode_event(of.contract, of.merge)}};
    const auto peer = of.reveal(1, of.reveal_signer);
    const auto excluded = of.reveal(2, excluded_key);
    const auto check = [&] { chain.add_block({of.attest(0, of.attest_signer), of.attest(1, excluded_key)}); };
    if (of.accept_early) check();
    const std::uint64_t merged_in = of.accept_early ? 3 : 2;
    if (of.reveal_late)
      chain.add_block({excluded, merge, peer});
    else
      chain.add_block({peer, excluded, of.noise(), merge});

    if (!of.accept_early) check();
    const auto checked_in = of.accept_early ? std::uint64_t{2} : 3;

    proof.chain = chain.identity();
    proof.contract = contract_name;
    proof.generation = 2;
    proof.round_num = 4;
    proof.term = of.merge.term;
    proof.leader = of.merge.leader;
    proof.digest = of.merge.digest;
    proof.size = of.merge.size;
    proof.merge = chain.prove(merged_in, of.reveal_late ? 1 : 3, 1);
    for (std::size_t i = 0; i < of.shards.size(); ++i)
      proof.shards.push_back(
          {of.shards[i].peer, of.shards[i].shard,
           i == 0 ? chain.prove(1, 2, 0) : chain.prove(merged_in, of.reveal_late ? 1 : 3, 0)});
    const std::size_t at[] = {1, of.reveal_late ? std::size_t{2} : 0, of.reveal_late ? std::size_t{0} : 1};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& in = of.models[i];
      proof.models.push_back({in.peer, in.digest, in.size, in.weightage, in.base_round, std::nullopt,
                              chain.prove(i == 0 ? 1 : merged_in, at[i], 0)});
    }
    proof.models[2].excluded = exclusion_reason::not_finite;
    proof.acceptance = chain.prove(checked_in, 1, 1);
    proof.checkers = {{of.attestations[0].peer, chain.prove(checked_in, 0, 0)},
                      {of.attestations[1].peer, chain.prove(checked_in, 1, 0)}};
    proof.blocks = {chain.sealed(2), chain.sealed(3), chain.sealed(1)};
    proof.handovers = {chain.handover_at(0), chain.handover_at(1)};
    by_genesis.genesis_hash = chain.identity().genesis_hash;
  }
};

} // namespace merge_proof_test
