#pragma once

#include "base/bytes.hpp"
#include "transport/ml_channel/wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// The part of the protobuf wire format that the channel's messages need. Reading gives views and copies no
/// data. Source: the encoding chapter of the Protocol Buffers documentation.
namespace swarm::ml::proto {

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field as read; `value` for numbers, `data` for the rest.
struct field {
  std::string_view message; ///< for error texts
  std::uint32_t number = 0;
  wire_type type = wire_type::varint;
  std::uint64_t value = 0;
  bytes_view data;

  // Each of these fails, naming the message and the field, when the wire type or the value does not fit.
  result<std::int32_t> as_int32(std::string_view name) const;
  result<std::uint64_t> as_uint64(std::string_view name) const;
  result<bool> as_bool(std::string_view name) const;
  result<float> as_float(std::string_view name) const;
  result<bytes_view> as_bytes(std::string_view name) const;
  /// UTF-8 of at most `size_max` bytes.
  result<std::string_view> as_text(std::string_view name, std::size_t size_max) const;
  tl::unexpected<error> refused(wire_errc code, std::string_view name, std::string_view why) const;
};

/// Reads the fields of one message in their order.
class reader {
public:
  /// `message` is a literal; `repeated` has bit n set where field n may come more than once.
  reader(std::string_view message, bytes_view body, std::uint64_t repeated = 0)
      : message_(message), body_(body), repeated_(repeated) {}

  bool done() const { return at_ == body_.size(); }
  /// The next field; may be called only while not `done`.
  result<field> next();

private:
  result<std::uint64_t> varint();
  result<bytes_view> take(std::uint64_t count);
  tl::unexpected<error> malformed(std::string_view why) const;

  std::string_view message_;
  bytes_view body_;
  std::uint64_t repeated_;
  std::uint64_t seen_ = 0;
  std::size_t at_ = 0;
};

/// Reads a varint of `raw` at `at`, which advances; fails when it is cut short or longer than ten bytes.
result<std::uint64_t> read_varint(bytes_view raw, std::size_t& at);

// These functions leave out zeros and empty texts, as proto3 does.
std::size_t varint_size(std::uint64_t value);
void put_varint(bytes& out, std::uint64_t value);
void put_tag(bytes& out, std::uint32_t number, wire_type type);
void put_int32(bytes& out, std::uint32_t number, std::int32_t value);
void put_uint64(bytes& out, std::uint32_t number, std::uint64_t value);
void put_bool(bytes& out, std::uint32_t number, bool value);
void put_float(bytes& out, std::uint32_t number, float value);
void put_text(bytes& out, std::uint32_t number, std::string_view text);
/// Writes the message even when it is empty.
void put_message(bytes& out, std::uint32_t number, bytes_view message);

} // namespace swarm::ml::proto
