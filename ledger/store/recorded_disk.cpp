#include "ledger/store/recorded_disk.hpp"

#include "base/assert.hpp"
#include "base/random.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace swarm::ledger::test {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

enum class change_kind : std::uint8_t { create, append, truncate, sync, rename, remove, sync_dir };

struct change {
  change_kind kind;
  std::size_t file = 0; ///< create, append, truncate, sync
  std::string name;     ///< create, rename, remove
  std::string data;     ///< append: the bytes; rename: the new name
  std::uint64_t size = 0;
};

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream from(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(from), {}};
}

/// Shared by the files of one record.
struct journal {
  std::mutex lock; ///< held over a change of the disk and the note about it
  std::vector<change> changes;
  std::map<std::string, std::size_t> names;
  std::vector<std::string> file_names; ///< by file, its first name
  bool fail_sync = false;              ///< the next one of a file

  std::size_t add_file(const std::string& name) {
    file_names.push_back(name);
    names[name] = file_names.size() - 1;
    return file_names.size() - 1;
  }
};

class recorded_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  recorded_file(std::unique_ptr<rocksdb::FSWritableFile> target, std::shared_ptr<journal> notes,
                std::size_t file)
      : FSWritableFileOwnerWrapper(std::move(target)), notes_(std::move(notes)), file_(file) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    auto status = target()->Append(data, options, debug);
    if (status.ok() && !data.empty())
      notes_->changes.push_back({change_kind::append, file_, {}, data.ToString()});
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const rocksdb::Slice&, std::uint64_t, const IOOptions&,
                            IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: positioned append");
  }
  IOStatus PositionedAppend(const rocksdb::Slice&, std::uint64_t, const IOOptions&,
                            const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: positioned append");
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    auto status = target()->Truncate(size, options, debug);
    if (status.ok()) notes_->changes.push_back({change_kind::truncate, file_, {}, {}, size});
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Fsync(options, debug));
  }

private:
  /// A file has one writer, so nothing was appended during the sync.
  IOStatus synced(IOStatus status) {
    std::lock_guard guard(notes_->lock);
    if (std::exchange(notes_->fail_sync, false)) return IOStatus::IOError("recorded disk: no sync this time");
    if (status.ok()) notes_->changes.push_back({change_kind::sync, file_});
    return status;
  }

  std::shared_ptr<journal> notes_;
  std::size_t file_;
};

class recorded_directory final : public rocksdb::FSDirectoryWrapper {
public:
  recorded_directory(std::unique_ptr<rocksdb::FSDirectory> target, std::shared_ptr<journal> notes)
      : FSDirectoryWrapper(target.get()), owned_(std::move(target)), notes_(std::move(notes)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    return synced(owned_->Fsync(options, debug));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    std::lock_guard guard(notes_->lock);
    return synced(owned_->FsyncWithDirOptions(options, debug, how));
  }

private:
  IOStatus synced(IOStatus status) {
    if (status.ok()) notes_->changes.push_back({change_kind::sync_dir});
    return status;
  }

  std::unique_ptr<rocksdb::FSDirectory> owned_;
  std::shared_ptr<journal> notes_;
};

