#include "ledger/store/kv_store.hpp"

#include "base/assert.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "ledger/store/rocksdb_options_internal.hpp"

#include <pthread.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstring>
#if __has_include(<rocksdb/advanced_cache.h>) // RocksDB 8 moved the cache's interface there
#include <rocksdb/advanced_cache.h>
#endif

namespace swarm::ledger {

namespace {

using rocksdb::Slice;
using rocksdb::Status;

constexpr std::array<std::string_view, column_count> column_names{
    "headers",    "bodies", "receipts",  "outputs",   "seals",     "block_nums",
    "trie_nodes", "code",   "txn_index", "log_index", "consensus", "meta"};
constexpr std::string_view schema_key = "schema";

Slice slice(bytes_view raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

bytes_view view(const Slice& raw) {
  return {reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()};
}

tl::unexpected<error> fail_status(const std::filesystem::path& dir, std::string_view doing,
                                  const Status& status) {
  auto text = status.ToString();
  if (status.IsNoSpace() || text.find("No space left") != std::string::npos)
    return fail(store_errc::disk_full, "{}: {}: no space left on the disk; make room to go on ({})",
                dir.string(), doing, text);
  if (text.find("Resource temporarily unavailable") != std::string::npos
      || text.find("lock hold by current process") != std::string::npos)
    return fail(
        store_errc::locked,
        "{}: another process uses this directory (it holds {}); stop it, or choose another data directory",
        dir.string(), (dir / "LOCK").string());
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() || status.IsPathNotFound())
    return fail(store_errc::damaged,
                "{}: {}: the chain's files are damaged ({}); restore them from a copy, or move the directory "
                "away and "
                "start again: the chain is then fetched from the other SNs",
                dir.string(), doing, text);
  return fail(store_errc::io, "{}: {}: {}; check the disk and the directory's permissions", dir.string(),
              doing, text);
}

/// Whether the file is missing that names a database's other files: RocksDB would start an empty
/// database over them.
bool lost_its_index(const std::filesystem::path& dir) {
  std::error_code ignored;
  if (std::filesystem::exists(dir / "CURRENT", ignored)) return false;
  for (const auto& file : std::filesystem::directory_iterator(dir, ignored))
    if (file.path().extension() == ".sst") return true;
  return false;
}

} // namespace

std::string_view to_string(column which) {
  return column_names[static_cast<std::size_t>(which)];
}

/// A batch is one buffer for all keys and values, in their order.
struct kv_batch::parts {
  struct change {
    column where;
    bool erased;
    std::uint32_t key_size;
    std::uint32_t value_size;
  };
  std::vector<change> changes;
  std::string content;
};

kv_batch::kv_batch() : parts_(std::make_unique<parts>()) {}
kv_batch::~kv_batch() = default;
kv_batch::kv_batch(kv_batch&&) noexcept = default;
kv_batch& kv_batch::operator=(kv_batch&&) noexcept = default;

void kv_batch::put(column where, bytes_view key, bytes_view value) {
  parts_->changes.push_back(
      {where, false, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size())});
  parts_->content.append(as_text(key)).append(as_text(value));
}

void kv_batch::erase(column where, bytes_view key) {
  parts_->changes.push_back({where, true, static_cast<std::uint32_t>(key.size()), 0});
  parts_->content.append(as_text(key));
}

std::size_t kv_batch::size() const {
  return parts_->content.size();
}

namespace {

/// Lets many threads read the database and one of them close it. A thread that walks a cursor reads other
/// keys meanwhile, so it enters more than once, and readers must go before the one that waits to close. A
/// POSIX lock allows that, the locks of the standard library do not.
class read_gate {
public:
  read_gate() {
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_READER_NP);
    pthread_rwlock_init(&lock_, &kind);
    pthread_rwlockattr_destroy(&kind);
  }
  ~read_gate() { pthread_rwlock_destroy(&lock_); }
  read_gate(const read_gate&) = delete;
  read_gate& operator=(const read_gate&) = delete;

