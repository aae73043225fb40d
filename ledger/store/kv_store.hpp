#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace rocksdb {
class Env;
} // namespace rocksdb

namespace swarm::ledger {

/// Why the store cannot be opened, read or written. Every message names the directory and what to do.
enum class store_errc {
  locked = 1,   ///< another process uses the directory
  newer_schema, ///< written by a newer version
  damaged,      ///< files missing or inconsistent
  disk_full,    ///< no space, or too little to go on safely
  io,           ///< the operating system refuses to read or write
};

constexpr std::string_view error_category(store_errc) {
  return "store";
}

/// The version of the format. Whoever changes what is stored under which keys raises it and adds a step
/// to `schema_steps`.
inline constexpr std::uint64_t store_schema = 2;

class kv_store;
/// Turns what the version before `to` wrote into what version `to` expects. It may be interrupted at any
/// instant and is then run again from its start; the version is written when it has succeeded.
struct schema_step {
  std::uint64_t to = 0;
  std::function<result<>(kv_store&)> run;
};
/// One step for each version from 2 to `store_schema`, in order.
std::span<const schema_step> schema_steps();

/// What a person can do about damage that a message names.
inline constexpr std::string_view damage_remedy =
    "stop this node and run swarmd --verify-store --repair on it, or restore the directory from a copy";

struct store_options {
  std::filesystem::path dir;                 ///< made when it is not there
  std::size_t cache_bytes = 8 * 1024 * 1024; ///< of blocks read from disk
  /// Writes are refused when the file system has less left, so that RocksDB itself never runs out of space.
  std::uint64_t space_reserve_bytes = 32 * 1024 * 1024;
  std::size_t write_buffer_bytes = 2 * 1024 * 1024; ///< of trie nodes; other columns have a quarter
  std::uint64_t log_bytes = 16 * 1024 * 1024;       ///< of the write-ahead log, before tables are written
  rocksdb::Env* env = nullptr;         ///< another than the machine's, for tests; outlives the store
  std::uint64_t schema = store_schema; ///< with `steps`, for tests
  std::span<const schema_step> steps = schema_steps();
};

struct store_stats {
  std::uint64_t disk_bytes = 0;   ///< of table files
  std::uint64_t memory_bytes = 0; ///< write buffers, cache, table readers; estimated
};

/// The tables of the store, RocksDB column families of the same name. All numbers in keys are eight bytes,
/// big-endian, so that keys sort as numbers do.
enum class column : std::uint8_t {
  headers,    ///< block number -> rlp(header)
  bodies,     ///< block number -> rlp[transactions, ommers]
  receipts,   ///< block number -> rlp[receipt ...]
  outputs,    ///< block number -> rlp[revert data ...]
  seals,      ///< block number -> rlp[version, round, seals]
  block_nums, ///< block hash -> block number
  trie_nodes, ///< hash -> stamp (a block number), rlp(node)
  code,       ///< hash -> code
  txn_index,  ///< transaction hash -> block number, index
  log_index,  ///< log key, block number -> nothing
  consensus,  ///< what a validator must not forget
  meta,       ///< schema, chain, head, notes, how far pruning has come
};
inline constexpr std::size_t column_count = 12;
std::string_view to_string(column which);

/// Writes that happen together or not at all.
class kv_batch {
public:
  kv_batch();
  ~kv_batch();
  kv_batch(kv_batch&&) noexcept;
  kv_batch& operator=(kv_batch&&) noexcept;
  void put(column where, bytes_view key, bytes_view value);
  void erase(column where, bytes_view key);
  /// The bytes of all keys and values.
  std::size_t size() const;

private:
  friend class kv_store;
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Walks the keys of a column in their order, as they were when the walk began. It must not outlive its store
/// and must end on the thread on which it began; the store cannot be closed or recovered meanwhile.
class kv_cursor {
public:
  ~kv_cursor();
  kv_cursor(kv_cursor&&) noexcept;
  kv_cursor& operator=(kv_cursor&&) noexcept;
  /// Goes to the first key at or after `key`. False when there is none or, as `status` then tells,
  /// reading failed.
  bool seek(bytes_view key);
  bool next();
  bytes_view key() const;
  bytes_view value() const;
  result<> status() const;

private:
  friend class kv_store;
  struct parts;
  explicit kv_cursor(std::unique_ptr<parts> own);
  std::unique_ptr<parts> parts_;
};

/// A RocksDB directory, tuned for little memory and one synced batch per block. One process at a time (an
/// exclusive lock). Within it, one thread writes; any thread reads (`get`, `walk`). To recover or close the
/// store, the writing thread waits until nobody reads.
class kv_store {
public:
  static result<std::unique_ptr<kv_store>> open(store_options options);
  ~kv_store();
  kv_store(const kv_store&) = delete;
  kv_store& operator=(const kv_store&) = delete;

  const std::filesystem::path& dir() const;

  result<std::optional<bytes>> get(column where, bytes_view key) const;
  kv_cursor walk(column where) const;
  /// The batch is on disk when it returns. When there is too little space nothing changes. After any other
  /// error nothing more is written until `recover`, and the batch may or may not be found then.
  result<> write(const kv_batch& batch);
  bool needs_recovery() const;
  result<> recover();
  /// From now on nothing can be read or written, and the directory may be opened again.
  void close();

  /// Reads every file to its end and compares checksums.
  result<> check_files() const;
  /// Drops everything in a column, even what cannot be read. This thread must have no cursor meanwhile.
  result<> clear(column where);

  store_stats stats() const;

private:
  struct parts;
  explicit kv_store(std::unique_ptr<parts> own);
  result<> migrate();
  std::unique_ptr<parts> parts_;
};

} // namespace swarm::ledger
