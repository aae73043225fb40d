#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::doctor {

enum class verdict { ok, warning, wrong, unchecked };
/// "ok", "warning", "wrong", "not checked".
std::string_view to_string(verdict which);

/// One thing that was looked at.
struct line {
  std::string check; ///< its name, which stays: tools read it
  verdict is = verdict::ok;
  std::string text;
  std::string remedy; ///< what to do; empty where nothing is to be done
  bool operator==(const line&) const = default;
};
using lines = std::vector<line>;

/// "2026-11-29 07:18 UTC".
std::string time_text(std::uint64_t unix_seconds);
/// "3.2 GB", "512 MB", "17 KB"; powers of 1024.
std::string size_text(std::uint64_t bytes);

} // namespace swarm::doctor
