#include "merge/store/model_part.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "merge/store/store_state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <tbb/parallel_for.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace swarm::merge {

model_part::model_part(std::shared_ptr<store_state> store, merge::manifest expected)
    : store_(std::move(store)), expected_(std::move(expected)), digest_(expected_.digest()),
      here_(expected_.chunks.size()) {}

model_part::~model_part() {
  const bool is_open = draft_.has_value();
  draft_.reset(); // with its lock, before anybody can open it again
  store_->release(reserved_);
  store_->leave_part(digest_, whole_ || removed_ || !is_open ? 0 : reserved_);
}

std::filesystem::path model_part::path() const {
  return store_->path_of_part(digest_);
}

/// Makes the file, or takes the one that is left of an earlier fetch. The caller holds the store's mutex.
result<> model_part::open() {
  auto opened = file::lock(path());
  if (!opened) return fail(errc::io, "{}", opened.error().message);
  draft_ = std::move(*opened);
  // A file of zeros that takes no room, so that chunks can be read as soon as they are there.
  if (::ftruncate(draft_->fd(), static_cast<::off_t>(expected_.size)) != 0)
    return fail(errc::io, "{}: cannot be made {} bytes long: {}", path().native(), expected_.size,
                std::strerror(errno));
  SWARM_TRY(mapped_, mapped_file::map(*draft_, expected_.size));
  return {};
}

/// Whatever a crash or a power cut made of the file, only chunks with the right digest count. Where it has holes there
/// is nothing to look at.
void model_part::look_at_what_is_left() {
  std::vector<std::uint64_t> written;
  for (::off_t at = 0; (at = ::lseek(draft_->fd(), at, SEEK_DATA)) >= 0;) {
    const auto end = ::lseek(draft_->fd(), at, SEEK_HOLE);
    if (end <= at) break;
    for (auto index = static_cast<std::uint64_t>(at) / chunk_size;
         index * chunk_size < static_cast<std::uint64_t>(end); ++index)
      if (written.empty() || written.back() < index) written.push_back(index);
    at = end;
  }
  tbb::parallel_for(std::size_t{0}, written.size(), [&](std::size_t i) {
    const auto index = written[i];
    const auto size = expected_.size_of_chunk(index);
    const bool is_right = sha256(raw().subspan(index * chunk_size, size)) == expected_.chunks[index];
    note_mapped_read(size);
    if (is_right && store_->reserve(size)) mark(index);
  });
}

/// A chunk that another model has at the same place, as of layers that are not trained, need not come from anywhere.
void model_part::look_at_other_models(model_store& store) {
  std::map<hash32, std::vector<std::uint64_t>> found;
  {
    const std::lock_guard guard(store_->mutex);
    auto taken = here_;
    for (const auto& [digest, entry] : store_->models) {
      if (!entry.checked || entry.size != expected_.size) continue;
      for (std::uint64_t index = 0; index < taken.size(); ++index)
        if (!taken[index] && entry.checked->chunks[index] == expected_.chunks[index]) {
          taken[index] = true;
          found[digest].push_back(index);
        }
    }
  }
  for (const auto& [digest, chunks] : found) {
    const auto model = store.open(digest);
    if (!model) continue;
    tbb::parallel_for(std::size_t{0}, chunks.size(), [&](std::size_t i) {
      const auto size = expected_.size_of_chunk(chunks[i]);
      note_mapped_read(size);
      std::ignore = put_checked(chunks[i], (*model)->raw().subspan(chunks[i] * chunk_size, size));
    });
  }
}

bool model_part::has(std::uint64_t index) const {
  return has_all(index, index);
}

bool model_part::has_all(std::uint64_t first, std::uint64_t last) const {
  const std::lock_guard guard(mutex_);
  if (first > last || last >= here_.size()) return false;
  for (auto index = first; index <= last; ++index)
    if (!here_[index]) return false;
  return true;
}

std::vector<bool> model_part::chunks() const {
  const std::lock_guard guard(mutex_);
  return here_;
}

/// A chunk is here; its room was reserved. Two may have written the same one.
void model_part::mark(std::uint64_t index) {
  const auto size = expected_.size_of_chunk(index);
  {
    const std::lock_guard guard(mutex_);
    if (!here_[index]) {
      here_[index] = true;
      ++count_;
      reserved_ += size;
      return;
    }
  }
  store_->release(size);
}

result<> model_part::write(std::uint64_t index, bytes_view chunk) const {
  for (;;) {
    auto written = draft_->write_at(index * chunk_size, chunk);
    if (written) return {};
    if (!written.error().is(file_errc::no_room)) return fail(errc::io, "{}", written.error().message);
    if (!store_->make_room(chunk.size())) return store_->no_room(expected_.size);
  }
}

result<> model_part::put(std::uint64_t index, bytes_view chunk) {
  SWARM_ASSERT(index < expected_.chunks.size() && chunk.size() == expected_.size_of_chunk(index));
  if (has(index)) return {};
  if (sha256(chunk) != expected_.chunks[index])
    return fail(merge_errc::bad_chunk, "model {}: chunk {} of {} has the wrong digest",
                to_hex(digest_.view(), false), index, expected_.chunks.size());
  return put_checked(index, chunk);
}

result<> model_part::put_checked(std::uint64_t index, bytes_view chunk) {
  if (has(index)) return {};
  SWARM_CHECK(store_->reserve(chunk.size()));
  if (auto written = write(index, chunk); !written) {
    store_->release(chunk.size());
    return written;
  }
  mark(index);
  return {};
}

std::shared_ptr<const void> model_part::claim(std::shared_ptr<model_part> of) {
  auto* part = of.get();
  ++part->claims_;
  return {part, [held = std::move(of)](const model_part*) { --held->claims_; }};
}

