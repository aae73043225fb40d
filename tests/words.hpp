#pragma once

#include <string>
#include <string_view>

namespace swarm::testing {

/// What an error says to people, as tests look at it. Where errors have no readable text (SWARM_SCRAMBLE_TEXTS) it
/// agrees with whatever is expected of it, so that tests of codes and behaviour can run there.
class words {
public:
#ifdef SWARM_SCRAMBLE_TEXTS
  static constexpr bool readable = false;
#else
  static constexpr bool readable = true;
#endif

  explicit words(std::string text) : text_(std::move(text)) {}

  bool say(std::string_view part) const {
    return !readable || text_.find(part) != std::string::npos;
  }
  bool say_not(std::string_view part) const {
    return !readable || text_.find(part) == std::string::npos;
  }
  bool starts_with(std::string_view part) const {
    return !readable || text_.starts_with(part);
  }
  bool operator==(std::string_view whole) const {
    return !readable || text_ == whole;
  }
  const std::string& text() const {
    return text_;
  }

private:
  std::string text_;
};

} // namespace swarm::testing
