#include "tests/simulator/forger.hpp"

#include "ledger/consensus/testing/fake_scheme.hpp"

namespace swarm::simulator {

using namespace consensus;

signature65 forger::sign(const hash32& digest, std::uint8_t variant) const {
  return many_ ? consensus::testing::fake_sign(scheme_->account, digest, variant) : scheme_->sign(digest);
}

signed_prepare forger::prepare(std::uint64_t block_num, std::uint64_t round_num, const hash32& digest,
                               std::uint8_t variant) const {
  signed_prepare out{block_num, round_num, digest, {}};
  out.signature = sign(signed_digest(*domain_, out), variant);
  return out;
}

commit_message forger::commit(std::uint64_t block_num, std::uint64_t round_num, const hash32& digest,
                              std::uint8_t variant) const {
  commit_message out{block_num, round_num, digest, {}};
  out.seal = sign(seal_digest(*domain_, out), variant);
  return out;
}

signed_round_change forger::vote(std::uint64_t block_num, std::uint64_t round_num,
                                 std::optional<prepared_claim> claim, std::uint8_t variant) const {
  signed_round_change out{block_num, round_num, claim, {}};
  out.signature = sign(signed_digest(*domain_, out), variant);
  return out;
}

round_change_message forger::round_change(std::uint64_t block_num, std::uint64_t round_num,
                                          std::uint64_t proof_round, std::optional<proposed_block> block,
                                          std::vector<signed_prepare> prepares) const {
  round_change_message out;
  std::optional<prepared_claim> claim;
  if (block) claim = prepared_claim{proof_round, block->hash};
  out.vote = vote(block_num, round_num, claim);
  out.block = std::move(block);
  out.prepares = std::move(prepares);
  return out;
}

proposed_block forger::with_parent_seals(const proposed_block& block, const ledger::seal_record& seals) {
  auto from = *ledger::rlp_reader::open(*block.raw, "block");
  auto header = *ledger::decode_header(*from.next("header"));
  header.extra_data = to_bytes(ledger::hash_of_seals(seals).view());
  const auto txns = *from.next("transactions");
  ledger::rlp_writer out;
  out.begin_list().encoded(ledger::encode_header(header)).encoded(txns.encoded).begin_list().end_list();
  out.encoded(ledger::encode_seals(seals)).end_list();
  return *read_block(std::make_shared<const bytes>(out.take()));
}

proposal_message forger::proposal(std::uint64_t round_num, const proposed_block& block,
                                  std::vector<signed_round_change> votes,
                                  std::vector<signed_prepare> prepares) const {
  proposal_message out{block.block_num, round_num, block, {}, std::move(votes), std::move(prepares)};
  out.signature = sign(proposal_digest(*domain_, block.block_num, round_num, block.hash), 0);
  return out;
}

} // namespace swarm::simulator
