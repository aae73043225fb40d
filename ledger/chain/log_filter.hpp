#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::ledger {

/// What eth_getLogs asks for. Empty `addresses` is any emitter. `topics[i]` lists the values topic i may
/// have; an empty list is any value, but the log must have that topic: a filter longer than a log's topics
/// never matches it.
struct log_filter {
  static constexpr std::size_t alternatives_max = 256; ///< of addresses, and of each topic
  std::uint64_t from_block = 0;
  std::uint64_t to_block = 0; ///< inclusive; a number beyond the head means the head
  std::vector<address> addresses;
  std::vector<std::vector<hash32>> topics; ///< at most 4

  bool matches(const log_entry& entry) const;
};

/// One matching log and where it stands.
struct log_hit {
  log_entry entry;
  std::uint64_t block_num = 0;
  hash32 block_hash;
  hash32 txn_hash;
  std::uint64_t txn_index = 0;
  std::uint64_t log_index = 0; ///< within the block
};

} // namespace swarm::ledger