class recording_file_system final : public rocksdb::FileSystemWrapper {
public:
  explicit recording_file_system(std::shared_ptr<journal> notes)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), notes_(std::move(notes)) {}
  const char* Name() const override { return "recorded disk"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    std::unique_ptr<rocksdb::FSWritableFile> made;
    auto status = target()->NewWritableFile(path, options, &made, debug);
    if (!status.ok()) return status;
    const auto file = notes_->add_file(name_of(path));
    notes_->changes.push_back({change_kind::create, file, name_of(path)});
    *out = std::make_unique<recorded_file>(std::move(made), notes_, file);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    const auto known = notes_->names.find(name_of(path));
    if (known == notes_->names.end()) return IOStatus::NotSupported("recorded disk: reopening a new file");
    std::unique_ptr<rocksdb::FSWritableFile> made;
    auto status = target()->ReopenWritableFile(path, options, &made, debug);
    if (status.ok()) *out = std::make_unique<recorded_file>(std::move(made), notes_, known->second);
    return status;
  }
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: reusing a file");
  }
  IOStatus NewRandomRWFile(const std::string&, const FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>*,
                           IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: writing in place");
  }
  IOStatus LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: links");
  }
  IOStatus Truncate(const std::string&, std::size_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("recorded disk: truncating by name");
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> made;
    auto status = target()->NewDirectory(path, options, &made, debug);
    if (status.ok()) *out = std::make_unique<recorded_directory>(std::move(made), notes_);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    auto status = target()->DeleteFile(path, options, debug);
    if (!status.ok()) return status;
    notes_->names.erase(name_of(path));
    notes_->changes.push_back({change_kind::remove, 0, name_of(path)});
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    std::lock_guard guard(notes_->lock);
    auto status = target()->RenameFile(from, to, options, debug);
    if (!status.ok()) return status;
    if (const auto known = notes_->names.find(name_of(from)); known != notes_->names.end()) {
      notes_->names[name_of(to)] = known->second;
      notes_->names.erase(name_of(from));
    }
    notes_->changes.push_back({change_kind::rename, 0, name_of(from), name_of(to)});
    return status;
  }

private:
  std::shared_ptr<journal> notes_;
};

} // namespace

struct recorded_disk::parts {
  std::shared_ptr<journal> notes = std::make_shared<journal>();
  std::vector<std::string> at_first; ///< content by file
  std::unique_ptr<rocksdb::Env> env;
};

recorded_disk::recorded_disk(std::filesystem::path dir) : parts_(std::make_shared<parts>()) {
  std::error_code none_yet;
  for (const auto& entry : std::filesystem::directory_iterator(dir, none_yet)) {
    parts_->notes->add_file(entry.path().filename().string());
    parts_->at_first.push_back(read_whole(entry.path()));
  }
  parts_->env = rocksdb::NewCompositeEnv(std::make_shared<recording_file_system>(parts_->notes));
}

recorded_disk::~recorded_disk() = default;

rocksdb::Env* recorded_disk::env() {
  return parts_->env.get();
}

std::size_t recorded_disk::changes() const {
  std::lock_guard guard(parts_->notes->lock);
  return parts_->notes->changes.size();
}

void recorded_disk::fail_next_sync() {
  std::lock_guard guard(parts_->notes->lock);
  parts_->notes->fail_sync = true;
}

bool recorded_disk::is_turn(std::size_t which) const {
  std::lock_guard guard(parts_->notes->lock);
  return parts_->notes->changes[which].kind != change_kind::append;
}

std::string recorded_disk::describe(std::size_t which) const {
  std::lock_guard guard(parts_->notes->lock);
  const auto& what = parts_->notes->changes[which];
  switch (what.kind) {
  case change_kind::create:
    return "create " + what.name;
  case change_kind::append:
    return fmt::format("append {} bytes to {}", what.data.size(), parts_->notes->file_names[what.file]);
  case change_kind::truncate:
    return fmt::format("cut {} to {} bytes", parts_->notes->file_names[what.file], what.size);
  case change_kind::sync:
    return "sync " + parts_->notes->file_names[what.file];
  case change_kind::rename:
    return fmt::format("rename {} to {}", what.name, what.data);
  case change_kind::remove:
    return "remove " + what.name;
  case change_kind::sync_dir:
    return "sync the directory";
  }
  return {};
}

namespace {

using entries = std::map<std::string, std::size_t>;

void apply_entry(entries& to, const change& what) {
  if (what.kind == change_kind::create) to[what.name] = what.file;
  if (what.kind == change_kind::remove) to.erase(what.name);
  if (what.kind == change_kind::rename) {
    const auto from = to.find(what.name);
    if (from == to.end()) return; // the file itself was never recorded, such as LOCK
    to[what.data] = from->second;
    to.erase(what.name);
  }
}

void apply_content(std::string& to, const change& what) {
  if (what.kind == change_kind::append) to += what.data;
  if (what.kind == change_kind::truncate) to.resize(what.size);
}

struct file_state {
  std::string synced;
  std::string now;
  std::vector<const change*> pending;
};

} // namespace

