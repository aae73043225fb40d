#pragma once

#include "base/file.hpp"
#include "merge/store/model_store.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>

namespace swarm::merge {

/// A model that comes chunk by chunk, in any order and from anybody. A chunk counts once its digest was found right, and takes
/// room only then. What is there stays on the disk when the last owner lets go before the model is whole: whoever asks
/// the store for the part again, in this process or in a later one, goes on with it. Thread-safe.
class model_part {
public:
  model_part(const model_part&) = delete;
  model_part& operator=(const model_part&) = delete;
  ~model_part();

  const merge::manifest& manifest() const { return expected_; }
  const hash32& digest() const { return digest_; }
  bool has(std::uint64_t index) const;
  /// Whether all chunks from `first` to `last` are here.
  bool has_all(std::uint64_t first, std::uint64_t last) const;
  /// Which chunks are here.
  std::vector<bool> chunks() const;
  /// Checks a chunk and stores it, unless it is here. Fails with merge_errc::bad_chunk, which names it, and when there is no
  /// room for it.
  result<> put(std::uint64_t index, bytes_view chunk);
  /// The same for a chunk whose digest the caller has found right.
  result<> put_checked(std::uint64_t index, bytes_view chunk);
  /// This node makes some chunks of it itself, as long as somebody has what this returns.
  static std::shared_ptr<const void> claim(std::shared_ptr<model_part> of);
  bool is_claimed() const { return claims_ > 0; }
  /// The bytes of the file. Only those of chunks that are here mean something.
  bytes_view raw() const { return mapped_.view(); }
  /// Checks that the file is a model, and publishes it; the same one when it is called again. Fails with errc::invalid while
  /// chunks are missing; a file that is no model is removed.
  result<std::shared_ptr<const model_file>> finish();

  /// From now on whoever may read the model may be given what is here of it.
  void share() { shared_ = true; }
  bool is_shared() const { return shared_; }

private:
  friend class model_store;
  model_part(std::shared_ptr<store_state> store, merge::manifest expected);
  result<> open();
  void look_at_what_is_left();
  void look_at_other_models(model_store& store);
  void mark(std::uint64_t index);
  result<> write(std::uint64_t index, bytes_view chunk) const;
  std::filesystem::path path() const;

  std::shared_ptr<store_state> store_;
  merge::manifest expected_;
  hash32 digest_;
  std::optional<file> draft_;
  mapped_file mapped_;
  std::atomic<bool> shared_ = false;
  std::atomic<std::size_t> claims_ = 0;
  mutable std::mutex mutex_; ///< guards what follows
  std::vector<bool> here_;
  std::uint64_t count_ = 0;    ///< chunks that are here
  std::uint64_t reserved_ = 0; ///< bytes, in the store
  std::shared_ptr<const model_file> whole_;
  bool removed_ = false; ///< it was no model
};

/// Puts bytes that come in a row into a part, from chunk `first` on, `count` chunks of them. After an error the fetch can go on
/// from `next_offset()` at another node.
class assembler {
public:
  explicit assembler(std::shared_ptr<model_part> into);
  assembler(std::shared_ptr<model_part> into, std::uint64_t first, std::uint64_t count);

  /// Takes the next bytes, any number of them. On merge_errc::bad_chunk the bytes since `next_offset()` are dropped.
  result<> feed(bytes_view more);
  /// The first byte that is not yet verified and stored.
  std::uint64_t next_offset() const { return next_ * chunk_size; }
  /// The chunk of that byte.
  std::uint64_t next_chunk() const { return next_; }
  /// Drops a chunk that has begun, so that the fetch goes on at `next_offset()`.
  void restart_chunk() { pending_.clear(); }
  bool complete() const { return next_ == end_; }
  /// Fails with errc::invalid while bytes are missing.
  result<> check_complete() const;

private:
  result<> take_chunk(bytes_view chunk);
  std::uint64_t end_offset() const;

  std::shared_ptr<model_part> into_;
  std::uint64_t begin_, next_, end_; ///< chunks
  bytes pending_;
};

} // namespace swarm::merge
