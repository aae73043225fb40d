#include "tools/swarmd/wakeable_input.hpp"

#include "actors/swci/language/words.hpp"
#include "base/assert.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace swarm {

namespace {

constexpr std::size_t chunk_bytes = 4096;
/// The session says that such a line is too long.
constexpr std::size_t taken_bytes_max = swci::line_bytes_max + 1;

} // namespace

wakeable_input::wakeable_input(int fd) : fd_(fd), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SWARM_ASSERT(event_);
}

bool wakeable_input::wait() {
  while (true) {
    std::array<pollfd, 2> sources{{{fd_, POLLIN, 0}, {event_.get(), POLLIN, 0}}};
    if (::poll(sources.data(), sources.size(), -1) < 0) continue;
    if (std::uint64_t count = 0; ::read(event_.get(), &count, sizeof count) > 0) return false;
    if (sources[0].revents != 0) return true;
  }
}

ssize_t wakeable_input::read(char* to, std::size_t size) const {
  while (true) {
    const auto got = ::read(fd_, to, size);
    if (got >= 0 || errno != EINTR) return got;
  }
}

void wakeable_input::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

std::optional<std::string> wakeable_input::take_line(std::size_t size, std::size_t behind) {
  auto line = buffer_.substr(0, size);
  buffer_.erase(0, size + behind);
  return line;
}

std::optional<std::string> wakeable_input::next_line() {
  while (true) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      auto line = take_line(end, 1);
      if (!std::exchange(skips_, false)) return line;
      continue;
    }
    if (skips_) buffer_.clear();
    if (buffer_.size() >= taken_bytes_max) {
      skips_ = true;
      return take_line(taken_bytes_max, 0);
    }
    if (!wait()) return std::nullopt;
    std::array<char, chunk_bytes> chunk;
    const auto got = read(chunk.data(), chunk.size());
    if (got > 0) {
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (buffer_.empty()) return std::nullopt;
    return take_line(buffer_.size(), 0);
  }
}

} // namespace swarm
