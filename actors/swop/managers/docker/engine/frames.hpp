#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace swarm::engine {

/// Takes an engine's stream of both outputs of a container apart: frames with a head of 8 bytes, of which the first is
/// 1 or 2 and the last four are the size of what follows. Of all text the last `bytes_max` bytes are kept.
class frame_cutter {
public:
  explicit frame_cutter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Fails with engine_errc::bad_answer where no frame begins.
  result<> take(std::string_view piece);
  const std::string& text() const { return text_; }

private:
  std::size_t bytes_max_;
  std::string head_;
  std::size_t left_ = 0; ///< of the frame that is under way
  std::string text_;
};

} // namespace swarm::engine
