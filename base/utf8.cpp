#include "base/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace swarm {

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  for (std::size_t i = 0; i < text.size();) {
    const auto first = byte(i);
    if (first < 0x80) {
      i += 1;
    } else if (first >= 0xc2 && first < 0xe0) {
      if (!continues(i + 1)) return false;
      i += 2;
    } else if (first >= 0xe0 && first < 0xf0) {
      if (!continues(i + 1) || !continues(i + 2)) return false;
      if (first == 0xe0 && byte(i + 1) < 0xa0) return false;  // overlong
      if (first == 0xed && byte(i + 1) >= 0xa0) return false; // surrogate
      i += 3;
    } else if (first >= 0xf0 && first < 0xf5) {
      if (!continues(i + 1) || !continues(i + 2) || !continues(i + 3)) return false;
      if (first == 0xf0 && byte(i + 1) < 0x90) return false;  // overlong
      if (first == 0xf4 && byte(i + 1) >= 0x90) return false; // above U+10FFFF
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

} // namespace swarm
