#pragma once

#include "base/bytes.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::ledger {

inline constexpr std::size_t founders_max = 256;
inline constexpr std::size_t founder_anchors_max = 16;
inline constexpr std::size_t organisation_name_bytes_max = 64;

/// An organisation of the genesis block.
struct founder {
  std::string name;
  std::vector<hash32> anchors; ///< SHA-256 of the DER form of its CA certificates, 1 to `founder_anchors_max`
  std::vector<address> validators; ///< those of the genesis block that are its own
  bool operator==(const founder&) const = default;
};

/// What is wrong with the name of an organisation, to stand behind it; empty when nothing is.
inline std::string_view trouble_with_organisation_name(std::string_view name) {
  if (name.empty() || name.size() > organisation_name_bytes_max) return "has not 1 to 64 bytes";
  if (!is_utf8(name)) return "is not UTF-8";
  if (name.front() == ' ' || name.back() == ' ') return "has a blank at one of its ends";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(name[i]);
    const bool c1 = byte == 0xc2 && i + 1 < name.size() && static_cast<std::uint8_t>(name[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) return "has a control character";
  }
  return {};
}

/// Two names with the same key are the same name: in it the letters A to Z are small.
inline std::string organisation_name_key(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

} // namespace swarm::ledger
