#include "transport/ml_channel/memory/program_memory.hpp"

#include "base/assert.hpp"
#include "base/mapped_file.hpp"
#include "merge/model/manifest.hpp"
#include "transport/ml_channel/wire.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <tbb/parallel_for.h>
#include <tbb/task.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace swarm::ml {

namespace {

constexpr std::uint64_t written_at_once = 4u << 20;

} // namespace

result<program_memory> program_memory::take(unique_fd fd) {
  if (!fd || ::fcntl(fd.get(), F_GET_SEALS) < 0)
    return fail(wire_errc::bad_memory, "the program sent a descriptor that is no memory (memfd)");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return fail(wire_errc::bad_memory, "the program's memory cannot be examined: {}", std::strerror(errno));
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(info.st_size, 0));
  if (size == 0 || size % slots != 0 || size / slots > 2 * merge::model_size_max)
    return fail(wire_errc::bad_memory, "the program's memory has {} bytes, which are not {} slots for models",
                size, slots);
  return program_memory(std::move(fd), size / slots);
}

result<std::uint64_t> program_memory::held() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0)
    return fail(wire_errc::bad_memory, "the program's memory cannot be examined: {}", std::strerror(errno));
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

result<> program_memory::read(std::int32_t slot, std::uint64_t offset, std::span<std::uint8_t> into) const {
  SWARM_ASSERT(slot >= 0 && slot < slots);
  SWARM_ASSERT(offset <= slot_size_ && into.size() <= slot_size_ - offset);
  auto at = static_cast<std::uint64_t>(slot) * slot_size_ + offset;
  while (!into.empty()) {
    const auto count = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(wire_errc::bad_memory, "the program's memory cannot be read at byte {}: {}", at,
                  count == 0 ? "it was made smaller" : std::strerror(errno));
    into = into.subspan(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return {};
}

result<> program_memory::write(std::int32_t slot, bytes_view data) const {
  SWARM_ASSERT(slot >= 0 && slot < slots && data.size() <= slot_size_);
  const auto base = static_cast<std::uint64_t>(slot) * slot_size_;
  std::mutex mutex;
  result<> written;
  tbb::parallel_for(
      std::uint64_t{0}, (data.size() + written_at_once - 1) / written_at_once, [&](std::uint64_t i) {
        auto at = i * written_at_once;
        const auto end = std::min<std::uint64_t>(at + written_at_once, data.size());
        while (at < end) {
          const auto count = ::pwrite(fd_.get(), data.data() + at, end - at, static_cast<off_t>(base + at));
          if (count < 0 && errno == EINTR) continue;
          if (count <= 0) {
            const std::lock_guard guard(mutex);
            written = fail(wire_errc::bad_memory, "the program's memory cannot be written: {}",
                           std::strerror(errno));
            tbb::task::current_context()->cancel_group_execution();
            return;
          }
          at += static_cast<std::uint64_t>(count);
        }
        note_mapped_read(end - i * written_at_once);
      });
  return written;
}

} // namespace swarm::ml
