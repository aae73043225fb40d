#pragma once

#include "base/mapped_file.hpp"
#include "merge/model/layout.hpp"
#include "merge/model/manifest.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace swarm::merge {

/// A model file, mapped read-only. It stays readable while the object lives, even when the store
/// removed the file.
class model_file {
public:
  model_file(const model_file&) = delete;
  model_file& operator=(const model_file&) = delete;
  const hash32& digest() const { return digest_; }
  const model_layout& layout() const { return layout_; }
  std::uint64_t size() const { return raw().size(); }
  const merge::manifest& manifest() const { return manifest_; }
  /// The whole file, for example to serve ranges of it. Who reads much of it says so (`note_mapped_read`).
  bytes_view raw() const { return mapped_.view(); }
  /// The elements of one tensor of `layout()`: C order, little endian, aligned.
  bytes_view data(const tensor_info& tensor) const {
    return raw().subspan(layout_.data_offset() + tensor.offset, tensor.size);
  }

private:
  friend class model_store;
  friend struct store_state;
  model_file() = default;

  hash32 digest_;
  model_layout layout_;
  merge::manifest manifest_;
  mapped_file mapped_;
};

struct store_state;

class model_part; // model_part.hpp
class shard_file; // shard_file.hpp

/// Streams one new model of this node into a store. All its room is taken before the first byte. Nothing is visible before
/// `finish`; dropping it leaves nothing behind.
class model_writer {
public:
  model_writer(model_writer&&) noexcept;
  model_writer& operator=(model_writer&&) noexcept;
  ~model_writer();

  /// Appends; whole chunks are hashed and written in parallel. Fails when the disk is full or the announced
  /// size is exceeded.
  result<> write(bytes_view more);
  /// Takes the whole file from `from`, which copies the bytes from `offset` on into `into` and may be called
  /// from several threads at once. Each chunk is copied once, and that copy is hashed and written: a source
  /// that changes meanwhile makes another model, never a file without its digest. Only for a writer that has
  /// nothing yet.
  result<> fill(const std::function<result<>(std::uint64_t offset, std::span<std::uint8_t> into)>& from);
  std::uint64_t written() const;
  std::uint64_t size() const;
  /// Checks that all announced bytes came and that they are a model, and publishes the file in one step. It
  /// can still be lost in a power cut, see `model_store::make_durable`.
  result<std::shared_ptr<const model_file>> finish();

private:
  friend class model_store;
  struct state;
  explicit model_writer(std::unique_ptr<state> from);
  std::unique_ptr<state> state_;
};

/// Models by digest in one directory, as `<digest>.safetensors`. Thread-safe. One process per directory. The
/// digest of an earlier process's file is computed again at the first `open`, so whatever a crash or a power
/// cut left under a model's name, only that model is ever handed out.
class model_store {
public:
  struct options {
    std::uint64_t bytes_max = 0; ///< of all models together; 0 = as much as the disk holds
  };
  /// Makes the directory if needed, and removes what an earlier process had not finished to write; of what it had not
  /// finished to fetch, see `part`.
  static result<model_store> open_directory(const std::string& directory, options limits);
  static result<model_store> open_directory(const std::string& directory);
  model_store(model_store&&) noexcept;
  model_store& operator=(model_store&&) noexcept;
  ~model_store();

  /// Starts a model of exactly `size` bytes.
  result<model_writer> create(std::uint64_t size);
  /// What is here of a model that comes from others: the same object for all who ask while one of them has it, else what
  /// an earlier fetch has left, whose chunks are checked again, and what other models here have at the same place. Parts that nobody has are removed when there is no room
  /// else, and before spare models; there are at most `parts_max` of them.
  result<std::shared_ptr<model_part>> part(manifest of);
  static constexpr std::size_t parts_max = 64;
  /// A part that somebody has; null when there is none.
  std::shared_ptr<model_part> find_part(const hash32& digest) const;
  /// Takes the room for `count` chunks from chunk `first` on of a merge of `model_size` bytes, which this node makes.
  result<std::shared_ptr<shard_file>> shard(std::uint64_t model_size, std::uint64_t first,
                                            std::uint64_t count);
  /// Stores tensors in the order of `layout.tensors()`; `data[i]` has `tensors()[i].size` bytes.
  result<std::shared_ptr<const model_file>> put(const model_layout& layout, std::span<const bytes_view> data);
  /// Makes a model survive power cuts: its file and name are on the disk when this returns. It waits for the
  /// disk unless that was done before. It must be called before a transaction is sent that names the model.
  result<> make_durable(const hash32& digest);
  /// Fails with errc::not_found when there is no such model. On merge_errc::digest_mismatch the damaged
  /// file is removed.
  result<std::shared_ptr<const model_file>> open(const hash32& digest);
  bool contains(const hash32& digest) const;
  std::vector<hash32> list() const;
  std::uint64_t bytes_used() const;
  /// What all models together may have; 0: as much as the disk holds.
  std::uint64_t bytes_max() const;
  /// Removes the file; readers that hold the model keep it. True when it was there.
  bool remove(const hash32& digest);
  /// Removes all models but these, and parts of others that nobody has; returns how many models were removed.
  std::size_t retain(const std::set<hash32>& keep);
  /// From now on these may be removed, the first one first, when a new model has no room else; all others, and those
  /// that come later, may not. None of them is removed when all of them together would not make the room.
  void set_spare(const std::vector<hash32>& in_order);
  /// Those that were removed for that since it was asked last.
  std::vector<hash32> take_dropped();
  const std::string& directory() const;

private:
  explicit model_store(std::shared_ptr<store_state> from);
  std::shared_ptr<store_state> state_;
};

} // namespace swarm::merge
