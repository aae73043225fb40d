#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace swarm {

/// Levenshtein's distance: insertions, deletions and exchanges of bytes from one text to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `wrong` by edit distance, or nothing when none is near enough to be meant. A
/// text of more than 64 bytes is near to none.
std::optional<std::string_view> nearest(std::string_view wrong, std::span<const std::string_view> candidates);
/// "; did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view wrong, std::span<const std::string_view> candidates,
                         std::string_view prefix = "");

} // namespace swarm
