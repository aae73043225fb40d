#include "base/testing/disk_record.hpp"

#include "base/assert.hpp"
#include "base/file.hpp"
#include "base/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace swarm::testing {

namespace fs = std::filesystem;

disk_record::disk_record(const fs::path& folder) {
  std::error_code none_yet;
  for (const auto& entry : fs::directory_iterator(folder, none_yet)) {
    if (!entry.is_regular_file()) continue;
    at_first_.push_back(read_file(entry.path(), UINT32_MAX).value());
    add_file(entry.path().filename().string(), at_first_.back().size());
  }
}

std::size_t disk_record::add_file(const std::string& name, std::uint64_t size) {
  file_names_.push_back(name);
  sizes_.push_back(size);
  names_[name] = file_names_.size() - 1;
  return file_names_.size() - 1;
}

std::size_t disk_record::changes() const {
  const std::lock_guard guard(lock);
  return changes_.size();
}

bool disk_record::is_turn(std::size_t which) const {
  const std::lock_guard guard(lock);
  return changes_[which].what != kind::write;
}

std::string disk_record::describe(std::size_t which) const {
  const std::lock_guard guard(lock);
  const auto& made = changes_[which];
  switch (made.what) {
  case kind::create:
    return "create " + made.name;
  case kind::write:
    return fmt::format("write {} bytes at {} of {}", made.data.size(), made.at, file_names_[made.file]);
  case kind::resize:
    return fmt::format("make {} {} bytes long", file_names_[made.file], made.at);
  case kind::sync:
    return "sync " + file_names_[made.file];
  case kind::rename:
    return fmt::format("rename {} to {}", made.name, made.data);
  case kind::remove:
    return "remove " + made.name;
  case kind::sync_folder:
    return "sync the folder";
  }
  return {};
}

std::size_t disk_record::create(const std::string& name) {
  const auto file = add_file(name, 0);
  changes_.push_back({kind::create, file, name});
  return file;
}

std::size_t disk_record::find(const std::string& name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? SIZE_MAX : known->second;
}

void disk_record::write(std::size_t file, std::uint64_t offset, std::string data) {
  if (data.empty()) return;
  sizes_[file] = std::max<std::uint64_t>(sizes_[file], offset + data.size());
  changes_.push_back({kind::write, file, {}, std::move(data), offset});
}

void disk_record::append(std::size_t file, std::string data) {
  write(file, sizes_[file], std::move(data));
}

void disk_record::resize(std::size_t file, std::uint64_t size) {
  sizes_[file] = size;
  changes_.push_back({kind::resize, file, {}, {}, size});
}

void disk_record::sync(std::size_t file) {
  changes_.push_back({kind::sync, file});
}

void disk_record::rename(const std::string& from, const std::string& to) {
  if (const auto known = names_.find(from); known != names_.end()) {
    names_[to] = known->second;
    names_.erase(from);
  }
  changes_.push_back({kind::rename, 0, from, to});
}

void disk_record::remove(const std::string& name) {
  names_.erase(name);
  changes_.push_back({kind::remove, 0, name});
}

void disk_record::sync_folder() {
  changes_.push_back({kind::sync_folder});
}

void disk_record::apply_entry(std::map<std::string, std::size_t>& to, const change& what) {
  if (what.what == kind::create) to[what.name] = what.file;
  if (what.what == kind::remove) to.erase(what.name);
  if (what.what == kind::rename) {
    const auto from = to.find(what.name);
    if (from == to.end()) return; // the file itself was never recorded, such as a lock
    to[what.data] = from->second;
    to.erase(what.name);
  }
}

void disk_record::apply_content(std::string& to, const change& what) {
  if (what.what == kind::resize) to.resize(what.at);
  if (what.what != kind::write) return;
  if (to.size() < what.at + what.data.size()) to.resize(what.at + what.data.size());
  to.replace(what.at, what.data.size(), what.data);
}

struct disk_replay::parts {
  using kind = disk_record::kind;
  using change = disk_record::change;
  using entries = std::map<std::string, std::size_t>;
  struct file_state {
    std::string synced;
    std::string now;
    std::vector<const change*> pending;
  };

  std::vector<change> changes;
  std::size_t done = 0;
  bool syncs_count = true;
  std::vector<file_state> files;
  entries synced;
  entries now;
  std::vector<const change*> pending;

