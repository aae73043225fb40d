#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
} // namespace rocksdb

/// For tests: what a power cut leaves of a store, at each instant.
namespace swarm::ledger::test {

/// What becomes of that which no sync has covered. A directory's entries (files made, renamed, removed) are
/// covered by a sync of the directory only, a file's content by a sync of the file only.
enum class loss : std::uint8_t {
  everything,   ///< content and entries go: what POSIX allows at worst
  nothing,      ///< as when only the process is killed
  content,      ///< new and renamed files are there, but short or empty
  entries,      ///< what was written is there, under the names of before
  half_of_last, ///< the last append is torn, the rest is there
  zeros,        ///< lengths and entries are there, the content is zeros
  random,       ///< each file keeps some of its writes, the directory some of its entries, in their order
};
inline constexpr std::size_t loss_count = 7;

/// Runs a store in a directory of the machine, and writes down every change to a file or to the directory, in
/// the order in which they happened. Flat: a store's directory has no subdirectories.
class recorded_disk {
public:
  /// What is in `dir` counts as synced.
  explicit recorded_disk(std::filesystem::path dir);
  ~recorded_disk();
  recorded_disk(const recorded_disk&) = delete;
  recorded_disk& operator=(const recorded_disk&) = delete;

  /// For store_options; outlives the store.
  rocksdb::Env* env();
  /// The next sync of a file says that it failed, although what was written is there.
  void fail_next_sync();
  /// Changes so far.
  std::size_t changes() const;
  /// Change `which` in words.
  std::string describe(std::size_t which) const;
  /// Whether change `which` is more than an append: a sync, or a change of the directory.
  bool is_turn(std::size_t which) const;

private:
  friend class disk_replay;
  struct parts;
  std::shared_ptr<parts> parts_;
};

/// The disk at an instant of the record, going forward.
class disk_replay {
public:
  explicit disk_replay(const recorded_disk& record);
  /// From now on syncs do nothing, as on a disk that lies or under a store that forgets them.
  void ignore_syncs();
  ~disk_replay();
  /// Goes to the instant after the first `changes` changes.
  void go_to(std::size_t changes);
  /// Writes what is found after a power cut now to the directory `to`, which is made.
  void write(loss what, std::uint64_t seed, const std::filesystem::path& to) const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace swarm::ledger::test
