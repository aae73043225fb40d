#include "ledger/store/recorded_disk.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <mutex>
#include <utility>

namespace swarm::ledger::test {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// Shared by the files of one record.
struct journal {
  explicit journal(const std::filesystem::path& dir) : record(dir) {}

  disk_record record;
  bool fail_sync = false; ///< the next one of a file
};

class recorded_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  recorded_file(std::unique_ptr<rocksdb::FSWritableFile> target, std::shared_ptr<journal> notes,
                std::size_t file)
      : FSWritableFileOwnerWrapper(std::move(target)), notes_(std::move(notes)), file_(file) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard guard(notes_->record.lock);
    auto status = target()->Append(data, options, debug);
    if (status.ok()) notes_->record.append(file_, data.ToString());
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
    std::lock_guard guard(notes_->record.lock);
    auto status = target()->Truncate(size, options, debug);
    if (status.ok()) notes_->record.resize(file_, size);
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Fsync(options, debug));
  }

private:
  /// As a file has one writer, nothing was appended during the sync.
  IOStatus synced(IOStatus status) {
    std::lock_guard guard(notes_->record.lock);
    if (std::exchange(notes_->fail_sync, false)) return IOStatus::IOError("recorded disk: no sync this time");
    if (status.ok()) notes_->record.sync(file_);
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
    std::lock_guard guard(notes_->record.lock);
    return synced(owned_->Fsync(options, debug));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    std::lock_guard guard(notes_->record.lock);
    return synced(owned_->FsyncWithDirOptions(options, debug, how));
  }

private:
  IOStatus synced(IOStatus status) {
    if (status.ok()) notes_->record.sync_folder();
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
    std::lock_guard guard(notes_->record.lock);
    std::unique_ptr<rocksdb::FSWritableFile> made;
    auto status = target()->NewWritableFile(path, options, &made, debug);
    if (!status.ok()) return status;
    *out = std::make_unique<recorded_file>(std::move(made), notes_, notes_->record.create(name_of(path)));
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    std::lock_guard guard(notes_->record.lock);
    const auto known = notes_->record.find(name_of(path));
    if (known == SIZE_MAX) return IOStatus::NotSupported("recorded disk: reopening a new file");
    std::unique_ptr<rocksdb::FSWritableFile> made;
    auto status = target()->ReopenWritableFile(path, options, &made, debug);
    if (status.ok()) *out = std::make_unique<recorded_file>(std::move(made), notes_, known);
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
    std::lock_guard guard(notes_->record.lock);
    auto status = target()->DeleteFile(path, options, debug);
    if (status.ok()) notes_->record.remove(name_of(path));
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    std::lock_guard guard(notes_->record.lock);
    auto status = target()->RenameFile(from, to, options, debug);
    if (status.ok()) notes_->record.rename(name_of(from), name_of(to));
    return status;
  }

private:
  std::shared_ptr<journal> notes_;
};

} // namespace

struct recorded_disk::parts {
  explicit parts(const std::filesystem::path& dir) : notes(std::make_shared<journal>(dir)) {}

  std::shared_ptr<journal> notes;
  std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<recording_file_system>(notes));
};

recorded_disk::recorded_disk(const std::filesystem::path& dir) : parts_(std::make_unique<parts>(dir)) {}

recorded_disk::~recorded_disk() = default;

rocksdb::Env* recorded_disk::env() {
  return parts_->env.get();
}

void recorded_disk::fail_next_sync() {
  const std::lock_guard guard(parts_->notes->record.lock);
  parts_->notes->fail_sync = true;
}

const disk_record& recorded_disk::record() const {
  return parts_->notes->record;
}

} // namespace swarm::ledger::test