result<std::shared_ptr<const model_file>> model_part::finish() {
  const std::lock_guard guard(mutex_);
  if (whole_) return whole_;
  if (count_ < here_.size())
    return fail(errc::invalid, "model {}: only {} of {} chunks came", to_hex(digest_.view(), false), count_,
                here_.size());
  auto model = store_state::map(*draft_, expected_);
  if (!model) {
    std::ignore = remove_file(path());
    removed_ = true;
    return model;
  }
  SWARM_TRY(whole_, store_->publish(path(), std::move(*model)));
  store_->release(std::exchange(reserved_, 0));
  return whole_;
}

// The store's side

std::filesystem::path store_state::path_of_part(const hash32& digest) const {
  return fmt::format("{}/{}{}", directory, part_prefix, to_hex(digest.view(), false));
}

void store_state::leave_part(const hash32& digest, std::uint64_t bytes) {
  const std::lock_guard guard(mutex);
  const auto found = open_parts.find(digest);
  if (found == open_parts.end() || !found->second.expired()) return; // somebody has opened it again
  open_parts.erase(found);
  if (bytes == 0) {
    std::ignore = remove_file(path_of_part(digest)); // a model that is whole has another name
    return;
  }
  left_parts.push_back({digest, bytes});
  if (left_parts.size() > model_store::parts_max) drop_left_part();
}

bool store_state::drop_left_part() {
  if (left_parts.empty()) return false;
  std::ignore = remove_file(path_of_part(left_parts.front().digest));
  left_parts.erase(left_parts.begin());
  return true;
}

std::uint64_t store_state::left_bytes() const {
  std::uint64_t out = 0;
  for (const auto& each : left_parts)
    out += each.bytes;
  return out;
}

void store_state::retain_parts(const std::set<hash32>& keep) {
  std::erase_if(left_parts, [&](const left_part& each) {
    if (keep.contains(each.digest)) return false;
    std::ignore = remove_file(path_of_part(each.digest));
    return true;
  });
}

void store_state::find_left_part(const std::filesystem::path& at) {
  const auto name = at.filename().native().substr(part_prefix.size());
  const auto digest = fixed_from_hex<32>(name);
  struct stat info {};
  if (name.size() == 64 && digest && ::lstat(at.c_str(), &info) == 0 && S_ISREG(info.st_mode)
      && left_parts.size() < model_store::parts_max) {
    left_parts.push_back({*digest, static_cast<std::uint64_t>(info.st_blocks) * 512});
    return;
  }
  std::ignore = remove_file(at);
}

result<std::shared_ptr<model_part>> model_store::part(merge::manifest of) {
  if (of.size == 0 || of.size > model_size_max || of.chunks.size() != (of.size + chunk_size - 1) / chunk_size)
    return fail(merge_errc::too_large, "a model file of {} bytes; 1 to {} are allowed", of.size,
                model_size_max);
  std::shared_ptr<model_part> out(new model_part(state_, std::move(of)));
  {
    const std::lock_guard guard(state_->mutex);
    auto& known = state_->open_parts[out->digest()];
    if (auto open = known.lock()) return open;
    SWARM_CHECK(out->open());
    known = out;
    std::erase_if(state_->left_parts, [&](const auto& each) { return each.digest == out->digest(); });
  }
  out->look_at_what_is_left();
  out->look_at_other_models(*this);
  return out;
}

std::shared_ptr<model_part> model_store::find_part(const hash32& digest) const {
  const std::lock_guard guard(state_->mutex);
  const auto found = state_->open_parts.find(digest);
  return found == state_->open_parts.end() ? nullptr : found->second.lock();
}

assembler::assembler(std::shared_ptr<model_part> into) : assembler(into, 0, into->manifest().chunks.size()) {}

assembler::assembler(std::shared_ptr<model_part> into, std::uint64_t first, std::uint64_t count)
    : into_(std::move(into)), begin_(first), next_(first), end_(first + count) {
  SWARM_ASSERT(first < end_ && end_ <= into_->manifest().chunks.size());
}

std::uint64_t assembler::end_offset() const {
  return std::min(end_ * chunk_size, into_->manifest().size);
}

result<> assembler::feed(bytes_view more) {
  const auto left = complete() ? 0 : end_offset() - next_offset() - pending_.size();
  if (more.size() > left) {
    pending_.clear();
    return fail(errc::invalid, "model {}: more than its {} bytes came", to_hex(into_->digest().view(), false),
                end_offset() - begin_ * chunk_size);
  }
  while (!more.empty()) {
    const auto wanted = into_->manifest().size_of_chunk(next_);
    if (pending_.empty() && more.size() >= wanted) {
      SWARM_CHECK(take_chunk(more.first(wanted)));
      more = more.subspan(wanted);
      continue;
    }
    const auto taken = std::min<std::size_t>(wanted - pending_.size(), more.size());
    append(pending_, more.first(taken));
    more = more.subspan(taken);
    if (pending_.size() < wanted) break;
    const auto chunk = std::exchange(pending_, {});
    SWARM_CHECK(take_chunk(chunk));
  }
  return {};
}

result<> assembler::take_chunk(bytes_view chunk) {
  SWARM_CHECK(into_->put(next_, chunk));
  ++next_;
  return {};
}

result<> assembler::check_complete() const {
  if (complete()) return {};
  return fail(errc::invalid, "model {}: only {} of {} bytes came", to_hex(into_->digest().view(), false),
              (next_ - begin_) * chunk_size, end_offset() - begin_ * chunk_size);
}

} // namespace swarm::merge
