#pragma once

#include "ledger/formats/consensus_record.hpp"
#include "ledger/state/state_overlay.hpp"
#include "ledger/store/kv_store.hpp"

#include <atomic>
#include <unordered_map>

namespace swarm::ledger {

/// A key under which a log is found again: any log at all, its address, or one of its topics 0 to 3.
struct log_key {
  static log_key any();
  static log_key emitter(const address& who);
  static log_key topic(std::size_t position, const hash32& value);
  bytes prefix;
};
/// All keys of one log.
void append_log_keys(std::vector<log_key>& to, const log_entry& entry);

/// Something else to remember about the chain, under a name; an empty value removes it.
struct meta_note {
  std::string name;
  bytes value;
};

/// One block as it is stored. Its spans need to live only during the call.
struct block_record {
  std::uint64_t block_num = 0;
  hash32 hash;
  bytes header;
  bytes body;
  bytes receipts;
  bytes outputs; ///< revert data, beside the receipts
  bytes seals;
  bytes parent_seals; ///< replace those of the block before
  std::vector<hash32> txn_hashes;
  std::vector<log_key> log_keys; ///< may repeat
  const state_batch* state = nullptr;
  std::span<const consensus_record> records; ///< written in the same batch
  std::span<const meta_note> notes;          ///< likewise
};

struct stored_head {
  std::uint64_t block_num = 0;
  hash32 hash;
};

struct stored_txn_place {
  std::uint64_t block_num = 0;
  std::uint64_t index = 0;
};

/// What is stored of a chain's identity, written once with block 0.
struct stored_identity {
  std::uint64_t chain_id = 0;
  hash32 genesis_hash;
  bytes genesis_params;
};

/// A chain in a RocksDB directory. One process at a time; one thread writes, any thread reads what is on
/// disk. It does not look into values.
class block_store {
public:
  static result<std::unique_ptr<block_store>> open(store_options options);

  const std::filesystem::path& dir() const;

  /// The identity of the stored chain; none in a directory without a chain.
  result<std::optional<stored_identity>> identity() const;
  result<std::optional<stored_head>> head() const;

  /// Writes a block, its state and its indexes, and makes it the head: all of it or nothing. It is on disk
  /// when this returns. The chain's identity is written with block 0. After an error nothing more is written
  /// until `recover`.
  result<> write_block(const block_record& block, const stored_identity* identity = nullptr);
  /// The same for blocks that may be written together: that happens in `write_collected`, or earlier when
  /// they get large. Until then only `newest_node` and `newest_code` find what is theirs.
  result<> collect_block(const block_record& block);
  bool has_collected() const { return collected_count_ > 0; }
  /// The collected blocks are on disk when it returns; after an error they are dropped.
  result<> write_collected();
  // Snapshots (snapshot_writes.cpp); errors as those of `write_block`
  /// Writes trie nodes and codes that belong to no stored block: all of them or none. Nodes that are here
  /// stay as they are.
  result<> write_state(const state_batch& state);
  /// Writes blocks below the head that were missing, with their indexes and, in the same batch, `notes`.
  result<> write_past(std::span<const block_record> blocks, std::span<const meta_note> notes);
  result<std::optional<bytes>> note(std::string_view name) const;
  /// The names of notes that begin with `prefix` and come after `after`, in their order, at most `max`.
  result<std::vector<std::string>> notes_after(std::string_view prefix, std::string_view after,
                                               std::size_t max) const;

  // Pruning of states (pruning.cpp); errors as those of `write_block`. Each node is stamped with the newest
  // block in whose state it is known to be: the block that wrote it, or a later one.
  /// The states after blocks before this one are given up. Nodes with an older stamp count as not stored.
  std::uint64_t states_from() const { return states_from_; }
  /// A stored value of the column of trie nodes.
  struct stamped_node {
    std::uint64_t stamp = 0;
    bytes_view rlp;
  };
  static std::optional<stamped_node> split_node(bytes_view stored);
  /// Stamps nodes of the state after `block_num`; younger stamps stay. Returns their RLP, in the same order.
  result<std::vector<bytes>> stamp_nodes(std::span<const hash32> nodes, std::uint64_t block_num);
  /// Gives up the states before `block_num` and begins a sweep. Every node of the state after `block_num`
  /// must be stamped.
  result<> give_up_states(std::uint64_t block_num);
  bool sweeping() const { return sweep_at_.has_value(); }
  /// Deletes what counts as not stored among the next `max` nodes. False: the sweep is at its end. How far
  /// it came is written with what it deletes.
  result<bool> sweep_nodes(std::size_t max);
  /// As if nothing had ever been pruned, for a store that is made anew.
  result<> forget_pruning();

