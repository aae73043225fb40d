#pragma once

#include "base/u256.hpp"

/// Which version of the chain's rules is in force. Every rule that contracts, headers and execution follow may ask
/// for it, so that a newer program keeps the old rules up to the block in which validators let the new ones begin.
namespace swarm::ledger {

/// The rules of release 0.2, and of each chain that was begun with it.
inline constexpr std::uint64_t rules_first = 1;
/// The newest rules that this program knows, with which it begins a new chain. Version 2 changes nothing: with it a
/// network rehearses how it goes from one version to the next. Functions of contracts that a version brings say so in
/// their descriptions (contracts/abi/description.hpp); whatever else differs asks `call_context::has_rules`.
inline constexpr std::uint64_t rules_newest = 3;

/// The slot of the NodeRegistry (native_contract.hpp) that holds the schedule.
inline constexpr std::uint64_t rules_slot = 255;

struct rules_schedule {
  std::uint64_t version = rules_first; ///< in force before `from_block`
  std::uint64_t next = 0;              ///< in force from `from_block` on; 0: nothing is scheduled
  std::uint64_t from_block = 0;
  bool operator==(const rules_schedule&) const = default;

  /// The version that block `block_num` has to follow.
  std::uint64_t at(std::uint64_t block_num) const {
    return next != 0 && block_num >= from_block ? next : version;
  }
};

/// The schedule in one word; a chain that began with the first rules, and on which nobody voted, has zero.
inline hash32 word_of(const rules_schedule& schedule) {
  if (schedule == rules_schedule{}) return {};
  hash32 out;
  put_be64(out.data() + 8, schedule.version);
  put_be64(out.data() + 16, schedule.next);
  put_be64(out.data() + 24, schedule.from_block);
  return out;
}
inline rules_schedule rules_in(const hash32& word) {
  if (word.is_zero()) return {};
  return {get_be64(word.data() + 8), get_be64(word.data() + 16), get_be64(word.data() + 24)};
}

} // namespace swarm::ledger
