#include "actors/sl/kept/merge_shelf.hpp"

#include "base/file.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

namespace swarm::actors {

/// The file, for the thread that writes it. It waits for the disk, so what comes meanwhile is written at once after.
struct merge_shelf::record {
  std::filesystem::path path;
  std::string log_source;
  std::mutex mutex;
  std::optional<std::string> next; ///< what is to be written
  bool is_writing = false;

  void write() {
    for (;;) {
      std::string text;
      {
        const std::lock_guard guard(mutex);
        if (!next) {
          is_writing = false;
          return;
        }
        text = *std::exchange(next, std::nullopt);
      }
      if (auto written = replace_file(path, as_bytes(text)); !written)
        log::warning(log_source, "the record of the kept merges cannot be written: {}",
                     written.error().message);
    }
  }
};

merge_shelf::merge_shelf(options from, std::shared_ptr<merge::model_store> store,
                         std::shared_ptr<transport::io_runtime> io)
    : options_(std::move(from)), store_(std::move(store)), io_(std::move(io)),
      merges_(options_.count, read_kept_merges(options_.data_dir)), record_(std::make_shared<record>()) {
  record_->path = options_.data_dir / kept_merges_name;
  record_->log_source = options_.log_source;
}

void merge_shelf::save() {
  const std::lock_guard guard(record_->mutex);
  record_->next = text_of(merges_.list());
  if (std::exchange(record_->is_writing, true)) return;
  io_->post([to = record_] { to->write(); });
}

void merge_shelf::begin_midway() {
  knows_needs_ = false;
  store_->set_spare({});
}

void merge_shelf::follow(const std::string& training) {
  followed_ = training;
  told_ = false;
  update_spare();
}

void merge_shelf::see(kept_merge merge) {
  const auto stored = [this](const hash32& digest) { return store_->contains(digest); };
  look(); // while it is known which merges were dropped
  const auto before = merges_.digests();
  if (!merges_.note(std::move(merge), stored)) return;
  for (const auto kept = merges_.digests(); const auto& digest : before)
    if (knows_needs_ && !kept.contains(digest) && !needed_.contains(digest)) store_->remove(digest);
  save();
  update_spare();
}

void merge_shelf::retain(std::set<hash32> needed) {
  needed_ = std::move(needed);
  knows_needs_ = true;
  auto keep = merges_.digests();
  keep.insert(needed_.begin(), needed_.end());
  store_->retain(keep);
  update_spare();
}

void merge_shelf::update_spare() {
  if (knows_needs_) store_->set_spare(merges_.spare(followed_, needed_));
}

std::size_t merge_shelf::stored() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      merges_.list(), [this](const auto& each) { return store_->contains(each.digest); }));
}

void merge_shelf::look() {
  std::string gone;
  for (const auto& digest : store_->take_dropped())
    if (const auto* merge = merges_.find(digest))
      gone += fmt::format("{}round {} of '{}'", gone.empty() ? "" : ", ", merge->round_num, merge->training);
  if (gone.empty() || std::exchange(told_, true)) return;
  log::warning(options_.log_source,
               "no room for the last {} merges of each training: {} had to go for newer models, {} are left. "
               "Allow more "
               "with --store-quota, make room on the disk, or keep fewer with --keep-merges",
               options_.count, gone, stored());
}

} // namespace swarm::actors
