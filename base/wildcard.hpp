#pragma once

#include <string_view>

namespace swarm {

/// Whether `text` fits `pattern`, in which '*' stands for any characters. It goes back to the last '*' only, so the
/// time is at most the product of both lengths.
bool fits_wildcard(std::string_view pattern, std::string_view text);

} // namespace swarm
