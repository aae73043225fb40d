#pragma once

#include "base/bytes.hpp"
#include "base/u256.hpp"

#include <optional>
#include <vector>

namespace swarm::ledger {

/// What a strict RLP decoder refuses (Yellow Paper appendix B, in the one canonical form), one code per rule.
enum class rlp_errc {
  truncated = 1,        ///< the input ends inside an item
  trailing_bytes,       ///< bytes follow the item that should be the whole input
  wrapped_byte,         ///< a single byte below 0x80 behind a length prefix (81xx)
  long_form,            ///< long form for a payload of up to 55 bytes
  length_leading_zero,  ///< a length that starts with a zero byte
  too_large,            ///< a length over the caller's or the format's limit
  too_deep,             ///< lists nested deeper than `rlp_depth_max`
  expected_list,        ///< a string where a list must stand
  expected_string,      ///< a list where a string must stand
  integer_leading_zero, ///< an integer with a leading zero byte (0 is the empty string)
  integer_too_wide,     ///< an integer that does not fit its field
  wrong_width,          ///< a fixed-width field of another width
  missing_item,         ///< a list with fewer items than its format
  extra_item,           ///< a list with more items than its format
};

constexpr std::string_view error_category(rlp_errc) {
  return "rlp";
}

/// Nothing on this chain nests deeper. The bound guards against input that is made to exhaust the stack.
inline constexpr std::size_t rlp_depth_max = 32;
/// Largest input any RLP decoder here looks at, in bytes.
inline constexpr std::size_t rlp_size_max = 32 * 1024 * 1024;

/// Builds one RLP encoding (or several, one after the other) from front to back:
/// `rlp_writer w; w.begin_list().number(1).string(text).end_list(); auto raw = w.take();`
class rlp_writer {
public:
  explicit rlp_writer(std::size_t reserve = 0) { out_.reserve(reserve); }

  rlp_writer& begin_list();
  rlp_writer& end_list();
  /// A byte string as it is, of any length, leading zeros kept: data, hashes, addresses, blooms.
  rlp_writer& string(bytes_view raw);
  /// An integer: big-endian without leading zeros, zero as the empty string.
  rlp_writer& number(std::uint64_t value);
  rlp_writer& number(const u256& value);
  /// 20 bytes, or the empty string for none: `to` of a transaction.
  rlp_writer& address_or_none(const std::optional<address>& who);
  /// An item that is encoded already.
  rlp_writer& encoded(bytes_view item);

  /// What was written, which must have every list closed; the writer starts anew.
  bytes take();

private:
  bytes out_;
  std::vector<std::size_t> open_lists_; ///< where the payload of each open list starts in `out_`
};

/// One string or number as a complete encoding.
bytes rlp_string(bytes_view raw);
bytes rlp_number(std::uint64_t value);

/// One item of an encoding, as views into it.
struct rlp_item {
  bytes_view encoded; ///< with its length prefix
  bytes_view payload; ///< without its length prefix
  bool is_list = false;
};

/// Takes the first item off `rest`. Checks its prefix, not what is inside a list. `what` names it in errors.
result<rlp_item> rlp_split(bytes_view& rest, std::string_view what);
/// The item that is the whole of `input`; `size_max` bounds the input in bytes.
result<rlp_item> rlp_decode(bytes_view input, std::string_view what, std::size_t size_max = rlp_size_max);
/// Checks `input` down to its leaves: one item, canonical throughout, not nested deeper than `rlp_depth_max`.
result<> rlp_check(bytes_view input);

/// The content of a string item as an integer; errors name `what`.
result<std::uint64_t> rlp_to_u64(const rlp_item& item, std::string_view what);
result<u256> rlp_to_u256(const rlp_item& item, std::string_view what);

/// Reads the items of one list in order, without copying. Every call names the field for the error message.
/// After an error the reader is of no further use.
class rlp_reader {
public:
  /// The list that is the whole of `input`. `what` names the list in errors; it must be a literal, as only a
  /// reference is kept.
  static result<rlp_reader> open(bytes_view input, std::string_view what,
                                 std::size_t size_max = rlp_size_max);
  /// The items of `list`, which must be one.
  static result<rlp_reader> open(const rlp_item& list, std::string_view what);

  bool at_end() const { return rest_.empty(); }
  /// Fails with `extra_item` unless every item was read.
  result<> finish() const;

  result<rlp_item> next(std::string_view field);
  /// A string of at most `size_max` bytes.
  result<bytes_view> string(std::string_view field, std::size_t size_max = rlp_size_max);
  result<std::uint64_t> number(std::string_view field);
  result<u256> number256(std::string_view field);
  template <std::size_t N>
  result<fixed_bytes<N>> fixed(std::string_view field) {
    fixed_bytes<N> out;
    SWARM_CHECK(fixed_into(out, field));
    return out;
  }
  /// 20 bytes, or none for the empty string.
  result<std::optional<address>> address_or_none(std::string_view field);
  /// A list inside this one.
  result<rlp_reader> list(std::string_view field);

private:
  rlp_reader(bytes_view payload, std::string_view what, std::size_t depth)
      : rest_(payload), what_(what), depth_(depth) {}
  result<> fixed_into(std::span<std::uint8_t> out, std::string_view field);

  bytes_view rest_;
  std::string_view what_;
  std::size_t depth_ = 1;
};

} // namespace swarm::ledger
