#pragma once

#include "base/testing/disk_record.hpp"

#include <filesystem>
#include <memory>

namespace rocksdb {
class Env;
} // namespace rocksdb

/// For tests: shows what a power cut leaves of a store, at each instant.
namespace swarm::ledger::test {

using swarm::testing::disk_record;
using swarm::testing::disk_replay;
using swarm::testing::loss;
using swarm::testing::loss_count;

/// Runs a store in a directory of the machine, and writes down every change to a file or to the directory, in
/// the order in which they happened. Subdirectories are not recorded, as a store has none.
class recorded_disk {
public:
  /// What `dir` holds at this point counts as synced.
  explicit recorded_disk(const std::filesystem::path& dir);
  ~recorded_disk();
  recorded_disk(const recorded_disk&) = delete;
  recorded_disk& operator=(const recorded_disk&) = delete;

  /// For store_options; it must outlive the store.
  rocksdb::Env* env();
  /// Makes the next sync of a file report a failure, although what was written is there.
  void fail_next_sync();
  const disk_record& record() const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace swarm::ledger::test
