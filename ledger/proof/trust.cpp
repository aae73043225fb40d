#include "ledger/proof/trust.hpp"

#include "base/hash.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/native_contract.hpp"
#include "ledger/state/account.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::ledger {

namespace {

/// The entry of `key` in a secure trie, or zero when the proof shows that there is none.
result<u256> check_slot(const hash32& storage_root, const hash32& slot, std::span<const bytes> nodes) {
  SWARM_TRY(const auto raw, verify_proof(storage_root, keccak256(slot.view()).view(), nodes));
  if (!raw) return u256{};
  SWARM_TRY(const auto item, rlp_decode(*raw, "storage slot"));
  return rlp_to_u256(item, "storage slot");
}

result<account> check_account(const hash32& state_root, const address& who, std::span<const bytes> nodes) {
  SWARM_TRY(const auto raw, verify_proof(state_root, keccak256(who.view()).view(), nodes));
  if (!raw) return fail(proof_errc::validators, "there is no account {}", to_hex(who.view()));
  return decode_account(*raw);
}

result<std::vector<address>> read_validators(const hash32& state_root, const validators_proof& proof) {
  SWARM_TRY(const auto registry, check_account(state_root, validators_account(), proof.account));
  const auto slots = validator_slots(proof.members.size());
  SWARM_TRY(const auto count, check_slot(registry.storage_root, slots[0], proof.count));
  if (count != u256(proof.members.size()))
    return fail(proof_errc::validators, "{} slots are proved, the number of validators is {}",
                proof.members.size(), to_hex(count.view()));
  std::vector<address> out;
  for (std::size_t i = 0; i < proof.members.size(); ++i) {
    SWARM_TRY(const hash32 word, check_slot(registry.storage_root, slots[i + 1], proof.members[i]));
    SWARM_TRY(const auto who, address::from_view(word.view().subspan(12)));
    out.emplace_back(who);
  }
  return out;
}

/// The validators that a handover proves, whose header is known to be good.
result<std::vector<address>> successors(const handover& from, const block_header& header) {
  auto set = check_validators(header.state_root, from.proof);
  if (!set) return fail_with(set.error(), fmt::format("block {}", header.block_num));
  return set;
}

} // namespace

result<block_header> open_header(bytes_view raw) {
  auto header = decode_header(raw);
  if (!header) return fail(proof_errc::header, "{}", header.error().message);
  if (const auto fits = check_header_alone(*header); !fits)
    return fail(proof_errc::header, "{}", fits.error().message);
  return header;
}

result<block_header> open_sealed(const sealed_header& sealed, const chain_identity& of,
                                 std::span<const address> validators) {
  SWARM_TRY(auto header, open_header(sealed.header));
  // Without validators no seals would be needed, so such a block would prove nothing.
  if (validators.empty() || header.block_num == 0)
    return fail(proof_errc::order, "block {}: no validators can have sealed it", header.block_num);
  const auto digest =
      seal_digest(of.chain_id, of.genesis_hash, keccak256(sealed.header), sealed.seals.round_num);
  const auto authors = check_seals(sealed.seals, digest, validators, seal_quorum(validators.size()));
  if (!authors) return fail_with(authors.error(), fmt::format("block {}", header.block_num));
  return header;
}

std::vector<hash32> validator_slots(std::size_t count) {
  std::vector<hash32> out{u256(validator_count_slot)};
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(u256(first_validator_slot + i));
  return out;
}

result<std::vector<address>> check_validators(const hash32& state_root, const validators_proof& proof) {
  if (proof.members.empty() || proof.members.size() > validators_max)
    return fail(proof_errc::validators, "validators: {} are proved, there are 1 to {}", proof.members.size(),
                validators_max);
  auto set = read_validators(state_root, proof);
  if (!set) return fail(proof_errc::validators, "validators: {}", set.error().message);
  for (std::size_t i = 1; i < set->size(); ++i)
    if (!((*set)[i - 1] < (*set)[i]))
      return fail(proof_errc::validators, "validators: not in ascending order");
  return set;
}

result<validator_history> validator_history::follow(const chain_identity& of,
                                                    std::span<const handover> handovers) {
  if (handovers.empty()) return fail(proof_errc::genesis, "the proof has no genesis block");
  const auto& first = handovers.front();
  SWARM_TRY(const auto genesis, open_header(first.block.header));
  if (keccak256(first.block.header) != of.genesis_hash || genesis.block_num != 0)
    return fail(proof_errc::genesis, "the first block of the proof is not the genesis block {}",
                to_hex(of.genesis_hash.view()));
  if (!first.block.seals.seals.empty() || first.block.seals.round_num != 0)
    return fail(proof_errc::genesis, "the genesis block has seals, nobody can have sealed it");
  validator_history out;
  SWARM_TRY(out.sets_[0], successors(first, genesis));
  for (const auto& next : handovers.subspan(1)) {
    const auto& [before, set] = *out.sets_.rbegin();
    SWARM_TRY(const auto header, open_sealed(next.block, of, set));
    if (header.block_num <= before)
      return fail(proof_errc::order, "the validators of block {} come after those of block {}",
                  header.block_num, before);
    SWARM_TRY(out.sets_[header.block_num], successors(next, header));
  }
  return out;
}

std::span<const address> validator_history::sealers_of(std::uint64_t block_num) const {
  auto found = sets_.lower_bound(block_num);
  if (found == sets_.begin()) return {};
  return std::prev(found)->second;
}

} // namespace swarm::ledger
