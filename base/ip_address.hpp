#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace swarm {

/// The bytes of "10.0.0.1" (4) or "::1" (16), in network order, without brackets and zone; nothing for any other text,
/// such as a name.
std::optional<std::vector<std::uint8_t>> parse_ip(std::string_view text);

} // namespace swarm
