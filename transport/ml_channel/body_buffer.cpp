#include "transport/ml_channel/body_buffer.hpp"

#include "base/assert.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace swarm::ml {

namespace {

constexpr std::size_t first_capacity = 64u << 10;
/// From this size on the kernel is asked for huge pages, which are provided much faster than small ones.
constexpr std::size_t huge_from = 4u << 20;
constexpr std::size_t page = 4096;

} // namespace

body_buffer::body_buffer(body_buffer&& from) noexcept
    : data_(std::exchange(from.data_, nullptr)), size_(std::exchange(from.size_, 0)),
      capacity_(std::exchange(from.capacity_, 0)) {}

body_buffer& body_buffer::operator=(body_buffer&& from) noexcept {
  std::swap(data_, from.data_);
  std::swap(size_, from.size_);
  std::swap(capacity_, from.capacity_);
  return *this;
}

body_buffer::~body_buffer() {
  if (data_ != nullptr) ::munmap(data_, capacity_);
}

std::span<std::uint8_t> body_buffer::room(std::size_t limit) {
  SWARM_ASSERT(size_ <= limit);
  if (size_ == capacity_ && size_ < limit) {
    const auto doubled = std::max(first_capacity, 2 * capacity_);
    const auto wanted = (std::min(doubled, limit) + page - 1) / page * page;
    void* at = data_ == nullptr
                   ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                   : ::mremap(data_, capacity_, wanted, MREMAP_MAYMOVE);
    if (at == MAP_FAILED) return {};
    if (wanted >= huge_from) ::madvise(at, wanted, MADV_HUGEPAGE);
    data_ = static_cast<std::uint8_t*>(at);
    capacity_ = wanted;
  }
  return {data_ + size_, std::min(capacity_, limit) - size_};
}

} // namespace swarm::ml
