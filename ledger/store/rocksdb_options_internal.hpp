#pragma once

#include "ledger/store/kv_store.hpp"

#include <rocksdb/options.h>

/// How RocksDB is set up for a chain: with little memory, and one synced batch per block.
namespace swarm::ledger {

rocksdb::ColumnFamilyOptions column_options(column which, const store_options& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache);
rocksdb::DBOptions database_options(const store_options& options);

} // namespace swarm::ledger