  /// Held by a reader, or by the one that closes.
  using pass = std::unique_ptr<read_gate, void (*)(read_gate*)>;
  pass read() {
    pthread_rwlock_rdlock(&lock_);
    return {this, leave};
  }
  pass alone() {
    pthread_rwlock_wrlock(&lock_);
    return {this, leave};
  }

private:
  static void leave(read_gate* from) { pthread_rwlock_unlock(&from->lock_); }
  pthread_rwlock_t lock_{};
};

} // namespace

struct kv_cursor::parts {
  read_gate::pass pass; ///< goes after the iterator
  std::unique_ptr<rocksdb::Iterator> at;
  std::filesystem::path dir;
};

kv_cursor::kv_cursor(std::unique_ptr<parts> own) : parts_(std::move(own)) {}
kv_cursor::~kv_cursor() = default;
kv_cursor::kv_cursor(kv_cursor&&) noexcept = default;
kv_cursor& kv_cursor::operator=(kv_cursor&&) noexcept = default;

bool kv_cursor::seek(bytes_view key) {
  parts_->at->Seek(slice(key));
  return parts_->at->Valid();
}

bool kv_cursor::next() {
  parts_->at->Next();
  return parts_->at->Valid();
}

bytes_view kv_cursor::key() const {
  return view(parts_->at->key());
}

bytes_view kv_cursor::value() const {
  return view(parts_->at->value());
}

result<> kv_cursor::status() const {
  if (auto status = parts_->at->status(); !status.ok())
    return fail_status(parts_->dir, "cannot read", status);
  return {};
}

/// The open database; `db` is null after `kv_store::close` and after a recovery that failed altogether.
struct kv_store::parts {
  store_options options;
  std::shared_ptr<rocksdb::Cache> cache;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles; ///< by `column`, then others
  bool failed = false;
  bool read_only = false;
  bool closed = false;
  mutable read_gate gate; ///< guards `db` and `handles`; the writing thread reads them without it

  ~parts() { close(); }

  void close() {
    if (!db) return;
    for (auto* handle : handles)
      db->DestroyColumnFamilyHandle(handle);
    handles.clear();
    db->Close().PermitUncheckedError();
    db.reset();
  }

  rocksdb::ColumnFamilyHandle* handle(column which) const { return handles[static_cast<std::size_t>(which)]; }

