#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::build {

/// A line that may have been continued over several items.
struct logical_line {
  std::size_t item = 0; ///< in which it begins, from 1
  std::string text;     ///< without blanks at its ends
};

/// Joins items that end in a backslash with what follows; leaves out blank lines and comments, also between
/// continued ones. Items may hold several lines.
std::vector<logical_line> join_lines(const std::vector<std::string>& items);

std::string_view trimmed(std::string_view text);
std::string lower(std::string_view text);

/// `text` for a message: control characters, the middle of a long line and credentials in addresses are left out.
std::string shown(std::string_view text);

/// An absolute path in the image: "." and ".." resolved, never above "/".
std::string image_path(std::string_view folder, std::string_view path);

} // namespace swarm::build
