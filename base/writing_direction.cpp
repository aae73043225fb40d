#include "base/writing_direction.hpp"

namespace swarm {

void hide_turns(std::string& text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const bool embeds = at(i) == 0xe2 && at(i + 1) == 0x80 && at(i + 2) >= 0xaa && at(i + 2) <= 0xae;
    const bool isolates = at(i) == 0xe2 && at(i + 1) == 0x81 && at(i + 2) >= 0xa6 && at(i + 2) <= 0xa9;
    if (embeds || isolates) text.replace(i, 3, "\xef\xbf\xbd");
  }
}

} // namespace swarm
