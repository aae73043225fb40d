#include "contracts/abi/reader.hpp"

#include <algorithm>
#include <ranges>

namespace swarm::contracts::abi {

namespace {

/// Length of the UTF-8 sequence at the front of `raw`, 0 when there is none. RFC 3629 section 4.
std::size_t utf8_sequence(bytes_view raw) {
  const auto lead = raw[0];
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || raw.size() < size) return 0;
  const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (raw[1] < low || raw[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((raw[i] & 0xc0) != 0x80) return 0;
  return size;
}

} // namespace

bool is_utf8(bytes_view raw) {
  while (!raw.empty()) {
    const auto size = utf8_sequence(raw);
    if (size == 0) return false;
    raw = raw.subspan(size);
  }
  return true;
}

bool reader::take(std::size_t size) {
  if (failure_) return false;
  if (size > remaining())
    return fail_with_rule(rule::truncated, fmt::format("{} bytes expected, {} left", size, remaining()));
  cursor_ += size;
  return true;
}

bool reader::length_at(std::size_t position, std::size_t& out) {
  const auto* word = word_at(position);
  const bool fits = std::all_of(word, word + 24, [](auto b) { return b == 0; }) && word[24] < 0x80;
  if (!fits) return fail_with_rule(rule::too_long, "a length or offset of more than 63 bits");
  out = static_cast<std::size_t>(get_be64(word + 24));
  return true;
}

bool reader::take_raw(std::string_view what, bytes_view& out) {
  const auto start = cursor_;
  std::size_t length = 0;
  if (!take(word_size) || !length_at(start, length)) return false;
  if (length > remaining())
    return fail_with_rule(rule::too_long,
                          fmt::format("{} of {} bytes where {} are left", what, length, remaining()));
  const auto padded = (length + word_size - 1) / word_size * word_size;
  out = data_.subspan(cursor_, length);
  if (!take(padded)) return false;
  const auto padding = data_.subspan(start + word_size + length, padded - length);
  if (std::any_of(padding.begin(), padding.end(), [](auto b) { return b != 0; }))
    return fail_with_rule(rule::dirty_padding, fmt::format("bytes after the end of {} are not zero", what));
  return true;
}

bool reader::take_string(std::string& out) {
  bytes_view text;
  if (!take_raw("a string", text)) return false;
  if (!is_utf8(text)) return fail_with_rule(rule::bad_utf8, "a string is not UTF-8");
  out.assign(as_text(text));
  return true;
}

bool reader::take_bytes(bytes& out) {
  bytes_view raw;
  if (!take_raw("bytes", raw)) return false;
  out.assign(raw.begin(), raw.end());
  return true;
}

bool reader::finish() {
  if (failure_) return false;
  if (remaining() != 0)
    return fail_with_rule(rule::trailing_bytes, fmt::format("{} bytes after the last value", remaining()));
  return true;
}

bool reader::fail_with_rule(rule broken, std::string text) {
  if (!failure_) failure_ = make_error(broken, std::move(text));
  return false;
}

error reader::failure() const {
  auto out = failure_.value_or(error{});
  if (items_.empty()) return out;
  std::string path;
  for (unsigned long item : std::ranges::reverse_view(items_))
    path += fmt::format("{}{}", path.empty() ? "" : ".", item);
  out.message = error_text(fmt::format("item {}: {}", path, out.message));
  return out;
}

} // namespace swarm::contracts::abi
