#pragma once

#include "base/disk_observer.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// Shows what a power cut leaves of a folder, at each instant.
namespace swarm::testing {

/// What becomes of changes that no sync has covered. A folder's entries (files made, renamed, removed) are
/// covered by a sync of the folder only, a file's content by a sync of the file only.
enum class loss : std::uint8_t {
  everything,   ///< content and entries go: the worst that POSIX allows
  nothing,      ///< as when only the process is killed
  content,      ///< new and renamed files are there, but short or empty
  entries,      ///< content is there, under the names from before the change
  half_of_last, ///< the last write is torn, the rest is there
  zeros,        ///< lengths and entries are there, the content is zeros
  random,       ///< each file keeps some of its writes, the folder some of its entries, in their order
};
inline constexpr std::size_t loss_count = 7;

/// Every change to the files of one folder, in the order in which they happened. Folders below it are not
/// recorded. Whoever changes the folder holds `lock` over the change and the note about it.
class disk_record {
public:
  /// What `folder` holds at this point counts as synced.
  explicit disk_record(const std::filesystem::path& folder);

  /// Changes so far.
  std::size_t changes() const;
  /// Change `which` in words.
  std::string describe(std::size_t which) const;
  /// Whether change `which` is more than a write: a sync, or a change of the folder.
  bool is_turn(std::size_t which) const;

  // Notes. Names are those within the folder; `file` is what `create` or `find` returned.
  mutable std::mutex lock;
  std::size_t create(const std::string& name);
  /// The file that has the name now, or SIZE_MAX when no recorded file has it.
  std::size_t find(const std::string& name) const;
  void write(std::size_t file, std::uint64_t offset, std::string data);
  void append(std::size_t file, std::string data);
  void resize(std::size_t file, std::uint64_t size);
  void sync(std::size_t file);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& name);
  void sync_folder();

private:
  friend class disk_replay;
  enum class kind : std::uint8_t { create, write, resize, sync, rename, remove, sync_folder };
  struct change {
    disk_record::kind what;
    std::size_t file = 0; ///< create, write, resize, sync
    std::string name;     ///< create, rename, remove
    std::string data;     ///< write: the bytes; rename: the new name
    std::uint64_t at = 0; ///< write: the offset; resize: the size
  };

  std::size_t add_file(const std::string& name, std::uint64_t size);
  static void apply_content(std::string& to, const change& what);
  static void apply_entry(std::map<std::string, std::size_t>& to, const change& what);

  std::vector<change> changes_;
  std::map<std::string, std::size_t> names_;
  std::vector<std::string> file_names_; ///< by file, its first name
  std::vector<std::uint64_t> sizes_;    ///< by file
  std::vector<std::string> at_first_;   ///< content, of the files that were there
};

/// The disk at an instant of the record, going forward.
class disk_replay {
public:
  explicit disk_replay(const disk_record& record);
  ~disk_replay();
  /// From now on syncs do nothing, as on a disk that lies or in a program that forgets them.
  void ignore_syncs();
  /// Goes to the instant after the first `changes` changes.
  void go_to(std::size_t changes);
  /// Makes the folder `to` and writes to it what would be found after a power cut at this instant.
  void write(loss what, std::uint64_t seed, const std::filesystem::path& to) const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Records what base/file.hpp does in `folder`, as long as it lives.
class watched_folder final : public disk_observer {
public:
  explicit watched_folder(std::filesystem::path folder);
  ~watched_folder() override;
  watched_folder(const watched_folder&) = delete;
  watched_folder& operator=(const watched_folder&) = delete;

  const disk_record& record() const { return record_; }
  void on_change(const disk_change& change) override;

private:
  std::filesystem::path folder_;
  disk_record record_;
};

} // namespace swarm::testing
