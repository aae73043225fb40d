#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace swarm::ml {

/// The body of a message, in memory that grows as its bytes come.
class body_buffer {
public:
  body_buffer() = default;
  body_buffer(body_buffer&& from) noexcept;
  body_buffer& operator=(body_buffer&& from) noexcept;
  ~body_buffer();

  bytes_view view() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  /// Room for more bytes, up to `limit` in all; empty when there is no memory. `commit` tells how much of
  /// it was used.
  std::span<std::uint8_t> room(std::size_t limit);
  void commit(std::size_t more) { size_ += more; }

private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace swarm::ml
