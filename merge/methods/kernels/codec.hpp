#pragma once

#include "merge/model/dtype.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

/// How elements of each type are read, compared and stored; for the loops of merge/methods only. Whoever
/// includes it is compiled with -ffp-contract=off: fused multiply-add on some machines only would change
/// results.

// Each loop exists for several instruction sets in one binary and the loader picks one. Sanitizers cannot run
// before the loader has done so, hence the plain loops there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)        \
    && !defined(__SANITIZE_THREAD__)
#define SWARM_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SWARM_CLONES
#endif
#define SWARM_INLINE __attribute__((always_inline)) inline

namespace swarm::merge::detail {

#if defined(__SIZEOF_FLOAT128__)
__extension__ using wide_real = __float128;
#else
using wide_real = long double;
#endif
__extension__ using wide_int = __int128;

static_assert(std::endian::native == std::endian::little, "model files are little endian");

/// Rounds to a binary format with `digits` stored mantissa bits and smallest normal exponent `exponent_min`,
/// ties to even, as a double: adding 1.5 * 2^52 units of the last place pushes out all bits below it.
template <int digits, int exponent_min>
SWARM_INLINE double round_to_format(double x) {
  constexpr std::uint64_t exponent_mask = 0x7ff;
  const auto raw = std::bit_cast<std::uint64_t>(x);
  const auto exponent = raw >> 52 & exponent_mask;
  const auto place = std::max<std::uint64_t>(exponent, 1023 + exponent_min) + 52 - digits;
  const auto pusher = std::bit_cast<double>((place & exponent_mask) << 52 | std::uint64_t{1} << 51);
  const auto rounded = std::bit_cast<std::uint64_t>((x + pusher) - pusher);
  constexpr auto sign = std::uint64_t{1} << 63;
  const auto finite = (rounded & ~sign) | (raw & sign); // -0 stays -0
  return std::bit_cast<double>(exponent == exponent_mask ? raw : finite);
}

template <class T>
T round_wide(wide_real x) {
  auto whole = static_cast<wide_int>(x); // towards zero
  const auto rest = x - static_cast<wide_real>(whole);
  const auto half = static_cast<wide_real>(0.5);
  const bool odd = (whole & 1) != 0;
  if (rest > half || (rest == half && odd)) whole += 1;
  if (rest < -half || (rest == -half && odd)) whole -= 1;
  return static_cast<T>(whole);
}

// A codec reads one stored element as a number (`real`) and stores a number, rounded to the nearest element.
// It also turns elements into whole numbers (`key`) of the same order, -0 before 0, and back, for loops that
// only compare.

template <class T>
struct float_codec {
  using stored = T;
  using real = double;
  using key = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  static SWARM_INLINE double load(T x) { return static_cast<double>(x); }
  static SWARM_INLINE T store(double x) { return static_cast<T>(x); }
  static SWARM_INLINE key key_of(T x) { return flip_negative(std::bit_cast<key>(x)); }
  static SWARM_INLINE T from_key(key x) { return std::bit_cast<T>(flip_negative(x)); }

private:
  static SWARM_INLINE key flip_negative(key x) {
    return x ^ ((x >> (8 * sizeof(T) - 1)) & std::numeric_limits<key>::max());
  }
};

template <class T>
struct integer_codec {
  static_assert(sizeof(T) <= 4);
  using stored = T;
  using real = double;
  using key = std::int32_t;
  static SWARM_INLINE double load(T x) { return static_cast<double>(x); }
  /// The low bits of x + 1.5 * 2^52 are x as a two's complement integer, rounded to nearest even.
  static SWARM_INLINE T store(double x) {
    return static_cast<T>(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(x + 0x1.8p52)));
  }
  static SWARM_INLINE key key_of(T x) { return static_cast<key>(static_cast<std::uint32_t>(x) ^ sign); }
  static SWARM_INLINE T from_key(key x) { return static_cast<T>(static_cast<std::uint32_t>(x) ^ sign); }

private:
  static constexpr std::uint32_t sign = std::is_same_v<T, std::uint32_t> ? std::uint32_t{1} << 31 : 0;
};

