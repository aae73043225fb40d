#include "actors/swop/content/relative_path.hpp"

#include <algorithm>

namespace swarm::content {

namespace {

constexpr std::size_t part_bytes_max = 255;
constexpr std::size_t path_bytes_max = 4095;
constexpr std::size_t shown_bytes_max = 200;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

path_parts at_fault(path_fault fault) {
  return {{}, fault};
}

} // namespace

path_parts split_path(std::string_view text) {
  if (text.size() > path_bytes_max) return at_fault(path_fault::too_long);
  if (std::ranges::any_of(text, is_control)) return at_fault(path_fault::unreadable);
  if (text.starts_with('/')) return at_fault(path_fault::absolute);
  path_parts out;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..") return at_fault(path_fault::leaves);
    if (part.size() > part_bytes_max) return at_fault(path_fault::too_long);
    out.parts.emplace_back(part);
    if (out.parts.size() > path_depth_max) return at_fault(path_fault::too_deep);
  }
  return out;
}

std::string_view explain(path_fault fault) {
  switch (fault) {
  case path_fault::none:
    return "is in order";
  case path_fault::absolute:
    return "is an absolute path; it has to stay in its folder";
  case path_fault::leaves:
    return "has '..' in it; it has to stay in its folder";
  case path_fault::too_deep:
    return "is too deep, 64 folders in folders are allowed";
  case path_fault::too_long:
    return "is too long; a name may have 255 bytes, a path 4095";
  case path_fault::unreadable:
    return "has characters in it that no name should have";
  }
  return "";
}

std::string join_path(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& each : parts)
    out += (out.empty() ? "" : "/") + each;
  return out;
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, shown_bytes_max));
  std::ranges::replace_if(out, is_control, '?');
  if (text.size() > shown_bytes_max) out += "...";
  return out;
}

} // namespace swarm::content