  /// True after a failed write.
  bool needs_recovery() const;
  /// Makes the store writable again. The failed block may turn out to be stored: ask `head`.
  result<> recover();
  /// Ends all reading and writing; see kv_store::close.
  void close() { tables_->close(); }

  using maybe_bytes = result<std::optional<bytes>>;
  maybe_bytes header(std::uint64_t block_num) const;
  maybe_bytes body(std::uint64_t block_num) const;
  maybe_bytes receipts(std::uint64_t block_num) const;
  maybe_bytes outputs(std::uint64_t block_num) const;
  maybe_bytes seals(std::uint64_t block_num) const;
  result<std::optional<std::uint64_t>> num_of(const hash32& block_hash) const;
  result<std::optional<stored_txn_place>> place_of(const hash32& txn_hash) const;
  /// A stored node, as node_source wants it: `errc::not_found` when there is none.
  result<bytes> trie_node(const hash32& hash) const;
  result<bytes> code(const hash32& hash) const;
  /// The same, including those of collected blocks; only for the thread that writes.
  result<bytes> newest_node(const hash32& hash) const;
  result<bytes> newest_code(const hash32& hash) const;

  /// Calls `found` for the blocks of [from, to], ascending, that hold, for every group, a log with one of the
  /// group's keys (perhaps not the same log for all groups), until it returns false or more than `seeks_max`
  /// places of the index were looked up, which are counted in `seeks`. Without groups no block matches.
  /// Returns the first block that was not looked at; beyond `to` when all were.
  result<std::uint64_t> scan_logs(std::uint64_t from, std::uint64_t to,
                                  std::span<const std::vector<log_key>> groups,
                                  const std::function<result<bool>(std::uint64_t)>& found,
                                  std::size_t seeks_max, std::size_t& seeks) const;

  /// Writes all of them or none; they are on disk when this returns. Errors are those of `write_block`.
  result<> write_records(std::span<const consensus_record> records);
  maybe_bytes record_of(std::string_view key) const;

  store_stats stats() const;

  /// The tables below, for checking and repairing them.
  kv_store& tables() { return *tables_; }
  /// The keys of the log index column for these log keys, sorted, each once.
  static std::vector<bytes> log_index_keys(std::span<const log_key> keys, std::uint64_t block_num);
  /// Set while everything that follows from headers and bodies is made anew; such a store holds no chain.
  result<bool> under_repair() const;
  result<> set_under_repair(bool now);
  /// Writes which block is the head.
  result<> write_head(const stored_head& head);

private:
  explicit block_store(std::unique_ptr<kv_store> tables);
  static void put_content(kv_batch& batch, const block_record& block);
  static void put_block(kv_batch& batch, const block_record& block); ///< as the head
  static void put_state(kv_batch& batch, const state_batch& state, std::uint64_t stamp);
  static void put_node(kv_batch& batch, bytes_view hash, bytes_view rlp, std::uint64_t stamp);
  /// Reads how far pruning has come.
  result<> load_pruning();
  static void put_notes(kv_batch& batch, std::span<const meta_note> notes);
  std::unique_ptr<kv_store> tables_;
  kv_batch collected_;
  std::size_t collected_count_ = 0;
  std::unordered_map<hash32, bytes> collected_nodes_; ///< and codes
  std::atomic<std::uint64_t> states_from_ = 0;
  std::optional<bytes> sweep_at_; ///< the next key of the sweep; none: there is no sweep
};

} // namespace swarm::ledger
