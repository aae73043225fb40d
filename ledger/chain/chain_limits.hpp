#pragma once

#include "ledger/chain/mempool_rules.hpp"

namespace swarm::ledger {

struct chain_limits {
  pool_limits pool;
  std::uint64_t keep_states = 0;                   ///< so many of the youngest states; 0: all
  std::size_t prune_blocks = 32;                   ///< one part of pruning looks at so many blocks,
  std::size_t prune_stamps = 256;                  ///< or stamps so many nodes,
  std::size_t prune_sweeps = 2048;                 ///< or sweeps over so many
  std::size_t logs_max = 10'000;                   ///< results of one log query
  std::size_t log_bytes_max = 16 * 1024 * 1024;    ///< and their size in memory
  std::size_t log_blocks_max = 10'000;             ///< blocks one log query may read
  std::size_t log_seeks_max = 100'000;             ///< places of the index one log query may look up
  std::size_t node_cache_bytes = 8 * 1024 * 1024;  ///< trie nodes kept decoded, for execution
  std::size_t view_cache_bytes = 32 * 1024 * 1024; ///< and for the views
  std::size_t block_cache_bytes = 4 * 1024 * 1024; ///< recent blocks kept decoded
  std::size_t store_cache_bytes = 8 * 1024 * 1024; ///< RocksDB's block cache
  std::size_t store_write_buffer_bytes = 2 * 1024 * 1024;
  std::uint64_t store_log_bytes = 16 * 1024 * 1024; ///< write-ahead log, before tables are written
};

} // namespace swarm::ledger
