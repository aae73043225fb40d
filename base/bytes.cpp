#include "base/bytes.hpp"

namespace swarm {

namespace {

/// By character; -1 for what is no digit.
constexpr auto hex_digits = [] {
  std::array<std::int8_t, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < 16; ++i) {
    out[static_cast<std::uint8_t>("0123456789abcdef"[i])] = static_cast<std::int8_t>(i);
    out[static_cast<std::uint8_t>("0123456789ABCDEF"[i])] = static_cast<std::int8_t>(i);
  }
  return out;
}();

int hex_digit(char c) {
  return hex_digits[static_cast<std::uint8_t>(c)];
}

} // namespace

std::string to_hex(bytes_view raw, bool prefix) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = prefix ? "0x" : "";
  auto at = out.size();
  out.resize(at + raw.size() * 2);
  for (auto byte : raw) {
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 15];
  }
  return out;
}

result<bytes> from_hex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return fail(errc::invalid, "odd number of hexadecimal digits ({})", text.size());
  bytes out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return fail(errc::invalid, "not a hexadecimal digit at position {}", 2 * i);
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return out;
}

} // namespace swarm
