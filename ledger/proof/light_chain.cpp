#include "ledger/proof/light_chain.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

light_chain::light_chain(const chain_identity& of, block_header genesis, std::vector<address> validators)
    : of_(of), trust_(of, {0, std::move(validators)}), head_(std::move(genesis)),
      head_hash_(of.genesis_hash) {}

result<light_chain> light_chain::begin(const chain_identity& of, const handover& genesis) {
  const auto& block = genesis.block;
  const auto hash = keccak256(block.header);
  if (hash != of.genesis_hash)
    return fail(proof_errc::genesis, "the genesis block is {}, not {}", to_hex(hash.view()),
                to_hex(of.genesis_hash.view()));
  SWARM_TRY(auto header, open_header(block.header));
  if (header.block_num != 0 || !block.seals.seals.empty())
    return fail(proof_errc::genesis, "block {} with {} seals is no genesis block", header.block_num,
                block.seals.seals.size());
  SWARM_TRY(auto validators, check_validators(header.state_root, genesis.proof));
  return light_chain(of, std::move(header), std::move(validators));
}

result<> light_chain::no_fork(std::uint64_t block_num, const hash32& hash) const {
  if (block_num == head_.block_num && hash != head_hash_)
    return fail(proof_errc::fork, "block {} is final as {} and as {}: its validators have forked the chain",
                block_num, to_hex(head_hash_.view()), to_hex(hash.view()));
  return {};
}

result<> light_chain::follow(const handover& next) {
  auto trust = trust_;
  SWARM_CHECK(trust.follow(next));
  SWARM_TRY(auto header, open_header(next.block.header));
  const auto hash = keccak256(next.block.header);
  SWARM_CHECK(no_fork(header.block_num, hash));
  former_[trust_.reached()] = trust_.validators();
  if (former_.size() > former_sets_max) former_.erase(former_.begin());
  trust_ = std::move(trust);
  if (header.block_num <= head_.block_num) return {};
  head_ = std::move(header);
  head_hash_ = hash;
  return {};
}

result<block_header> light_chain::open(const sealed_header& block) {
  const auto hash = keccak256(block.header);
  if (hash == head_hash_) return head_;
  SWARM_TRY(auto header, open_header(block.header));
  if (header.block_num < head_.block_num)
    return fail(proof_errc::old_head, "block {}: this node knows block {} already", header.block_num,
                head_.block_num);
  if (header.block_num <= trust_.reached()) // the head, which those before the last change have sealed
    return fail(proof_errc::fork, "block {}: another one is known to be final", header.block_num);
  SWARM_TRY(header, open_sealed(block, of_, trust_.validators()));
  SWARM_CHECK(no_fork(header.block_num, hash));
  head_ = header;
  head_hash_ = hash;
  return header;
}

result<block_header> light_chain::open_past(const sealed_header& block) {
  SWARM_TRY(const auto header, open_header(block.header));
  if (header.block_num >= head_.block_num) return open(block);
  if (header.block_num > trust_.reached()) return open_sealed(block, of_, trust_.validators());
  const auto after = former_.lower_bound(header.block_num); // those that this block or a later one brought
  if (after == former_.begin())
    return fail(proof_errc::old_head, "block {}: this node does not know who sealed it", header.block_num);
  return open_sealed(block, of_, std::prev(after)->second);
}

} // namespace swarm::ledger