/// 64-bit integers do not fit into a double.
template <class T>
struct wide_codec {
  static_assert(sizeof(T) == 8);
  using stored = T;
  using real = wide_real;
  using key = std::int64_t;
  static SWARM_INLINE wide_real load(T x) { return static_cast<wide_real>(x); }
  static SWARM_INLINE T store(wide_real x) { return round_wide<T>(x); }
  static SWARM_INLINE key key_of(T x) { return static_cast<key>(static_cast<std::uint64_t>(x) ^ sign); }
  static SWARM_INLINE T from_key(key x) { return static_cast<T>(static_cast<std::uint64_t>(x) ^ sign); }

private:
  static constexpr std::uint64_t sign = std::is_unsigned_v<T> ? std::uint64_t{1} << 63 : 0;
};

/// Counts +1 for true and -1 for false, so that the sign of the sum is the majority.
struct bool_codec {
  using stored = std::uint8_t;
  using real = double;
  using key = std::int32_t;
  static SWARM_INLINE double load(std::uint8_t x) { return x != 0 ? 1.0 : -1.0; }
  static SWARM_INLINE std::uint8_t store(double x) { return x > 0 ? 1 : 0; }
  static SWARM_INLINE key key_of(std::uint8_t x) { return x != 0 ? 1 : 0; }
  static SWARM_INLINE std::uint8_t from_key(key x) { return static_cast<std::uint8_t>(x); }
};

/// The order of halves of both kinds, whose bits are a sign and a magnitude.
struct half_order {
  using stored = std::uint16_t;
  using real = double;
  using key = std::int32_t;
  static SWARM_INLINE key key_of(std::uint16_t x) { return flip_negative(static_cast<std::int16_t>(x)); }
  static SWARM_INLINE std::uint16_t from_key(key x) { return static_cast<std::uint16_t>(flip_negative(x)); }

private:
  static SWARM_INLINE key flip_negative(key x) { return x ^ ((x >> 31) & 0x7fff); }
};

struct bf16_codec : half_order {
  static SWARM_INLINE double load(std::uint16_t x) {
    return static_cast<double>(std::bit_cast<float>(std::uint32_t{x} << 16));
  }
  static SWARM_INLINE std::uint16_t store(double x) {
    const auto exact = static_cast<float>(round_to_format<7, -126>(x));
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(exact) >> 16);
  }
};

/// Half and single precision differ by 13 mantissa bits and by 112 in the exponent's bias; multiplying by
/// 2^112 or its inverse also turns subnormal halves into normal floats and back.
struct f16_codec : half_order {
  static SWARM_INLINE double load(std::uint16_t x) {
    const auto magnitude = std::uint32_t{x} & 0x7fffu;
    const auto shifted = magnitude << 13;
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted) * 0x1p112f);
    const auto value = magnitude >= 0x7c00u ? shifted | 0x7f800000u : finite;
    return static_cast<double>(std::bit_cast<float>(value | (std::uint32_t{x} & 0x8000u) << 16));
  }
  static SWARM_INLINE std::uint16_t store(double x) {
    const auto raw = std::bit_cast<std::uint32_t>(static_cast<float>(round_to_format<10, -14>(x)));
    const auto magnitude = raw & 0x7fffffffu;
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p-112f) >> 13;
    const auto special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    return static_cast<std::uint16_t>((magnitude >= 0x7f800000u ? special : finite) | (raw >> 16 & 0x8000u));
  }
};

/// Zeros that begin at a cache line, so that no vector of them lies on two.
template <class T>
class aligned_buffer {
public:
  explicit aligned_buffer(std::size_t count) : raw_(count + line / sizeof(T)) {
    const auto past = reinterpret_cast<std::uintptr_t>(raw_.data()) % line;
    data_ = raw_.data() + (past == 0 ? 0 : (line - past) / sizeof(T));
  }
  T* data() { return data_; }

private:
  static constexpr std::size_t line = 64;
  std::vector<T> raw_;
  T* data_;
};

/// Asks memory for [begin, end) of every input while something else is computed: short runs from as many
/// places are more than a processor foresees.
SWARM_INLINE void prefetch(const std::uint8_t* const* inputs, std::size_t models, std::size_t begin,
                           std::size_t end) {
  for (std::size_t k = 0; k < models; ++k)
    for (auto at = begin; at < end; at += 64)
      __builtin_prefetch(inputs[k] + at);
}

template <class T>
SWARM_INLINE T get(const std::uint8_t* from, std::size_t i) {
  T out;
  std::memcpy(&out, from + i * sizeof(T), sizeof(T));
  return out;
}

} // namespace swarm::merge::detail
