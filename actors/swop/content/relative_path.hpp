#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::content {

/// The most folders in folders that a path of a task or of an archive may have.
constexpr std::size_t path_depth_max = 64;

/// What is wrong with a path that has to stay in its folder.
enum class path_fault { none, absolute, leaves, too_deep, too_long, unreadable };

/// A path taken apart, without empty and "." parts; no parts at all stand for the folder itself.
struct path_parts {
  std::vector<std::string> parts;
  path_fault fault = path_fault::none;
};

/// Takes apart a path from outside. Anything with "..", a slash in front or a control character is at fault.
path_parts split_path(std::string_view text);
/// Completes "<path>: ".
std::string_view explain(path_fault fault);

std::string join_path(const std::vector<std::string>& parts);

/// `text` fit for a line: control characters and what follows 200 bytes are left out.
std::string shown(std::string_view text);

} // namespace swarm::content
