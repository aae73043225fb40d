#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/store/block_store.hpp"

#include <list>
#include <mutex>
#include <unordered_map>

namespace swarm::ledger {

/// Committed blocks: written to the store, read back, the most recently used kept decoded within a bound of
/// bytes. One thread writes, any thread reads. Blocks that are collected are found before they are on disk: who
/// reads knows how far the chain goes.
class block_archive {
public:
  block_archive(block_store& store, std::uint64_t chain_id, std::size_t cache_bytes_max);

  /// Stores a block and what goes with it as the new head; all or nothing.
  result<> write(const block_ptr& block, const state_batch& state, const seal_record& seals,
                 std::span<const consensus_record> records, const stored_identity* identity = nullptr);
  /// The same, but for the time when it is on disk: see block_store::collect_block.
  result<> collect(const block_ptr& block, const state_batch& state, const seal_record& seals,
                   std::span<const consensus_record> records);

  /// Stores the block of a snapshot as the new head, with `notes`; its state is stored already.
  result<> adopt(const block_ptr& block, const seal_record& seals, std::span<const meta_note> notes,
                 std::span<const consensus_record> records);
  /// What is stored of a block, but for its state.
  static block_record record_of(const executed_block& block, const seal_record& seals);

  /// Null when there is no such block; `newest` is the last one that counts.
  result<block_ptr> by_num(std::uint64_t block_num);
  result<block_ptr> by_hash(const hash32& hash, std::uint64_t newest);
  /// Only the header; fails with `chain_errc::unknown_block`.
  result<block_header> header_of(std::uint64_t block_num);
  result<std::optional<txn_place>> find_txn(const hash32& hash, std::uint64_t newest);
  result<std::optional<seal_record>> seals_of(std::uint64_t block_num);
  result<std::optional<sealed_block_bytes>> sealed_bytes(std::uint64_t block_num);

  /// `filter` is checked and its blocks exist.
  result<std::vector<log_hit>> logs(const log_filter& filter, const chain_limits& limits,
                                    log_query_work& work);

  std::size_t cache_bytes() const;

private:
  struct entry {
    block_ptr block;
    std::size_t size;
  };
  /// For logs, without recovering senders and without displacing what is cached.
  result<block_ptr> read(std::uint64_t block_num, bool with_senders);
  block_ptr cached(std::uint64_t block_num);
  void keep(block_ptr block);

  block_store& store_;
  std::uint64_t chain_id_;
  std::size_t cache_bytes_max_;
  mutable std::mutex mutex_; ///< of what follows
  std::size_t cached_bytes_ = 0;
  std::list<entry> recent_; ///< front: used last
  std::unordered_map<std::uint64_t, std::list<entry>::iterator> index_;
};

} // namespace swarm::ledger
