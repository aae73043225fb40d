#pragma once

#include "base/result.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarm {

using bytes = std::vector<std::uint8_t>;
using bytes_view = std::span<const std::uint8_t>;

/// N bytes by value, ordered as big-endian numbers.
template <std::size_t N>
struct fixed_bytes : std::array<std::uint8_t, N> {
  constexpr fixed_bytes() : std::array<std::uint8_t, N>{} {}
  constexpr explicit fixed_bytes(const std::array<std::uint8_t, N>& from)
      : std::array<std::uint8_t, N>(from) {}

  bytes_view view() const { return {this->data(), N}; }
  bool is_zero() const {
    return std::all_of(this->begin(), this->end(), [](auto b) { return b == 0; });
  }

  /// The bytes of `from`, which must be exactly N long.
  static result<fixed_bytes> from_view(bytes_view from) {
    if (from.size() != N) return fail(errc::invalid, "expected {} bytes, got {}", N, from.size());
    fixed_bytes out;
    std::copy(from.begin(), from.end(), out.begin());
    return out;
  }
};

using hash32 = fixed_bytes<32>;
/// An account or contract on the chain (last 20 bytes of a Keccak-256).
using address = fixed_bytes<20>;

inline bytes_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(bytes_view raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}
inline bytes to_bytes(bytes_view raw) {
  return {raw.begin(), raw.end()};
}
inline void append(bytes& to, bytes_view more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Lower-case hexadecimal, with "0x" in front unless `prefix` is false.
std::string to_hex(bytes_view raw, bool prefix = true);
/// Accepts an optional "0x" and an even number of digits of either case.
result<bytes> from_hex(std::string_view text);

template <std::size_t N>
result<fixed_bytes<N>> fixed_from_hex(std::string_view text) {
  auto raw = from_hex(text);
  if (!raw) return tl::unexpected(raw.error());
  return fixed_bytes<N>::from_view(*raw);
}

/// Big-endian numbers of 8 bytes.
inline void put_be64(std::uint8_t* to, std::uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8)
    to[i] = static_cast<std::uint8_t>(value);
}
inline std::uint64_t get_be64(const std::uint8_t* from) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value = value << 8 | from[i];
  return value;
}

} // namespace swarm

template <std::size_t N>
struct std::hash<swarm::fixed_bytes<N>> {
  std::size_t operator()(const swarm::fixed_bytes<N>& value) const noexcept {
    // Values are digests, their last bytes are as good as any hash; small test values differ there too.
    std::size_t out = 0;
    constexpr auto width = N < sizeof(out) ? N : sizeof(out);
    std::memcpy(&out, value.data() + N - width, width);
    return out;
  }
};
