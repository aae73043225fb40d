#include "base/assert.hpp"
#include "base/hash.hpp"
#include "merge/store/model_store.hpp"
#include "merge/store/store_state.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace swarm::merge {

struct model_writer::state {
  std::shared_ptr<store_state> store;
  std::optional<file> draft;
  merge::manifest done;       ///< `size` and the digests of the chunks stored so far
  std::uint64_t accepted = 0; ///< bytes given to `write`
  std::size_t stored = 0;     ///< chunks
  bytes pending;              ///< the beginning of the next chunk
  std::uint64_t reserved = 0; ///< bytes to give back to the store
  bool published = false;

  ~state() {
    if (draft && !published)
      std::ignore = remove_file(draft->path()); // if it stays, the next process removes it
    store->release(reserved);
  }

  tl::unexpected<error> failed(error why) const {
    if (why.is(file_errc::no_room)) return store->no_room(done.size);
    return fail(errc::io, "{}", why.message);
  }

  /// Writes where there is room, or where spare models make it.
  result<> put(std::uint64_t offset, bytes_view chunk) const {
    for (;;) {
      auto written = draft->write_at(offset, chunk);
      if (written || !written.error().is(file_errc::no_room) || !store->make_room(chunk.size()))
        return written;
    }
  }

  result<> take_whole_room(std::uint64_t size) const {
    for (;;) {
      auto taken = draft->reserve(size);
      if (taken || !taken.error().is(file_errc::no_room) || !store->make_room(size)) return taken;
    }
  }

  /// Hashes and writes whole chunks (the last of the file may be short).
  result<> store_chunks(bytes_view data) {
    const auto count = (data.size() + chunk_size - 1) / chunk_size;
    std::mutex mutex;
    result<> written;
    tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
      const auto chunk =
          data.subspan(i * chunk_size, std::min<std::size_t>(chunk_size, data.size() - i * chunk_size));
      done.chunks[stored + i] = sha256(chunk);
      if (auto outcome = put((stored + i) * chunk_size, chunk); !outcome) {
        const std::lock_guard guard(mutex);
        written = std::move(outcome);
      }
    });
    if (!written) return failed(std::move(written).error());
    stored += count;
    return {};
  }
};

model_writer::model_writer(std::unique_ptr<state> from) : state_(std::move(from)) {}
model_writer::model_writer(model_writer&&) noexcept = default;
model_writer& model_writer::operator=(model_writer&&) noexcept = default;
model_writer::~model_writer() = default;

std::uint64_t model_writer::written() const {
  return state_->accepted;
}

std::uint64_t model_writer::size() const {
  return state_->done.size;
}

result<model_writer> model_store::create(std::uint64_t size) {
  if (size == 0 || size > model_size_max)
    return fail(merge_errc::too_large, "a model file of {} bytes; 1 to {} are allowed", size, model_size_max);
  SWARM_CHECK(state_->reserve(size));
  auto out = std::make_unique<model_writer::state>();
  out->store = state_;
  out->reserved = size; // given back by the destructor
  out->done.size = size;
  std::uint64_t serial = 0;
  {
    const std::lock_guard guard(state_->mutex);
    serial = state_->next_serial++;
  }
  auto made = file::create(fmt::format("{}/{}{}", state_->directory, unfinished_prefix, serial));
  if (!made) return out->failed(std::move(made).error());
  out->draft = std::move(*made);
  if (auto taken = out->take_whole_room(size); !taken) return out->failed(std::move(taken).error());
  out->done.chunks.resize((size + chunk_size - 1) / chunk_size);
  return model_writer(std::move(out));
}

result<> model_writer::write(bytes_view more) {
  auto& to = *state_;
  if (more.size() > to.done.size - to.accepted)
    return fail(errc::invalid, "{}: {} bytes more than the {} announced", to.draft->path().native(),
                more.size() - (to.done.size - to.accepted), to.done.size);
  to.accepted += more.size();
  const bool last = to.accepted == to.done.size;
  if (!to.pending.empty()) {
    const auto taken = std::min<std::size_t>(chunk_size - to.pending.size(), more.size());
    append(to.pending, more.first(taken));
    more = more.subspan(taken);
    if (to.pending.size() < chunk_size && !last) return {};
    SWARM_CHECK(to.store_chunks(to.pending));
    to.pending.clear();
  }
  const auto whole = last ? more.size() : more.size() / chunk_size * chunk_size;
  if (whole > 0) SWARM_CHECK(to.store_chunks(more.first(whole)));
  append(to.pending, more.subspan(whole));
  return {};
}

result<>
model_writer::fill(const std::function<result<>(std::uint64_t offset, std::span<std::uint8_t> into)>& from) {
  auto& to = *state_;
  SWARM_ASSERT(to.accepted == 0);
  tbb::enumerable_thread_specific<bytes> buffers([] { return bytes(chunk_size); });
  std::mutex mutex;
  result<> filled;
  tbb::parallel_for(std::size_t{0}, to.done.chunks.size(), [&](std::size_t i) {
    const auto chunk = std::span(buffers.local()).first(to.done.size_of_chunk(i));
    auto outcome = from(i * chunk_size, chunk);
    if (outcome) {
      to.done.chunks[i] = sha256(chunk);
      if (auto written = to.draft->write_at(i * chunk_size, chunk); !written)
        outcome = to.failed(std::move(written).error());
    }
    if (!outcome) {
      const std::lock_guard guard(mutex);
      filled = std::move(outcome);
      tbb::task::current_context()->cancel_group_execution();
    }
  });
  if (!filled) return filled;
  to.stored = to.done.chunks.size();
  to.accepted = to.done.size;
  return {};
}

result<std::shared_ptr<const model_file>> model_writer::finish() {
  auto& from = *state_;
  if (from.accepted != from.done.size)
    return fail(errc::invalid, "{}: only {} of {} bytes came", from.draft->path().native(), from.accepted,
                from.done.size);
  SWARM_TRY(auto file, store_state::map(*from.draft, std::move(from.done)));
  SWARM_TRY(auto out, from.store->publish(from.draft->path(), std::move(file)));
  from.published = true;
  from.store->release(std::exchange(from.reserved, 0));
  return out;
}

} // namespace swarm::merge
