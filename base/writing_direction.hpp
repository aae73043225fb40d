#pragma once

#include <string>

namespace swarm {

/// Puts U+FFFD in the place of characters that turn the direction of writing, as they make a line look like another. Bytes that
/// are no UTF-8 stay.
void hide_turns(std::string& text);

} // namespace swarm
