#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Which versions of their protocol two SNs speak, and which one they take. Who dials offers its versions in a header of
/// the request for the WebSocket; who is dialled takes the newest that both speak and says its hello in it; the other
/// answers in the same version. A dial without the header is of version 2, which had none, and so is a hello that is sent
/// in spite of it. Why it is so: docs/decisions/2026-11-30-mixed-versions.md.
namespace swarm::p2p {

/// All versions from `first` to `last`.
struct version_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool has(std::uint64_t version) const { return first <= version && version <= last; }
  bool operator==(const version_range&) const = default;
};

/// What this program speaks:
///   2   of swarmd 0.2
///   3   a hello says which rules of the chain its sender knows
inline constexpr version_range versions_known{2, 3};
/// What a dial offers that says nothing about it.
inline constexpr version_range versions_unsaid{2, 2};
inline constexpr std::string_view versions_header = "Swarm-P2P-Versions";

/// "2-3", or "2" for a single one.
std::string text_of(const version_range& range);
/// The way back. Fails with errc::invalid.
result<version_range> read_versions(std::string_view text);
/// The newest version that both have; nothing: there is none.
std::optional<std::uint64_t> newest_common(const version_range& a, const version_range& b);

} // namespace swarm::p2p
