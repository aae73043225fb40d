#include "base/mapped_file.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace swarm {

namespace {

/// All mappings of this process.
struct mapping_list {
  std::mutex mutex;
  std::vector<bytes_view> all;
  std::atomic<std::uint64_t> read_since = 0; ///< bytes, since pages were let go of
};

mapping_list& mappings() {
  static mapping_list out;
  return out;
}

void* address_of(bytes_view mapped) {
  return const_cast<std::uint8_t*>(mapped.data());
}

} // namespace

result<mapped_file> mapped_file::map(const file& from, std::uint64_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, from.fd(), 0);
  if (at == MAP_FAILED)
    return fail(errc::io, "{}: {} bytes cannot be mapped: {}", from.path().native(), size,
                std::strerror(errno));
  mapped_file out;
  out.view_ = {static_cast<const std::uint8_t*>(at), size};
  auto& list = mappings();
  const std::lock_guard guard(list.mutex);
  list.all.push_back(out.view_);
  return out;
}

mapped_file::mapped_file(mapped_file&& from) noexcept : view_(std::exchange(from.view_, {})) {}

mapped_file& mapped_file::operator=(mapped_file&& from) noexcept {
  std::swap(view_, from.view_);
  return *this;
}

mapped_file::~mapped_file() {
  if (view_.data() == nullptr) return;
  auto& list = mappings();
  {
    const std::lock_guard guard(list.mutex);
    const auto found =
        std::ranges::find_if(list.all, [&](bytes_view each) { return each.data() == view_.data(); });
    *found = list.all.back();
    list.all.pop_back();
  }
  ::munmap(address_of(view_), view_.size());
}

void note_mapped_read(std::uint64_t size) {
  auto& list = mappings();
  if (list.read_since.fetch_add(size) + size < mapped_resident_max) return;
  list.read_since = 0;
  const std::lock_guard guard(list.mutex);
  for (const auto& each : list.all)
    ::madvise(address_of(each), each.size(), MADV_DONTNEED); // of a file: they come back from the page cache
}

} // namespace swarm
