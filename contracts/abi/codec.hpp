#pragma once

#include "base/u256.hpp"
#include "contracts/abi/members.hpp"
#include "contracts/abi/reader.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>

namespace swarm::contracts::abi {

/// Type name, size and coding of one C++ type. A static type has `words`, `put` and `get`, a dynamic one
/// `append` and `take`; `min_words` is the size of its shortest encoding. Decoding nests only as deep as the
/// C++ type, whatever the data says.
template <class T>
struct codec;

/// Appends a length as one word.
void append_length(bytes& out, std::size_t length);
/// Appends `raw` and zeros up to a whole word.
void append_padded(bytes& out, bytes_view raw);
/// Adds one more name to a list with commas.
void append_type(std::string& list, const std::string& name);

/// The words that T takes in the head of its tuple or array.
template <class T>
constexpr std::size_t head_words() {
  if constexpr (codec<T>::dynamic)
    return 1;
  else
    return codec<T>::words;
}
/// The words that T takes at least, head and tail together.
template <class T>
constexpr std::size_t total_min_words() {
  if constexpr (codec<T>::dynamic)
    return 1 + codec<T>::min_words;
  else
    return codec<T>::words;
}

/// Writes a tuple's or array's head and, behind it, the tails.
class body_writer {
public:
  body_writer(bytes& out, std::size_t words) : out_(out), start_(out.size()), head_(start_) {
    out.resize(start_ + words * word_size);
  }
  template <class T>
  void add(const T& value) {
    if constexpr (codec<T>::dynamic) {
      put_be64(out_.data() + head_ + word_size - 8, out_.size() - start_);
      head_ += word_size;
      codec<T>::append(out_, value);
    } else {
      codec<T>::put(out_.data() + head_, value);
      head_ += codec<T>::words * word_size;
    }
  }

private:
  bytes& out_;
  std::size_t start_;
  std::size_t head_;
};

/// Reads what `body_writer` wrote and nothing else: each tail has to follow the one before it.
class body_reader {
public:
  /// A body that starts at `start`, where the cursor must be: takes the `words` of its head.
  body_reader(reader& in, std::size_t start, std::size_t words) : in_(in), start_(start), head_(start) {
    ok_ = in.take(words * word_size);
  }
  /// A static tuple or array inside a head that was taken before.
  body_reader(reader& in, std::size_t start) : in_(in), start_(start), head_(start) {}

  template <class T>
  bool add(T& value) {
    ++item_;
    ok_ = ok_ && read(value);
    if (!ok_ && !noted_) {
      in_.note_item(item_);
      noted_ = true;
    }
    return ok_;
  }
  bool ok() const { return ok_; }

private:
  template <class T>
  bool read(T& value) {
    const auto at = head_;
    head_ += head_words<T>() * word_size;
    if constexpr (codec<T>::dynamic) {
      std::size_t offset = 0;
      if (!in_.length_at(at, offset)) return false;
      const auto expected = in_.cursor() - start_;
      if (offset != expected)
        return in_.fail_with_rule(rule::bad_offset,
                                  fmt::format("offset {}, canonical encoding has {}", offset, expected));
      return codec<T>::take(in_, value);
    } else {
      return codec<T>::get(in_, at, value);
    }
  }

