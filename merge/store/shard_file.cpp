#include "merge/store/shard_file.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "merge/store/store_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::merge {

shard_file::shard_file(std::shared_ptr<store_state> store, std::uint64_t model_size, std::uint64_t first,
                       std::uint64_t count)
    : store_(std::move(store)), model_size_(model_size), first_(first), hashes_(count), here_(count),
      missing_(count) {}

shard_file::~shard_file() {
  draft_.reset();
  if (reserved_) store_->release(size());
}

std::uint64_t shard_file::size() const {
  return std::min(model_size_, (first_ + count()) * chunk_size) - first_ * chunk_size;
}

result<> shard_file::open() {
  SWARM_CHECK(store_->reserve(size()));
  reserved_ = true;
  std::uint64_t serial = 0;
  {
    const std::lock_guard guard(store_->mutex);
    serial = store_->next_serial++;
  }
  auto made = file::create(fmt::format("{}/{}shard-{}", store_->directory, unfinished_prefix, serial));
  if (!made) return fail(errc::io, "{}", made.error().message);
  draft_ = std::move(*made);
  std::ignore = remove_file(draft_->path());
  while (true) {
    auto taken = draft_->reserve(size());
    if (taken) break;
    if (!taken.error().is(file_errc::no_room)) return fail(errc::io, "{}", taken.error().message);
    if (!store_->make_room(size())) return store_->no_room(size());
  }
  SWARM_TRY(mapped_, mapped_file::map(*draft_, size()));
  return {};
}

result<> shard_file::put(std::uint64_t index, bytes_view chunk) {
  SWARM_ASSERT(index >= first_ && index < first_ + count()
               && chunk.size() == std::min(chunk_size, model_size_ - index * chunk_size));
  const auto at = index - first_;
  const auto hash = sha256(chunk);
  if (auto written = draft_->write_at(at * chunk_size, chunk); !written)
    return fail(errc::io, "{}", written.error().message);
  const std::lock_guard guard(mutex_);
  hashes_[at] = hash;
  if (!here_[at]) --missing_;
  here_[at] = true;
  return {};
}

bool shard_file::has(std::uint64_t index) const {
  const std::lock_guard guard(mutex_);
  return index >= first_ && index - first_ < here_.size() && here_[index - first_];
}

bool shard_file::is_complete() const {
  const std::lock_guard guard(mutex_);
  return missing_ == 0;
}

bytes_view shard_file::chunk(std::uint64_t index) const {
  SWARM_ASSERT(index >= first_ && index < first_ + count());
  const auto at = (index - first_) * chunk_size;
  return raw().subspan(at, std::min<std::uint64_t>(chunk_size, raw().size() - at));
}

result<std::shared_ptr<shard_file>> model_store::shard(std::uint64_t model_size, std::uint64_t first,
                                                       std::uint64_t count) {
  const auto chunks = model_size == 0 ? 0 : (model_size - 1) / chunk_size + 1;
  if (model_size > model_size_max || count == 0 || first >= chunks || count > chunks - first)
    return fail(errc::invalid, "{} chunks from {} on are no part of a model of {} bytes", count, first,
                model_size);
  std::shared_ptr<shard_file> out(new shard_file(state_, model_size, first, count));
  SWARM_CHECK(out->open());
  return out;
}

} // namespace swarm::merge
