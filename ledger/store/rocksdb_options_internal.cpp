#include "ledger/store/rocksdb_options_internal.hpp"

#include "base/log.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <cstdio>

namespace swarm::ledger {

namespace {

/// Writes RocksDB's warnings to the program's own log. RocksDB's default logger writes a file beside the
/// tables and ends the process when that fails (Debian's build keeps assertions), which is what happens first
/// on a full disk.
class forwarding_logger final : public rocksdb::Logger {
public:
  forwarding_logger() : Logger(rocksdb::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    std::string_view line(text.data());
    while (line.ends_with('\n'))
      line.remove_suffix(1);
    log::warning("swarm.ledger", "rocksdb: {}", line);
  }
};

rocksdb::CompressionType compression_for(column which) {
  // Hashes cannot be compressed, so no memory is spent on dictionaries for them.
  if (which != column::bodies && which != column::receipts && which != column::headers)
    return rocksdb::kNoCompression;
  auto supported = rocksdb::GetSupportedCompressions();
  auto lz4 = std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression);
  return lz4 == supported.end() ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
}

} // namespace

rocksdb::ColumnFamilyOptions column_options(column which, const store_options& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 4096;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  if (which != column::log_index) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  out.write_buffer_size =
      which == column::trie_nodes ? options.write_buffer_bytes : options.write_buffer_bytes / 4;
  out.max_write_buffer_number = 3; // so that flushing does not hold up the import of a range of blocks
  out.arena_block_size = 32 * 1024;
  out.target_file_size_base = 8 * 1024 * 1024;
  out.max_bytes_for_level_base = 32 * 1024 * 1024;
  out.compression = compression_for(which);
  return out;
}

rocksdb::DBOptions database_options(const store_options& options) {
  rocksdb::DBOptions out;
  if (options.env != nullptr) out.env = options.env;
  out.create_if_missing = true;
  out.create_missing_column_families = true;
  out.paranoid_checks = true;
  out.max_background_jobs = 2;
  out.db_write_buffer_size = 8 * 1024 * 1024;
  out.max_total_wal_size = options.log_bytes;
  out.max_open_files = 128;
  out.allow_concurrent_memtable_write = false; // one writer
  out.max_manifest_file_size = 4 * 1024 * 1024;
  out.info_log_level = rocksdb::WARN_LEVEL;
  out.info_log = std::make_shared<forwarding_logger>();
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  // Whatever follows a torn record at the end of the log was never reported as written.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return out;
}

} // namespace swarm::ledger
