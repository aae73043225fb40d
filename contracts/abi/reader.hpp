#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::contracts::abi {

/// What is wrong with encoded data. Source: Solidity ABI specification, "Formal Specification of the
/// Encoding" and "Strict Encoding Mode": offsets are as small as possible, without gaps, overlaps or bytes
/// left over. Contracts accept only that one encoding, so that equal calls have equal bytes on every node.
enum class rule {
  truncated = 1,    ///< data ends before a word or the bytes of a string
  trailing_bytes,   ///< data goes on after the last value
  bad_offset,       ///< an offset that is not exactly the next free place
  too_long,         ///< a length that the rest of the data cannot hold
  out_of_range,     ///< a number outside its type, a bool above 1, an unknown value of an enumeration
  dirty_padding,    ///< bytes after a string's end are not zero
  bad_utf8,         ///< a string that is not UTF-8
  unknown_function, ///< no function has this selector
  wrong_event       ///< topics are not those of the event
};
constexpr std::string_view error_category(rule) {
  return "abi";
}

inline constexpr std::size_t word_size = 32;

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
bool is_utf8(bytes_view raw);

/// Reads words and strings front to back. After the first broken rule every call fails; `failure()` tells
/// which value it was.
class reader {
public:
  explicit reader(bytes_view data) : data_(data) {}

  /// The position after everything taken so far: where the next dynamic value has to be.
  std::size_t cursor() const { return cursor_; }
  std::size_t remaining() const { return data_.size() - cursor_; }

  /// Takes `size` bytes; they can then be read with `word_at`.
  bool take(std::size_t size);
  /// The word at `position`, which lies within bytes taken before.
  const std::uint8_t* word_at(std::size_t position) const { return data_.data() + position; }

  /// A word that holds a length or an offset; false when it does not fit 63 bits.
  bool length_at(std::size_t position, std::size_t& out);
  /// Takes a string: length word, bytes, zero padding.
  bool take_string(std::string& out);
  bool take_bytes(bytes& out);
  /// Fails unless everything was taken.
  bool finish();

  bool fail_with_rule(rule broken, std::string text);
  /// Called when decoding an item failed: its number in the enclosing tuple or array, from 1.
  void note_item(std::size_t number) { items_.push_back(number); }
  /// The first broken rule, with the way to the value ("item 3.2: ..."). Only after a failure.
  error failure() const;

private:
  bool take_raw(std::string_view what, bytes_view& out);

  bytes_view data_;
  std::size_t cursor_ = 0;
  std::optional<error> failure_;
  std::vector<std::size_t> items_;
};

} // namespace swarm::contracts::abi
