#pragma once

#include "base/result.hpp"

#include <concepts>
#include <ostream>
#include <string>
#include <string_view>

namespace swarm::testing {

/// What an error says to people, as tests compare it: letter by letter. Where errors have no readable text
/// (SWARM_SCRAMBLE_TEXTS) both sides are compared by what scrambling leaves of them: lengths, spaces and
/// punctuation. So a check of a text is marked by this type, and whoever else reads a text fails there.
class wording {
public:
#ifdef SWARM_SCRAMBLE_TEXTS
  static constexpr bool readable = false;
#else
  static constexpr bool readable = true;
#endif

  wording(const error& from) : wording(from.message) {}
  template <std::convertible_to<std::string_view> Text>
  wording(const Text& text) : text_(error_text(std::string(std::string_view(text)))) {}

  bool contains(const wording& part) const {
    ++compared;
    return text_.find(part.text_) != std::string::npos;
  }
  bool starts_with(const wording& part) const {
    ++compared;
    return text_.starts_with(part.text_);
  }
  bool ends_with(const wording& part) const {
    ++compared;
    return text_.ends_with(part.text_);
  }
  friend bool operator==(const wording& a, const wording& b) {
    ++compared;
    return a.text_ == b.text_;
  }
  friend std::ostream& operator<<(std::ostream& out, const wording& text) {
    return out << text.text_;
  }

  /// How many checks of texts this program has made.
  static inline std::size_t compared = 0;

private:
  std::string text_;
};

/// `CHECK(says(outcome.error(), "disk full"))`
inline bool says(const wording& text, const wording& part) {
  return text.contains(part);
}

} // namespace swarm::testing
