#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/store/block_store.hpp"

#include <list>
#include <mutex>
#include <unordered_map>

namespace swarm::ledger {

/// Writes committed blocks to the store and reads them back; the most recently used ones are kept decoded
/// within a bound of bytes. One thread writes, any thread reads. Collected blocks are found before they are
/// on disk, so readers must know how far the chain goes.
class block_archive {
public:
  block_archive(block_store& store, std::uint64_t chain_id, std::size_t cache_bytes_max);

  /// Stores a block and what goes with it as the new head; all or nothing.
  result<> write(const block_ptr& block, const state_batch& state, const seal_record& seals,
                 std::span<const consensus_record> records, const stored_identity* identity = nullptr);
  /// The same, except that it is on disk only later: see block_store::collect_block.
  result<> collect(const block_ptr& block, const state_batch& state, const seal_record& seals,
                   std::span<const consensus_record> records);

  /// Stores the block of a snapshot as the new head, with `notes`; its state is stored already.
  result<> adopt(const block_ptr& block, const seal_record& seals, std::span<const meta_note> notes,
                 std::span<const consensus_record> records);
  /// What is stored of a block, except its state.
  static block_record record_of(const executed_block& block, const seal_record& seals);

  /// The newest block that counts is `newest`. Returns null when there is no such block.
  result<block_ptr> by_num(std::uint64_t block_num);
  result<block_ptr> by_hash(const hash32& hash, std::uint64_t newest);
  /// Only the header; fails with `chain_errc::unknown_block`.
  result<block_header> header_of(std::uint64_t block_num);
  result<std::optional<txn_place>> find_txn(const hash32& hash, std::uint64_t newest);
  result<std::optional<seal_record>> seals_of(std::uint64_t block_num);
  result<std::optional<sealed_block_bytes>> sealed_bytes(std::uint64_t block_num);

  /// `filter` must have been checked, and its blocks must exist.
  result<std::vector<log_hit>> logs(const log_filter& filter, const chain_limits& limits,
                                    log_query_work& work);

  std::size_t cache_bytes() const;

private:
  struct entry {
    block_ptr block;
    std::size_t size;
  };
  /// Reads a block; for logs it does so without recovering senders and without displacing what is cached.
  result<block_ptr> read(std::uint64_t block_num, bool with_senders);
  block_ptr cached(std::uint64_t block_num);
  void keep(block_ptr block);

  block_store& store_;
  std::uint64_t chain_id_;
  std::size_t cache_bytes_max_;
  mutable std::mutex mutex_; ///< guards what follows
  std::size_t cached_bytes_ = 0;
  std::list<entry> recent_; ///< the one used last is in front
  std::unordered_map<std::uint64_t, std::list<entry>::iterator> index_;
};

} // namespace swarm::ledger
