#include "transport/ml_channel/wire.hpp"

#include "transport/ml_channel/proto.hpp"
#include "transport/ml_channel/schema.hpp"
#include "transport/ml_channel/weights_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace swarm::ml {

using proto::field;
using proto::reader;

namespace {

/// The first `size_max` bytes, or a few less so that no character is split.
std::string_view cut(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  while (size_max > 0 && (static_cast<std::uint8_t>(text[size_max]) & 0xc0) == 0x80)
    --size_max;
  return text.substr(0, size_max);
}

// There is one `put` and one `read` for each kind of field; the schemas say which fields there are.

void put(bytes& out, std::uint32_t number, std::int32_t value) {
  proto::put_int32(out, number, value);
}
void put(bytes& out, std::uint32_t number, std::uint64_t value) {
  proto::put_uint64(out, number, value);
}
void put(bytes& out, std::uint32_t number, bool value) {
  proto::put_bool(out, number, value);
}
void put(bytes& out, std::uint32_t number, float value) {
  proto::put_float(out, number, value);
}
void put(bytes& out, std::uint32_t number, const std::string& text) {
  proto::put_text(out, number, text);
}
void put(bytes& out, std::uint32_t number, const weights_view& weights) {
  put_weights(out, number, weights);
}
void put_status_fields(bytes& out, const status& from) {
  proto::put_int32(out, 1, static_cast<std::int32_t>(from.code));
  proto::put_text(out, 2, cut(from.msg, text_size_max));
  proto::put_bool(out, notice_field, from.notice);
}
void put(bytes& out, std::uint32_t number, const status& from) {
  bytes inner;
  put_status_fields(inner, from);
  if (!inner.empty()) proto::put_message(out, number, inner);
}
void put(bytes& out, std::uint32_t number, const std::optional<memory_place>& place) {
  if (place) proto::put_message(out, number, encode(*place));
}

result<> read(const field& from, std::string_view name, std::size_t, std::int32_t& to) {
  SWARM_TRY(to, from.as_int32(name));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, std::uint64_t& to) {
  SWARM_TRY(to, from.as_uint64(name));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, bool& to) {
  SWARM_TRY(to, from.as_bool(name));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, float& to) {
  SWARM_TRY(to, from.as_float(name));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t size_max, std::string& to) {
  SWARM_TRY(to, from.as_text(name, size_max));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, status& to) {
  SWARM_TRY(const auto body, from.as_bytes(name));
  SWARM_TRY(to, decode_status(body));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, weights_view& to) {
  SWARM_TRY(const auto body, from.as_bytes(name));
  auto weights = decode_weights(body);
  if ((!weights || weights->empty()) && is_file_name(body)) // some names look like fields of a newer client
    return fail(
        wire_errc::client_2_3,
        "the program uses the swarmlearning client 2.3, which passes weights as pickle files ('{}'); files "
        "that "
        "can carry code are not read. Install the swarmlearning package that comes with swarmd, or the wheel "
        "2.1 or 2.2",
        cut(as_text(body), 100));
  SWARM_TRY(to, std::move(weights));
  return {};
}
result<> read(const field& from, std::string_view name, std::size_t, std::optional<memory_place>& to) {
  if (to) return from.refused(wire_errc::malformed, name, "it comes twice");
  SWARM_TRY(const auto body, from.as_bytes(name));
  SWARM_TRY(to, decode_memory_place(body));
  return {};
}

/// Adds a field to an empty body, since the client cannot read an empty one.
bytes never_empty(bytes body, proto::wire_type first_field) {
  if (body.empty()) {
    proto::put_tag(body, 1, first_field);
    body.push_back(0);
  }
  return body;
}

template <class Message>
bytes encode_fields(const Message& from) {
  using first_value = std::remove_cvref_t<decltype(from.*(std::get<0>(schema<Message>::fields).at))>;
  bytes out;
  std::apply([&](const auto&... each) { (put(out, each.number, from.*each.at), ...); },
             schema<Message>::fields);
  constexpr bool is_number = std::is_same_v<first_value, std::int32_t>;
  return never_empty(std::move(out), is_number ? proto::wire_type::varint : proto::wire_type::bytes);
}

template <class Message>
result<Message> decode_fields(bytes_view body) {
  Message out;
  for (reader in(schema<Message>::name, body); !in.done();) {
    SWARM_TRY(const auto next, in.next());
    result<> done; // a field of a newer client is ignored
    const auto try_member = [&](const auto& each) {
      if (each.number == next.number) done = read(next, each.name, each.size_max, out.*each.at);
    };
    std::apply([&](const auto&... each) { (try_member(each), ...); }, schema<Message>::fields);
    SWARM_CHECK(std::move(done));
  }
  return out;
}

} // namespace

bytes encode(const status& from) {
  bytes out;
  put_status_fields(out, from);
  return never_empty(std::move(out), proto::wire_type::varint);
}

result<status> decode_status(bytes_view body) {
  status out;
  for (reader in("Status", body); !in.done();) {
    SWARM_TRY(const auto next, in.next());
    if (next.number == 1) {
      SWARM_TRY(const auto code, next.as_int32("code"));
      out.code = code >= 0 && code <= 3 ? static_cast<status_code>(code) : status_code::error_others;
    } else if (next.number == 2) {
      SWARM_TRY(const auto text, next.as_text("msg", std::numeric_limits<std::size_t>::max()));
      out.msg = cut(text, text_size_max);
    } else if (next.number == notice_field) {
      SWARM_TRY(out.notice, next.as_bool("notice"));
    }
  }
  return out;
}

bytes encode(const memory_place& from) {
  return encode_fields(from);
}
bytes encode(const session_request& from) {
  return encode_fields(from);
}
bytes encode(const session_response& from) {
  return encode_fields(from);
}
bytes encode(const sync_request& from) {
  return encode_fields(from);
}
bytes encode(const sync_response& from) {
  return encode_fields(from);
}
bytes encode(const loss_request& from) {
  return encode_fields(from);
}
bytes encode(const loss_response& from) {
  return encode_fields(from);
}
bytes encode(const kill_session_request& from) {
  return encode_fields(from);
}

result<memory_place> decode_memory_place(bytes_view body) {
  return decode_fields<memory_place>(body);
}
result<session_request> decode_session_request(bytes_view body) {
  return decode_fields<session_request>(body);
}
result<session_response> decode_session_response(bytes_view body) {
  return decode_fields<session_response>(body);
}
result<sync_request> decode_sync_request(bytes_view body) {
  return decode_fields<sync_request>(body);
}
result<sync_response> decode_sync_response(bytes_view body) {
  return decode_fields<sync_response>(body);
}
result<loss_request> decode_loss_request(bytes_view body) {
  return decode_fields<loss_request>(body);
}
result<loss_response> decode_loss_response(bytes_view body) {
  return decode_fields<loss_response>(body);
}
result<kill_session_request> decode_kill_session_request(bytes_view body) {
  return decode_fields<kill_session_request>(body);
}

outgoing make_outgoing(msg_type type, bytes body) {
  outgoing out;
  out.type = type;
  out.size = body.size();
  auto owned = std::make_shared<const bytes>(std::move(body));
  out.pieces.emplace_back(*owned);
  out.keep_alive.push_back(std::move(owned));
  return out;
}
outgoing make_outgoing(const status& from) {
  return make_outgoing(msg_type::status, encode(from));
}
outgoing make_outgoing(const session_response& from) {
  return make_outgoing(msg_type::open_session_response, encode(from));
}
outgoing make_outgoing(msg_type type, const sync_response& from) {
  return make_outgoing(type, encode(from));
}

} // namespace swarm::ml