struct disk_replay::parts {
  std::vector<change> changes;
  std::size_t done = 0;
  bool syncs_count = true;
  std::vector<file_state> files;
  entries synced;
  entries now;
  std::vector<const change*> pending;

  void apply(const change& what);
  std::string content(std::size_t file, loss what, seeded_random& random) const;
};

disk_replay::disk_replay(const recorded_disk& record) : parts_(std::make_unique<parts>()) {
  auto& notes = *record.parts_->notes;
  std::lock_guard guard(notes.lock);
  parts_->changes = notes.changes;
  parts_->files.resize(notes.file_names.size());
  for (std::size_t i = 0; i < record.parts_->at_first.size(); ++i) {
    parts_->files[i].synced = parts_->files[i].now = record.parts_->at_first[i];
    parts_->synced[notes.file_names[i]] = parts_->now[notes.file_names[i]] = i;
  }
}

disk_replay::~disk_replay() = default;

void disk_replay::ignore_syncs() {
  parts_->syncs_count = false;
}

void disk_replay::parts::apply(const change& what) {
  if (!syncs_count && (what.kind == change_kind::sync || what.kind == change_kind::sync_dir)) return;
  auto& file = files[what.file];
  switch (what.kind) {
  case change_kind::append:
  case change_kind::truncate:
    apply_content(file.now, what);
    file.pending.push_back(&what);
    return;
  case change_kind::sync:
    file.synced = file.now;
    file.pending.clear();
    return;
  case change_kind::sync_dir:
    synced = now;
    pending.clear();
    return;
  case change_kind::create:
  case change_kind::rename:
  case change_kind::remove:
    apply_entry(now, what);
    pending.push_back(&what);
    return;
  }
}

void disk_replay::go_to(std::size_t changes) {
  SWARM_ASSERT(changes >= parts_->done && changes <= parts_->changes.size());
  while (parts_->done < changes)
    parts_->apply(parts_->changes[parts_->done++]);
}

std::string disk_replay::parts::content(std::size_t file, loss what, seeded_random& random) const {
  const auto& state = files[file];
  switch (what) {
  case loss::everything:
  case loss::content:
    return state.synced;
  case loss::nothing:
  case loss::entries:
    return state.now;
  case loss::half_of_last: {
    auto out = state.now;
    if (done == 0) return out;
    const auto& last = changes[done - 1];
    if (last.kind == change_kind::append && last.file == file) out.resize(out.size() - last.data.size() / 2);
    return out;
  }
  case loss::zeros: {
    auto out = state.synced;
    out.resize(state.now.size(), '\0');
    return out;
  }
  case loss::random: {
    auto out = state.synced;
    const auto kept = random.below(state.pending.size() + 1);
    for (std::size_t i = 0; i < kept; ++i)
      apply_content(out, *state.pending[i]);
    return out;
  }
  }
  return {};
}

void disk_replay::write(loss what, std::uint64_t seed, const std::filesystem::path& to) const {
  seeded_random random(seed);
  auto names = what == loss::everything || what == loss::entries || what == loss::random ? parts_->synced
                                                                                         : parts_->now;
  if (what == loss::random) {
    const auto kept = random.below(parts_->pending.size() + 1);
    for (std::size_t i = 0; i < kept; ++i)
      apply_entry(names, *parts_->pending[i]);
  }
  std::filesystem::create_directories(to);
  for (const auto& [name, file] : names) {
    std::ofstream out(to / name, std::ios::binary);
    out << parts_->content(file, what, random);
    SWARM_ASSERT(out.good());
  }
}

} // namespace swarm::ledger::test