  std::string_view why_closed() const {
    return closed ? "closed, as its chain has ended" : "closed after a failed recovery; restart";
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> columns() const;
  result<> open();
  /// Opens the database only for reading when `open` fails; `db` stays null when even that fails.
  void open_to_read();
  result<std::uint64_t> read_schema();
  result<> write_schema(std::uint64_t version);
  result<> check_space() const;
  result<> check_writable() const;
};

std::vector<rocksdb::ColumnFamilyDescriptor> kv_store::parts::columns() const {
  std::vector<rocksdb::ColumnFamilyDescriptor> out;
  for (std::size_t i = 0; i < column_count; ++i)
    out.emplace_back(std::string(column_names[i]), column_options(static_cast<column>(i), options, cache));
  out.emplace_back(rocksdb::kDefaultColumnFamilyName, column_options(column::meta, options, cache));
  // RocksDB must be told of all columns, also of those that a newer version made; the schema is
  // checked afterwards.
  std::vector<std::string> present;
  if (rocksdb::DB::ListColumnFamilies(database_options(options), options.dir.string(), &present).ok())
    for (const auto& name : present)
      if (std::none_of(out.begin(), out.end(), [&](const auto& known) { return known.name == name; }))
        out.emplace_back(name, column_options(column::meta, options, cache));
  return out;
}

result<> kv_store::parts::open() {
  rocksdb::DB* opened = nullptr;
  auto status =
      rocksdb::DB::Open(database_options(options), options.dir.string(), columns(), &handles, &opened);
  if (!status.ok()) return fail_status(options.dir, "cannot open", status);
  db.reset(opened);
  failed = false;
  read_only = false;
  return {};
}

void kv_store::parts::open_to_read() {
  rocksdb::DB* opened = nullptr;
  auto status = rocksdb::DB::OpenForReadOnly(database_options(options), options.dir.string(), columns(),
                                             &handles, &opened);
  read_only = true;
  if (status.ok()) db.reset(opened);
}

/// The schema version of the directory; a new directory gets the newest.
result<std::uint64_t> kv_store::parts::read_schema() {
  std::string found;
  auto status = db->Get({}, handle(column::meta), slice(as_bytes(schema_key)), &found);
  if (status.IsNotFound()) {
    SWARM_CHECK(write_schema(options.schema));
    return options.schema;
  }
  if (!status.ok()) return fail_status(options.dir, "cannot read", status);
  if (found.size() != 8)
    return fail(store_errc::damaged,
                "{}: its schema version is unreadable; restore the directory from a copy",
                options.dir.string());
  return get_be64(reinterpret_cast<const std::uint8_t*>(found.data()));
}

result<> kv_store::parts::write_schema(std::uint64_t version) {
  std::array<std::uint8_t, 8> raw{};
  put_be64(raw.data(), version);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  auto status = db->Put(synced, handle(column::meta), slice(as_bytes(schema_key)), slice(raw));
  if (!status.ok()) return fail_status(options.dir, "cannot write", status);
  return {};
}

result<> kv_store::migrate() {
  const auto& options = parts_->options;
  SWARM_TRY(auto version, parts_->read_schema());
  if (version > options.schema)
    return fail(store_errc::newer_schema,
                "{}: was written by a newer swarmd (schema {}, this one knows up to {}); use that version, "
                "or another data directory",
                dir().string(), version, options.schema);
  while (version < options.schema) {
    const auto next = std::find_if(options.steps.begin(), options.steps.end(),
                                   [&](const schema_step& step) { return step.to == version + 1; });
    if (next == options.steps.end())
      return fail(
          store_errc::damaged,
          "{}: was written by a swarmd that this one does not know (schema {}, now {}); move the directory "
          "away and start again: the chain is fetched from the other SNs",
          dir().string(), version, options.schema);
    log::info("swarm.ledger", "{}: bringing the store from schema {} to {}", dir().string(), version,
              next->to);
    if (auto done = next->run(*this); !done)
      return fail_with(std::move(done).error(), fmt::format("{}: schema {}", dir().string(), next->to));
    SWARM_CHECK(parts_->write_schema(next->to));
    version = next->to;
  }
  return {};
}

result<> kv_store::parts::check_space() const {
  std::error_code unknown;
  auto space = std::filesystem::space(options.dir, unknown);
  if (unknown || space.available >= options.space_reserve_bytes) return {};
  return fail(store_errc::disk_full,
              "{}: only {} KiB left on the disk, {} KiB are kept free; make room to go on",
              options.dir.string(), space.available / 1024, options.space_reserve_bytes / 1024);
}

kv_store::kv_store(std::unique_ptr<parts> own) : parts_(std::move(own)) {}
kv_store::~kv_store() = default;

result<std::unique_ptr<kv_store>> kv_store::open(store_options options) {
  if (auto made = make_folders(options.dir); !made) return fail(store_errc::io, "{}", made.error().message);
  if (lost_its_index(options.dir))
    return fail(store_errc::damaged,
                "{}: holds a chain's files, but CURRENT is missing; restore it from a copy, or move the "
                "directory away",
                options.dir.string());
  auto opened = std::make_unique<parts>();
  opened->options = std::move(options);
  opened->cache = rocksdb::NewLRUCache(opened->options.cache_bytes, 2);
  SWARM_CHECK(opened->open());
  auto out = std::unique_ptr<kv_store>(new kv_store(std::move(opened)));
  SWARM_CHECK(out->migrate());
  return out;
}

const std::filesystem::path& kv_store::dir() const {
  return parts_->options.dir;
}

result<std::optional<bytes>> kv_store::get(column where, bytes_view key) const {
  const auto& dir = parts_->options.dir;
  const auto pass = parts_->gate.read();
  if (!parts_->db) return fail(store_errc::io, "{}: {}", dir.string(), parts_->why_closed());
  rocksdb::PinnableSlice found;
  auto status = parts_->db->Get({}, parts_->handle(where), slice(key), &found);
  if (status.IsNotFound()) return std::optional<bytes>{};
  if (!status.ok()) return fail_status(dir, "cannot read", status);
  return std::optional{to_bytes(view(found))};
}

kv_cursor kv_store::walk(column where) const {
  auto out =
      std::make_unique<kv_cursor::parts>(kv_cursor::parts{parts_->gate.read(), nullptr, parts_->options.dir});
  if (parts_->db)
    out->at.reset(parts_->db->NewIterator({}, parts_->handle(where)));
  else
    out->at.reset(rocksdb::NewErrorIterator(Status::IOError(std::string(parts_->why_closed()))));
  return kv_cursor(std::move(out));
}

result<> kv_store::parts::check_writable() const {
  if (!failed && db && !read_only) return {};
  return fail(store_errc::io, "{}: an earlier write failed; recovery is due", options.dir.string());
}

result<> kv_store::write(const kv_batch& batch) {
  const auto& dir = parts_->options.dir;
  SWARM_CHECK(parts_->check_writable());
  SWARM_CHECK(parts_->check_space());
  rocksdb::WriteBatch all(batch.parts_->content.size() + 16 * batch.parts_->changes.size());
  const char* at = batch.parts_->content.data();
  for (const auto& change : batch.parts_->changes) {
    auto* handle = parts_->handle(change.where);
    const Slice key(at, change.key_size);
    const Slice value(at + change.key_size, change.value_size);
    at += change.key_size + change.value_size;
    auto status = change.erased ? all.Delete(handle, key) : all.Put(handle, key, value);
    if (!status.ok()) return fail_status(dir, "cannot write", status);
  }
  rocksdb::WriteOptions synced;
  synced.sync = true; // always: else a log could lose its end while the next one is kept, which leaves a gap
  if (auto status = parts_->db->Write(synced, &all); !status.ok()) {
    parts_->failed = true;
    return fail_status(dir, "cannot write", status);
  }
  return {};
}

bool kv_store::needs_recovery() const {
  return parts_->failed;
}

result<> kv_store::recover() {
  if (!parts_->failed) return {};
  SWARM_CHECK(parts_->check_space());
  if (parts_->db && !parts_->read_only && parts_->db->Resume().ok()) {
    parts_->failed = false;
    return {};
  }
  // After some errors RocksDB takes no more writes; opening it anew replays its log up to the last
  // whole record.
  const auto pass = parts_->gate.alone();
  parts_->close();
  auto opened = parts_->open();
  if (!opened) {
    parts_->failed = true;
    parts_->close();
    parts_->open_to_read();
  }
  return opened;
}

void kv_store::close() {
  const auto pass = parts_->gate.alone();
  parts_->closed = true;
  parts_->close();
}

result<> kv_store::check_files() const {
  SWARM_CHECK(parts_->check_writable());
  if (auto status = parts_->db->VerifyChecksum(); !status.ok())
    return fail_status(parts_->options.dir, "cannot read", status);
  return {};
}

result<> kv_store::clear(column where) {
  SWARM_CHECK(parts_->check_writable());
  const auto pass = parts_->gate.alone();
  auto& handle = parts_->handles[static_cast<std::size_t>(where)];
  auto status = parts_->db->DropColumnFamily(handle);
  if (status.ok()) {
    parts_->db->DestroyColumnFamilyHandle(handle);
    handle = nullptr;
    status = parts_->db->CreateColumnFamily(column_options(where, parts_->options, parts_->cache),
                                            std::string(to_string(where)), &handle);
  }
  if (status.ok()) return {};
  if (handle == nullptr) { // a store without a column is of no further use in this process
    parts_->failed = true;
    std::erase(parts_->handles, nullptr);
  }
  return fail_status(parts_->options.dir, "cannot write", status);
}

store_stats kv_store::stats() const {
  store_stats out;
  if (!parts_->db) return out;
  auto sum = [&](const std::string& property) {
    std::uint64_t total = 0;
    return parts_->db->GetAggregatedIntProperty(property, &total) ? total : 0;
  };
  out.disk_bytes = sum(rocksdb::DB::Properties::kTotalSstFilesSize);
  out.memory_bytes = sum(rocksdb::DB::Properties::kSizeAllMemTables)
                     + sum(rocksdb::DB::Properties::kEstimateTableReadersMem) + parts_->cache->GetUsage();
  return out;
}

} // namespace swarm::ledger
