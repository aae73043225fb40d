#include "actors/swop/managers/process/build/steps/lines.hpp"

#include <algorithm>
#include <cctype>

namespace swarm::build {

namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::size_t shown_bytes_max = 120;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

/// Takes out what stands between "://" and '@'.
std::string without_credentials(std::string_view text) {
  std::string out;
  for (;;) {
    const auto mark = text.find("://");
    if (mark == std::string_view::npos) return out += text;
    out += text.substr(0, mark + 3);
    text.remove_prefix(mark + 3);
    const auto authority = text.substr(0, text.find_first_of("/ \t\"'"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
  }
}

} // namespace

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::vector<logical_line> join_lines(const std::vector<std::string>& items) {
  std::vector<logical_line> out;
  bool open = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto line : split(items[i], '\n')) {
      auto text = trimmed(line);
      if (text.empty() || text.starts_with('#')) continue;
      const bool goes_on = text.ends_with('\\');
      if (goes_on) text.remove_suffix(1);
      if (open) {
        // Blanks at the beginning of a continued line are kept: they may be all that parts two words.
        const auto from = static_cast<std::size_t>(text.data() - line.data());
        out.back().text += line.substr(0, from + text.size());
      } else {
        out.push_back({i + 1, std::string(text)});
      }
      open = goes_on;
    }
  }
  for (auto& each : out)
    each.text = trimmed(each.text);
  std::erase_if(out, [](const auto& each) { return each.text.empty(); });
  return out;
}

std::string shown(std::string_view text) {
  auto out = without_credentials(text);
  if (out.size() > shown_bytes_max) out = out.substr(0, shown_bytes_max) + "...";
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::string image_path(std::string_view folder, std::string_view path) {
  std::vector<std::string_view> parts;
  const auto add = [&](std::string_view text) {
    for (const auto part : split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..")
        parts.push_back(part);
      else if (!parts.empty())
        parts.pop_back();
    }
  };
  if (!path.starts_with('/')) add(folder);
  add(path);
  std::string out;
  for (const auto part : parts)
    out.append("/").append(part);
  return out.empty() ? "/" : out;
}

} // namespace swarm::build
