#pragma once

#include "base/file.hpp"

#include <cstdint>
#include <span>

namespace swarm::ml {

/// Memory of a training program (a memfd) in which models are passed. It has two slots of equal size, so that
/// the program can keep one model while another one is passed.
///
/// The program can change, cut off or empty it at any time. It is read and written by system calls only and
/// never mapped here, so that the worst is an error.
class program_memory {
public:
  static constexpr std::int32_t slots = 2;

  /// Fails when `fd` is not memory of a size that models can have: a read of anything else might never end.
  static result<program_memory> take(unique_fd fd);

  std::uint64_t slot_size() const { return slot_size_; }
  /// Bytes for which there is memory; a new memfd has none, whatever its size.
  result<std::uint64_t> held() const;
  /// Copies bytes of a slot, from any thread. Fails when the program has cut them off.
  result<> read(std::int32_t slot, std::uint64_t offset, std::span<std::uint8_t> into) const;
  /// Copies `data` to the beginning of a slot, in parallel. Fails when the program does not let it.
  result<> write(std::int32_t slot, bytes_view data) const;

private:
  program_memory(unique_fd fd, std::uint64_t slot_size) : fd_(std::move(fd)), slot_size_(slot_size) {}

  unique_fd fd_;
  std::uint64_t slot_size_ = 0;
};

} // namespace swarm::ml