  void apply(const change& what);
  std::string content(std::size_t file, loss how, seeded_random& random) const;
};

disk_replay::disk_replay(const disk_record& record) : parts_(std::make_unique<parts>()) {
  const std::lock_guard guard(record.lock);
  parts_->changes = record.changes_;
  parts_->files.resize(record.file_names_.size());
  for (std::size_t i = 0; i < record.at_first_.size(); ++i) {
    parts_->files[i].synced = parts_->files[i].now = record.at_first_[i];
    parts_->synced[record.file_names_[i]] = parts_->now[record.file_names_[i]] = i;
  }
}

disk_replay::~disk_replay() = default;

void disk_replay::ignore_syncs() {
  parts_->syncs_count = false;
}

void disk_replay::parts::apply(const change& what) {
  if (!syncs_count && (what.what == kind::sync || what.what == kind::sync_folder)) return;
  switch (what.what) {
  case kind::write:
  case kind::resize:
    disk_record::apply_content(files[what.file].now, what);
    files[what.file].pending.push_back(&what);
    return;
  case kind::sync:
    files[what.file].synced = files[what.file].now;
    files[what.file].pending.clear();
    return;
  case kind::sync_folder:
    synced = now;
    pending.clear();
    return;
  case kind::create:
  case kind::rename:
  case kind::remove:
    disk_record::apply_entry(now, what);
    pending.push_back(&what);
    return;
  }
}

void disk_replay::go_to(std::size_t changes) {
  SWARM_ASSERT(changes >= parts_->done && changes <= parts_->changes.size());
  while (parts_->done < changes)
    parts_->apply(parts_->changes[parts_->done++]);
}

std::string disk_replay::parts::content(std::size_t file, loss how, seeded_random& random) const {
  const auto& state = files[file];
  switch (how) {
  case loss::everything:
  case loss::content:
    return state.synced;
  case loss::nothing:
  case loss::entries:
    return state.now;
  case loss::half_of_last: {
    if (done == 0) return state.now;
    const auto& last = changes[done - 1];
    if (last.what != kind::write || last.file != file) return state.now;
    auto out = state.now;
    const auto half = last.data.size() / 2;
    const auto end = last.at + last.data.size();
    if (end == out.size()) {
      out.resize(end - half);
    } else {
      out.replace(end - half, half, half, '\0');
    }
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
      disk_record::apply_content(out, *state.pending[i]);
    return out;
  }
  }
  return {};
}

void disk_replay::write(loss how, std::uint64_t seed, const fs::path& to) const {
  seeded_random random(seed);
  auto names =
      how == loss::everything || how == loss::entries || how == loss::random ? parts_->synced : parts_->now;
  if (how == loss::random) {
    const auto kept = random.below(parts_->pending.size() + 1);
    for (std::size_t i = 0; i < kept; ++i)
      disk_record::apply_entry(names, *parts_->pending[i]);
  }
  fs::create_directories(to);
  for (const auto& [name, which] : names) {
    const auto made = file::create(to / name, 0666);
    SWARM_ASSERT(made && made->write_at(0, as_bytes(parts_->content(which, how, random))));
  }
}

watched_folder::watched_folder(fs::path folder) : folder_(std::move(folder)), record_(folder_) {
  observe_disk(this);
}

watched_folder::~watched_folder() {
  observe_disk(nullptr);
}

void watched_folder::on_change(const disk_change& change) {
  const bool is_folder = change.kind == disk_change_kind::sync_folder;
  std::error_code elsewhere;
  if (!fs::equivalent(is_folder ? change.path : change.path.parent_path(), folder_, elsewhere)) return;
  const std::lock_guard guard(record_.lock);
  const auto name = change.path.filename().string();
  switch (change.kind) {
  case disk_change_kind::create:
    record_.create(name);
    return;
  case disk_change_kind::write:
    return record_.write(record_.find(name), change.offset, std::string(as_text(change.data)));
  case disk_change_kind::resize:
    return record_.resize(record_.find(name), change.size);
  case disk_change_kind::sync:
    return record_.sync(record_.find(name));
  case disk_change_kind::rename:
    return record_.rename(name, change.to->filename().string());
  case disk_change_kind::remove:
    return record_.remove(name);
  case disk_change_kind::sync_folder:
    return record_.sync_folder();
  }
}

} // namespace swarm::testing
