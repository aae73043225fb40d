#pragma once

#include "base/file.hpp"
#include "merge/store/model_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace swarm::merge {

/// The names of files that are being written begin so; those of an earlier process are removed.
inline constexpr std::string_view unfinished_prefix = ".unfinished-";
/// The names of files that are being fetched: this and the digest. Those of an earlier process are gone on with.
inline constexpr std::string_view part_prefix = ".part-";

/// What a store shares with its writers and parts; private to the sources of this folder.
struct store_state {
  struct entry {
    std::uint64_t size = 0;
    std::optional<manifest> checked; ///< set once this process wrote the file or computed its digest
    std::weak_ptr<const model_file> mapped;
    std::uint64_t serial = 0; ///< a number of the file, which may come back under the same digest
    bool durable = false;     ///< file and name are on the disk
  };

  struct left_part {
    hash32 digest;
    std::uint64_t bytes = 0;
  };

  std::string directory;
  model_store::options limits;
  std::optional<file> lock;

  mutable std::mutex mutex;
  std::map<hash32, entry> models;
  std::uint64_t used = 0;        ///< bytes of `models`
  std::uint64_t reserved = 0;    ///< bytes of writers under way
  std::uint64_t next_serial = 0; ///< of writers and files
  std::vector<hash32> spare;     ///< may be dropped when room is needed, the first one first
  std::vector<hash32> dropped;   ///< were, and nobody has asked which
  std::map<hash32, std::weak_ptr<model_part>> open_parts;
  std::vector<left_part> left_parts; ///< those that nobody has; the oldest first

  std::string path_of(const hash32& digest) const;
  /// Reserves room for a writer, within the store's own limit; drops spare models where that helps.
  result<> reserve(std::uint64_t size);
  void release(std::uint64_t size);
  /// Drops a left part or a spare model, as the disk has no room for `size` bytes. False when there is none, or when all
  /// of them together would not help.
  bool make_room(std::uint64_t size);
  std::uint64_t free_on_disk() const;
  /// Bytes of the spare models. The caller holds the mutex, as for the next one.
  std::uint64_t spare_bytes() const;
  bool drop_spare();

  // Parts (model_part.cpp). The caller holds the mutex unless it says otherwise.

  std::filesystem::path path_of_part(const hash32& digest) const;
  /// The last owner of a part has let go, of which so many bytes are worth keeping. Takes the mutex.
  void leave_part(const hash32& digest, std::uint64_t bytes);
  /// Drops the oldest one; false when there is none.
  bool drop_left_part();
  std::uint64_t left_bytes() const;
  void retain_parts(const std::set<hash32>& keep);
  /// Keeps a file of an earlier process, or removes it when it is none that can be used.
  void find_left_part(const std::filesystem::path& at);

  /// The error for a disk without room for `size` bytes.
  tl::unexpected<error> no_room(std::uint64_t size) const;
  /// Removes the entry and its file. The caller holds the mutex.
  bool drop(const hash32& digest);
  /// Maps a complete file whose manifest is known, and checks that it is a model.
  static result<std::shared_ptr<const model_file>> map(const file& from, std::optional<manifest> known);
  /// Gives a finished file its name, unless the same model is there already, and counts the writer's
  /// reservation as used. Nothing is synced: after a power cut the digest is computed before the file
  /// is believed.
  result<std::shared_ptr<const model_file>> publish(const std::filesystem::path& temporary,
                                                    std::shared_ptr<const model_file> model);
};

} // namespace swarm::merge
