#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

/// How a swarm makes one model of several, as its peers agree on it in the training contract. The contract,
/// the client's session and the merge all read the same spelling, so it is described once, here.
struct merge_method {
  enum kind_type : std::uint8_t {
    mean,
    coordmedian,
    geomedian,
    trimmedmean,
    krum,
    multikrum,
    clippedmean,
    custom
  };

  merge_method(kind_type which = mean)
      : kind(which) {} // NOLINT(google-explicit-constructor): a bare kind is one

  kind_type kind;
  /// trimmedmean: what is cut from each end, as millionths of all weight; in (0, 500000).
  std::uint32_t cut = 0;
  /// krum, multikrum: how many models may be hostile.
  std::uint32_t hostile = 0;
  /// multikrum: how many models are chosen; krum chooses one.
  std::uint32_t chosen = 1;
  /// clippedmean: the longest way from the centre to a model, in millionths.
  std::uint64_t norm = 0;
  /// custom: the name of the method, for people.
  std::string name;
  /// custom: SHA-256 of the shared library. A program does not know it; its SL adds it.
  std::optional<hash32> library;

  bool operator==(const merge_method&) const = default;
};

inline constexpr std::size_t custom_name_bytes_max = 32;

/// "mean" (also when empty), "coordmedian", "geomedian", "trimmedmean:0.2", "krum:f", "multikrum:f,m",
/// "clippedmean:norm", "custom:name" or "custom:name,digest", in any case. Numbers are plain decimals with at
/// most six digits after the point. errc::invalid with one line for the person who wrote it.
result<merge_method> parse_merge_method(std::string_view text);
/// The one spelling of a method: lower case, no needless zero. `parse_merge_method` gives the same method
/// again.
std::string text_of(const merge_method& method);
/// errc::invalid when a round of `min_peers`, the fewest that may be merged, is too small for the method.
result<> check_peers(const merge_method& method, std::uint32_t min_peers);
/// How many hostile models Krum bears among so many, of the `hostile` that it is to bear: with fewer than
/// 2f + 3 it is what their number allows.
std::uint32_t hostile_borne(std::uint32_t hostile, std::size_t models);

} // namespace swarm
