#include "transport/ml_channel/proto.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>

namespace swarm::ml::proto {

tl::unexpected<error> field::refused(wire_errc code, std::string_view name, std::string_view why) const {
  return fail(code, "{}.{}: {}", message, name, why);
}

result<std::int32_t> field::as_int32(std::string_view name) const {
  if (type != wire_type::varint) return refused(wire_errc::malformed, name, "a number was expected");
  const auto number_value = static_cast<std::int64_t>(value);
  if (number_value < std::numeric_limits<std::int32_t>::min()
      || number_value > std::numeric_limits<std::int32_t>::max())
    return refused(wire_errc::malformed, name, "the number does not fit into 32 bits");
  return static_cast<std::int32_t>(number_value);
}

result<std::uint64_t> field::as_uint64(std::string_view name) const {
  if (type != wire_type::varint) return refused(wire_errc::malformed, name, "a number was expected");
  return value;
}

result<bool> field::as_bool(std::string_view name) const {
  if (type != wire_type::varint) return refused(wire_errc::malformed, name, "true or false was expected");
  return value != 0;
}

result<float> field::as_float(std::string_view name) const {
  if (type != wire_type::fixed32) return refused(wire_errc::malformed, name, "a 32-bit float was expected");
  return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

result<bytes_view> field::as_bytes(std::string_view name) const {
  if (type != wire_type::bytes)
    return refused(wire_errc::malformed, name, "a field with a length was expected");
  return data;
}

result<std::string_view> field::as_text(std::string_view name, std::size_t size_max) const {
  if (type != wire_type::bytes) return refused(wire_errc::malformed, name, "a text was expected");
  if (data.size() > size_max)
    return refused(wire_errc::limit, name,
                   fmt::format("{} bytes; at most {} are allowed", data.size(), size_max));
  if (!swarm::is_utf8(swarm::as_text(data)))
    return refused(wire_errc::malformed, name, "the text is not UTF-8");
  return swarm::as_text(data);
}

tl::unexpected<error> reader::malformed(std::string_view why) const {
  return fail(wire_errc::malformed, "{}, byte {}: {}", message_, at_, why);
}

result<std::uint64_t> read_varint(bytes_view raw, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at == raw.size()) return fail(wire_errc::malformed, "a number is cut short");
    const auto byte = raw[at++];
    if (shift == 63 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return fail(wire_errc::malformed, "a number is longer than 64 bits");
}

result<std::uint64_t> reader::varint() {
  auto value = read_varint(body_, at_);
  if (!value) return malformed(value.error().message);
  return value;
}

result<bytes_view> reader::take(std::uint64_t count) {
  if (count > body_.size() - at_)
    return malformed(fmt::format("{} bytes announced, but only {} are left", count, body_.size() - at_));
  const auto out = body_.subspan(at_, count);
  at_ += count;
  return out;
}

result<field> reader::next() {
  field out;
  out.message = message_;
  SWARM_TRY(const auto tag, varint());
  const auto number = tag >> 3;
  if (number == 0 || number >= std::uint64_t{1} << 29) return malformed("this is no field number");
  out.number = static_cast<std::uint32_t>(number);
  out.type = static_cast<wire_type>(tag & 7);
  switch (out.type) {
  case wire_type::varint: {
    SWARM_TRY(out.value, varint());
    break;
  }
  case wire_type::bytes: {
    SWARM_TRY(const auto count, varint());
    SWARM_TRY(out.data, take(count));
    break;
  }
  case wire_type::fixed32:
  case wire_type::fixed64: {
    SWARM_TRY(const auto raw, take(out.type == wire_type::fixed32 ? 4 : 8));
    for (std::size_t i = raw.size(); i-- > 0;)
      out.value = out.value << 8 | raw[i];
    break;
  }
  default:
    return malformed(fmt::format("field {} has the unknown wire type {}", number, tag & 7));
  }
  if (number < 64) {
    const auto bit = std::uint64_t{1} << number;
    if ((seen_ & bit & ~repeated_) != 0) return malformed(fmt::format("field {} comes twice", number));
    seen_ |= bit;
  }
  return out;
}

std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

void put_varint(bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put_tag(bytes& out, std::uint32_t number, wire_type type) {
  put_varint(out, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(type));
}

void put_int32(bytes& out, std::uint32_t number, std::int32_t value) {
  if (value == 0) return;
  put_tag(out, number, wire_type::varint);
  put_varint(out, static_cast<std::uint64_t>(std::int64_t{value}));
}

void put_uint64(bytes& out, std::uint32_t number, std::uint64_t value) {
  if (value == 0) return;
  put_tag(out, number, wire_type::varint);
  put_varint(out, value);
}

void put_bool(bytes& out, std::uint32_t number, bool value) {
  put_int32(out, number, value ? 1 : 0);
}

void put_float(bytes& out, std::uint32_t number, float value) {
  const auto raw = std::bit_cast<std::uint32_t>(value);
  if (raw == 0) return; // -0 is sent
  put_tag(out, number, wire_type::fixed32);
  for (unsigned shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<std::uint8_t>(raw >> shift));
}

void put_text(bytes& out, std::uint32_t number, std::string_view text) {
  if (!text.empty()) put_message(out, number, as_bytes(text));
}

void put_message(bytes& out, std::uint32_t number, bytes_view message) {
  put_tag(out, number, wire_type::bytes);
  put_varint(out, message.size());
  append(out, message);
}

} // namespace swarm::ml::proto
