#pragma once

#include "base/bytes.hpp"

namespace swarm {

/// A 256-bit unsigned number as the ledger stores it: 32 bytes, big-endian. It carries values and does
/// no arithmetic.
struct u256 : hash32 {
  constexpr u256() = default;
  constexpr u256(std::uint64_t value) { // NOLINT: a number is a number
    for (int i = 31; i >= 24; --i, value >>= 8)
      (*this)[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
  }
  constexpr explicit u256(const hash32& word) : hash32(word) {}

  bool fits_u64() const {
    return std::all_of(begin(), begin() + 24, [](auto b) { return b == 0; });
  }
  /// The low 64 bits; ask `fits_u64` first.
  std::uint64_t to_u64() const { return get_be64(data() + 24); }
  /// The bytes without leading zeros (empty for zero), as RLP wants them.
  bytes_view minimal() const {
    auto first = std::find_if(begin(), end(), [](auto b) { return b != 0; });
    return {first, end()};
  }
};

} // namespace swarm