  reader& in_;
  std::size_t start_;
  std::size_t head_;
  std::size_t item_ = 0;
  bool ok_ = true;
  bool noted_ = false;
};

template <class T>
concept number = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

template <number T>
struct codec<T> {
  static constexpr bool dynamic = false;
  static constexpr std::size_t words = 1;
  static std::string type_name() {
    return fmt::format("{}int{}", std::is_signed_v<T> ? "" : "u", sizeof(T) * 8);
  }
  static void put(std::uint8_t* to, T value) {
    if constexpr (std::is_signed_v<T>)
      if (value < 0) std::fill_n(to, word_size, std::uint8_t{0xff});
    put_be64(to + word_size - 8, static_cast<std::uint64_t>(value));
  }
  static bool get(reader& in, std::size_t at, T& value) {
    const auto* word = in.word_at(at);
    value = static_cast<T>(get_be64(word + word_size - 8));
    std::array<std::uint8_t, word_size> clean{};
    put(clean.data(), value);
    if (std::equal(clean.begin(), clean.end(), word)) return true;
    return in.fail_with_rule(rule::out_of_range, "a number that does not fit " + type_name());
  }
};

template <>
struct codec<bool> {
  static constexpr bool dynamic = false;
  static constexpr std::size_t words = 1;
  static std::string type_name() { return "bool"; }
  static void put(std::uint8_t* to, bool value) { to[word_size - 1] = value ? 1 : 0; }
  static bool get(reader& in, std::size_t at, bool& value) {
    std::uint8_t raw = 0;
    if (!codec<std::uint8_t>::get(in, at, raw)) return false;
    if (raw > 1) return in.fail_with_rule(rule::out_of_range, fmt::format("bool {}, expected 0 or 1", raw));
    value = raw == 1;
    return true;
  }
};

template <class T>
requires std::is_enum_v<T>
struct codec<T> {
  static constexpr bool dynamic = false;
  static constexpr std::size_t words = 1;
  static std::string type_name() { return "uint8"; }
  static void put(std::uint8_t* to, T value) { to[word_size - 1] = static_cast<std::uint8_t>(value); }
  static bool get(reader& in, std::size_t at, T& value) {
    static_assert(sizeof(T) == 1);
    constexpr auto last = static_cast<unsigned>(last_value(T{}));
    std::uint8_t raw = 0;
    if (!codec<std::uint8_t>::get(in, at, raw)) return false;
    if (raw > last)
      return in.fail_with_rule(rule::out_of_range, fmt::format("value {}, expected 0 to {}", raw, last));
    value = static_cast<T>(raw);
    return true;
  }
};

/// `uint256` and `bytes32` fill their word, an address is padded on the left.
template <class T, std::size_t Size>
struct word_codec {
  static constexpr bool dynamic = false;
  static constexpr std::size_t words = 1;
  static void put(std::uint8_t* to, const T& value) {
    std::copy(value.begin(), value.end(), to + word_size - Size);
  }
  static bool get(reader& in, std::size_t at, T& value) {
    const auto* word = in.word_at(at);
    if (std::any_of(word, word + word_size - Size, [](auto b) { return b != 0; }))
      return in.fail_with_rule(rule::out_of_range, fmt::format("a value of more than {} bytes", Size));
    std::copy(word + word_size - Size, word + word_size, value.begin());
    return true;
  }
};
template <>
struct codec<hash32> : word_codec<hash32, 32> {
  static std::string type_name() { return "bytes32"; }
};
template <>
struct codec<u256> : word_codec<u256, 32> {
  static std::string type_name() { return "uint256"; }
};
template <>
struct codec<address> : word_codec<address, 20> {
  static std::string type_name() { return "address"; }
};

template <>
struct codec<std::string> {
  static constexpr bool dynamic = true;
  static constexpr std::size_t min_words = 1;
  static std::string type_name() { return "string"; }
  static void append(bytes& out, const std::string& value) {
    append_length(out, value.size());
    append_padded(out, as_bytes(value));
  }
  static bool take(reader& in, std::string& value) { return in.take_string(value); }
};

template <>
struct codec<bytes> {
  static constexpr bool dynamic = true;
  static constexpr std::size_t min_words = 1;
  static std::string type_name() { return "bytes"; }
  static void append(bytes& out, const bytes& value) {
    append_length(out, value.size());
    append_padded(out, value);
  }
  static bool take(reader& in, bytes& value) { return in.take_bytes(value); }
};

template <class T>
struct codec<std::vector<T>> {
  static constexpr bool dynamic = true;
  static constexpr std::size_t min_words = 1;
  static std::string type_name() { return codec<T>::type_name() + "[]"; }
  static void append(bytes& out, const std::vector<T>& values) {
    append_length(out, values.size());
    body_writer body(out, values.size() * head_words<T>());
    for (const auto& value : values)
      body.add(value);
  }
  static bool take(reader& in, std::vector<T>& values) {
    const auto at = in.cursor();
    std::size_t count = 0;
    if (!in.take(word_size) || !in.length_at(at, count)) return false;
    if (count > in.remaining() / (total_min_words<T>() * word_size))
      return in.fail_with_rule(
          rule::too_long, fmt::format("an array of {} items where {} bytes are left", count, in.remaining()));
    values.assign(count, T{});
    body_reader body(in, in.cursor(), count * head_words<T>());
    for (auto& value : values)
      if (!body.add(value)) return false;
    return body.ok();
  }
};

/// `T[N]`: static when its items are.
template <class T, std::size_t N>
struct codec<std::array<T, N>> {
  static_assert(N > 0);
  static constexpr bool dynamic = codec<T>::dynamic;
  static constexpr std::size_t words = N * head_words<T>();
  static constexpr std::size_t min_words = N * total_min_words<T>();
  static std::string type_name() { return fmt::format("{}[{}]", codec<T>::type_name(), N); }
  static void append(bytes& out, const std::array<T, N>& values) {
    body_writer body(out, words);
    for (const auto& value : values)
      body.add(value);
  }
  static bool take(reader& in, std::array<T, N>& values) {
    body_reader body(in, in.cursor(), words);
    for (auto& value : values)
      if (!body.add(value)) return false;
    return true;
  }
  static void put(std::uint8_t* to, const std::array<T, N>& values) {
    for (const auto& value : values) {
      codec<T>::put(to, value);
      to += codec<T>::words * word_size;
    }
  }
  static bool get(reader& in, std::size_t at, std::array<T, N>& values) {
    body_reader body(in, at);
    for (auto& value : values)
      if (!body.add(value)) return false;
    return true;
  }
};

/// Properties of a struct that follow from the types of its members.
template <class Types>
struct parts;
template <class... Type>
struct parts<type_list<Type...>> {
  static constexpr bool dynamic = (false || ... || codec<Type>::dynamic);
  static constexpr std::size_t words = (std::size_t{0} + ... + head_words<Type>());
  static constexpr std::size_t min_words = (std::size_t{0} + ... + total_min_words<Type>());
  static std::string type_names() {
    std::string out;
    (append_type(out, codec<Type>::type_name()), ...);
    return out;
  }
};
template <class T>
using parts_of = parts<member_types<T>>;

/// Writes the members of `value` as one tuple body at the end of `out`.
template <class T>
void append_members(bytes& out, const T& value) {
  body_writer body(out, parts_of<T>::words);
  with_members(value, [&body](const auto&... member) { (body.add(member), ...); });
}
template <class T>
bool read_members(body_reader& body, T& value) {
  with_members(value, [&body](auto&... member) { static_cast<void>((true && ... && body.add(member))); });
  return body.ok();
}

/// A struct is the tuple of its members.
template <plain_struct T>
struct codec<T> {
  static constexpr bool dynamic = parts_of<T>::dynamic;
  static constexpr std::size_t words = parts_of<T>::words;
  static constexpr std::size_t min_words = parts_of<T>::min_words;
  static_assert(words > 0, "an empty tuple would let an array claim any length");
  static std::string type_name() { return fmt::format("({})", parts_of<T>::type_names()); }
  static void append(bytes& out, const T& value) { append_members(out, value); }
  static bool take(reader& in, T& value) {
    body_reader body(in, in.cursor(), words);
    return read_members(body, value);
  }
  static void put(std::uint8_t* to, const T& value) {
    const auto put_one = [&to]<class Type>(const Type& part) {
      codec<Type>::put(to, part);
      to += codec<Type>::words * word_size;
    };
    with_members(value, [&put_one](const auto&... member) { (put_one(member), ...); });
  }
  static bool get(reader& in, std::size_t at, T& value) {
    body_reader body(in, at);
    return read_members(body, value);
  }
};

} // namespace swarm::contracts::abi
