#include "actors/swop/managers/docker/engine/frames.hpp"

#include "actors/swop/managers/docker/engine/exchange.hpp"

#include <algorithm>

namespace swarm::engine {

namespace {
constexpr std::size_t head_bytes = 8;
} // namespace

result<> frame_cutter::take(std::string_view piece) {
  while (!piece.empty()) {
    if (left_ == 0) {
      const auto count = std::min(piece.size(), head_bytes - head_.size());
      head_ += piece.substr(0, count);
      piece.remove_prefix(count);
      if (head_.size() < head_bytes) return {};
      if (head_[0] < 0 || head_[0] > 3 || head_[1] != 0 || head_[2] != 0 || head_[3] != 0)
        return fail(engine_errc::bad_answer, "the container engine's stream of an output cannot be read");
      for (std::size_t i = 4; i < head_bytes; ++i)
        left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
      head_.clear();
      continue;
    }
    const auto count = std::min(piece.size(), left_);
    text_ += piece.substr(0, count);
    piece.remove_prefix(count);
    left_ -= count;
    if (text_.size() > 2 * bytes_max_) text_.erase(0, text_.size() - bytes_max_);
  }
  if (text_.size() > bytes_max_) text_.erase(0, text_.size() - bytes_max_);
  return {};
}

} // namespace swarm::engine
