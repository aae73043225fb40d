#pragma once

#include "base/file.hpp"
#include "merge/store/model_store.hpp"

#include <mutex>

namespace swarm::merge {

/// A run of chunks of a merge that this node has made, whose digest is not known before others have made theirs. It takes
/// room in the store, and is gone with its last owner: it can be made again. Thread-safe.
class shard_file {
public:
  shard_file(const shard_file&) = delete;
  shard_file& operator=(const shard_file&) = delete;
  ~shard_file();

  std::uint64_t first() const { return first_; } ///< chunk
  std::uint64_t count() const { return hashes_.size(); }
  /// Stores chunk `index` of the merge, one of this run.
  result<> put(std::uint64_t index, bytes_view chunk);
  bool has(std::uint64_t index) const;
  bool is_complete() const;
  /// SHA-256 of each chunk, once it is complete.
  const std::vector<hash32>& hashes() const { return hashes_; }
  /// The bytes of chunk `index` of the merge, once it is complete.
  bytes_view chunk(std::uint64_t index) const;
  /// All of the run, once it is complete.
  bytes_view raw() const { return mapped_.view(); }

private:
  friend class model_store;
  shard_file(std::shared_ptr<store_state> store, std::uint64_t model_size, std::uint64_t first,
             std::uint64_t count);
  result<> open();
  std::uint64_t size() const;

  std::shared_ptr<store_state> store_;
  std::uint64_t model_size_, first_;
  std::vector<hash32> hashes_;
  std::optional<file> draft_; ///< has no name any more
  mapped_file mapped_;
  bool reserved_ = false;
  mutable std::mutex mutex_; ///< guards what follows
  std::vector<bool> here_;   ///< of the run
  std::uint64_t missing_;    ///< chunks
};

} // namespace swarm::merge
