#pragma once

#include "ledger/chain/chain_rules.hpp"
#include "ledger/chain/chain_view.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/store/block_store.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace swarm::ledger {

/// A block that was executed on top of the head but is not part of the chain: `block` is what others must be
/// sent, `changes` what `commit` writes. Dropping it undoes it.
struct block_changes;
struct block_candidate {
  block_ptr block;
  std::shared_ptr<const block_changes> changes;
};
using candidate_ptr = std::shared_ptr<const block_candidate>;

/// A block of another node as it arrived: rlp[header, txns, ommers] and its seals (formats/seal.hpp). Nothing
/// is verified yet. `records` are written with it.
struct sealed_block_view {
  bytes_view block;
  bytes_view seals;
  std::span<const consensus_record> records;
};
struct range_outcome {
  std::vector<block_ptr> blocks; ///< new in the chain and on disk, oldest first
  std::optional<error> refused;  ///< why the next block was not taken; none: there was no next block
};

class chain;
class chain_window; // chain_window.hpp

struct chain_options {
  std::filesystem::path dir; ///< made when it is not there; belongs to one process at a time
  /// A directory without a chain gets one from these parameters; a chain that is there must come from the
  /// same ones. Without them the directory must hold a chain.
  std::optional<genesis_params> genesis;
  /// Makes the records to write with block 0 when the chain is made here; it is given the genesis hash.
  std::function<std::vector<consensus_record>(const hash32&)> first_records;
  /// Makes the records to write with the block of a snapshot, before it becomes the head.
  std::function<std::vector<consensus_record>(const chain& before, std::uint64_t pivot_num)> pivot_records;
  /// Judges transactions before the pool takes them, and once more before a block does, as what was right may be so no
  /// longer; the sender is known. Without it all are taken.
  std::function<result<>(const transaction&, const address& sender)> admits;
  /// The time, seconds since 1970: the pool refuses what would have no room in a block now (space_errc). Without it
  /// the time is that of the head.
  std::function<std::uint64_t()> now;
  /// Called with every transaction that the pool takes in.
  std::function<void(const transaction&)> on_accepted;
  native_contract_set contracts;
  std::uint64_t rules_known = rules_newest; ///< the newest version of the rules to follow
  chain_limits limits;
  std::uint64_t space_reserve_bytes =
      32 * 1024 * 1024;        ///< of disk kept free; with less room nothing is committed
  rocksdb::Env* env = nullptr; ///< for tests, see store_options
};

/// Where the time of the last committed block went, for status and benchmarks.
struct block_timing {
  std::chrono::nanoseconds execute{}; ///< transactions
  std::chrono::nanoseconds roots{};   ///< state, transaction and receipt tries
  std::chrono::nanoseconds write{};   ///< the batch into RocksDB, synced
};

struct chain_stats {
  std::size_t pool_txns = 0;
  std::size_t pool_bytes = 0;
  std::size_t pool_senders = 0;
  std::size_t node_cache_bytes = 0;
  std::size_t block_cache_bytes = 0;
  std::uint64_t states_from = 0;        ///< the first block whose state is kept
  std::uint64_t store_bytes = 0;        ///< on disk, estimated
  std::uint64_t store_memory_bytes = 0; ///< memtables, caches and table readers, estimated
  block_timing last_block;
};

/// One chain in one directory: store, state, execution and pool. Belongs to one thread at a time (an
/// actor); what it hands out is immutable and may travel. `commit` waits for a write to the disk,
/// everything else at most for reads. After a failed write the chain stays at its old head and the same
/// commit may be tried again.
///
/// As a chain_view it answers for its own head, which moves. Other threads use the views of `window`.
///
/// Proposer: `build_block`, agree on `block->hash`, `commit`. Others: `validate_block`, agree, `commit`,
/// which finds the outcome of the execution in the candidate. A late node: `import_range`.
class chain : public chain_view {
public:
  /// Errors name the directory and what to do. They are those of store_errc (store/kv_store.hpp): used by
  /// another process, written by a newer version, damaged, disk full; and no_chain, other_chain,
  /// other_version, bad_genesis.
  static result<std::unique_ptr<chain>> open(chain_options options);
  /// Closes the store: views that others still have can no longer read anything.
  ~chain();
  chain(const chain&) = delete;
  chain& operator=(const chain&) = delete;

  /// What other threads may see of this chain; they may keep it as long as they like.
  std::shared_ptr<const chain_window> window() const;

  /// Fails with `chain_errc::unknown_rules` when this program does not know the rules of the next block.
  result<> check_rules() const;

  // Pool
  /// Lets a transaction in and returns its hash; errors are those of pool_errc, execution_errc and of
  /// the formats.
  result<hash32> submit(bytes_view raw);
  /// The same for a transaction that is decoded already, perhaps with its sender recovered on another thread.
  result<hash32> submit(transaction txn);
  /// Whether a transaction waits that the next block can take.
  bool has_executable() const;
  /// The waiting transaction `hash`, or null; valid until the next change of the pool.
  const transaction* find_pending(const hash32& hash) const;
  /// Up to `max` of the transactions that a block could take, encoded, in the order in which it
  /// would take them.
  std::vector<bytes> waiting_txns(std::size_t max) const;
  /// The nonce for `account`'s next transaction, after those in the pool without a gap.
  result<std::uint64_t> pending_nonce(const address& account) const;

  // Blocks. Consensus judges seals and proposer before it calls `commit` or `import_block`.
  /// Executes up to `txns_max` waiting transactions, by arrival and nonce, on top of the head. A timestamp
  /// before the parent's is raised to the parent's. The candidate may have no transactions.
  result<candidate_ptr> build_block(std::uint64_t timestamp, const address& proposer, std::size_t txns_max,
                                    std::uint64_t round_num = 0);
  /// Checks a block of another node against every rule by executing it on top of the head. A candidate that
  /// was executed here already is not executed again.
  result<candidate_ptr> validate_block(const block& proposed);
  /// Makes the candidate the head in one atomic, synced write that includes `records`. Then prunes the pool.
  result<block_ptr> commit(const candidate_ptr& candidate, const seal_record& seals,
                           std::span<const consensus_record> records = {});
  /// `validate_block` and `commit`.
  result<block_ptr> import_block(const block& received, const seal_record& seals,
                                 std::span<const consensus_record> records = {});
  /// Imports blocks from `first` on, one on top of the other, until one is refused; those up to the head are
  /// passed over. Each needs the seals of a quorum of the validators after its parent and must satisfy every
  /// rule of `validate_block`. Many are written at once, and all of the returned `blocks` are on disk when
  /// it returns; after a crash during the call the head is the old one or any of them. Signatures are
  /// checked on all cores.
  range_outcome import_range(std::uint64_t first, std::span<const sealed_block_view> range);

  // What consensus must not forget between two blocks
  /// The records are on disk when it returns. After an error it may be tried again.
  result<> write_records(std::span<const consensus_record> records);
  result<std::optional<bytes>> record_of(std::string_view key) const;

  /// Gives up states older than the youngest `keep_states`, one bounded part at each call: at most one synced
  /// write. To be called now and then. False: there is nothing to do until there are more blocks. Whoever
  /// asks for a state that was given up gets `state_missing`; blocks, logs and the proofs of their validators
  /// stay.
  result<bool> prune();

  chain_stats stats() const;

  class snapshot_port; ///< for giving and taking snapshots, see snapshot_port.hpp

private:
  struct parts;
  class range_import;
  explicit chain(std::unique_ptr<parts> own);
  std::unique_ptr<parts> parts_;
};

} // namespace swarm::ledger
