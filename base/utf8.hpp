#pragma once

#include <string_view>

namespace swarm {

/// True for well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

} // namespace swarm
