#include "transport/ml_channel/wire.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::ml {

namespace {

/// The largest body of a message without weights. The bound is generous, since only texts vary.
constexpr std::uint64_t small_body_max = 1u << 20;

constexpr std::array<std::string_view, 11> names{"",
                                                 "Status",
                                                 "OpenSessionRequest",
                                                 "OpenSessionResponse",
                                                 "CloseSessionRequest",
                                                 "CloseSessionResponse",
                                                 "SyncRequest",
                                                 "SyncResponse",
                                                 "GetLossRequest",
                                                 "GetLossResponse",
                                                 "KillSessionRequest"};

// The frame is a protobuf message of nested fixed32 fields that are never zero, so its shape never changes:
// the tags are at these places, and each number follows its tag.
constexpr std::array<std::pair<std::size_t, std::uint8_t>, 6> tags{
    {{0, 0x0a}, {1, 0x0a}, {2, 0x0d}, {7, 0x15}, {12, 0x15}, {17, 0x1d}}};
constexpr std::size_t api_version_at = 3, min_version_at = 8, type_at = 13, size_at = 18;

std::uint32_t get_le32(bytes_view raw, std::size_t at) {
  return std::uint32_t{raw[at]} | std::uint32_t{raw[at + 1]} << 8 | std::uint32_t{raw[at + 2]} << 16
         | std::uint32_t{raw[at + 3]} << 24;
}

void put_le32(std::array<std::uint8_t, header_size>& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

bool carries_weights(msg_type type) {
  return type == msg_type::sync_request || type == msg_type::close_session_request
         || type == msg_type::get_loss_request;
}

} // namespace

std::string_view name_of(msg_type type) {
  const auto number = static_cast<std::uint32_t>(type);
  return number < names.size() ? names[number] : std::string_view{};
}

std::array<std::uint8_t, header_size> encode_header(const header& from) {
  std::array<std::uint8_t, header_size> out{};
  for (const auto& [at, tag] : tags)
    out[at] = tag;
  put_le32(out, api_version_at, api_version);
  put_le32(out, min_version_at, api_version); // as the client does
  put_le32(out, type_at, static_cast<std::uint32_t>(from.type));
  put_le32(out, size_at, from.size);
  return out;
}

result<header> decode_header(bytes_view raw, std::uint64_t size_max) {
  if (raw.size() != header_size)
    return fail(wire_errc::bad_header, "a frame header of {} bytes; it has {}", raw.size(), header_size);
  for (const auto& [at, tag] : tags) {
    if (raw[at] != tag)
      return fail(
          wire_errc::bad_header,
          "the program sent no frame header but {}; use a swarmlearning client of protocol version {}",
          to_hex(raw, false), api_version);
  }
  const auto version = get_le32(raw, api_version_at), min_version = get_le32(raw, min_version_at);
  if (version != api_version || min_version > api_version)
    return fail(wire_errc::wrong_api_version,
                "the program speaks version {} of the channel to the SL (at least {}), this SL speaks "
                "version {}; install "
                "the swarmlearning package that comes with swarmd, or the wheel 2.1 or 2.2",
                version, min_version, api_version);
  const auto type = get_le32(raw, type_at);
  if (type == 0 || type >= names.size())
    return fail(wire_errc::unknown_type, "the program sent a message of the unknown type {}", type);
  const header out{static_cast<msg_type>(type), get_le32(raw, size_at)};
  if (out.size == 0)
    return fail(wire_errc::empty_body, "the program sent a {} without a body", name_of(out.type));
  const auto limit = carries_weights(out.type) ? size_max : std::min(size_max, small_body_max);
  if (out.size > limit)
    return fail(wire_errc::oversize, "the program announced a {} of {} bytes; at most {} are allowed",
                name_of(out.type), out.size, limit);
  return out;
}

} // namespace swarm::ml
