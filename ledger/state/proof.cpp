#include "ledger/state/proof.hpp"

#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::ledger {

result<std::optional<account>> verify_account(const hash32& state_root, const address& who,
                                              std::span<const bytes> nodes) {
  SWARM_TRY(const auto raw, verify_proof(state_root, keccak256(who.view()).view(), nodes));
  if (!raw) return std::optional<account>{};
  SWARM_TRY(auto item, decode_account(*raw));
  return std::optional{std::move(item)};
}

result<hash32> verify_slot(const hash32& storage_root, const hash32& slot, std::span<const bytes> nodes) {
  SWARM_TRY(const auto raw, verify_proof(storage_root, keccak256(slot.view()).view(), nodes));
  if (!raw) return hash32{};
  SWARM_TRY(const auto item, rlp_decode(*raw, "storage slot"));
  SWARM_TRY(const auto value, rlp_to_u256(item, "storage slot"));
  if (value.is_zero()) return fail(errc::invalid, "storage slot: a zero is never stored");
  return static_cast<hash32>(value);
}

result<> verify_account_proof(const hash32& state_root, const address& who, const account_proof& proof) {
  const auto shown = verify_account(state_root, who, proof.nodes);
  if (!shown) return fail_with(shown.error(), "account " + to_hex(who.view()));
  if (shown->value_or(account{}) != proof.item)
    return fail(errc::invalid, "account {}: the proof shows another account than claimed",
                to_hex(who.view()));
  for (const auto& slot : proof.slots) {
    const auto value = verify_slot(proof.item.storage_root, slot.key, slot.nodes);
    if (!value) return fail_with(value.error(), "slot " + to_hex(slot.key.view()));
    if (*value != slot.value)
      return fail(errc::invalid, "slot {}: the proof shows {}, claimed is {}", to_hex(slot.key.view()),
                  to_hex(value->view()), to_hex(slot.value.view()));
  }
  return {};
}

} // namespace swarm::ledger
