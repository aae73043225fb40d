#include "transport/spiffe/workload_call.hpp"

#include "transport/errors.hpp"
#include "transport/spiffe/x509_svids.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace swarm::transport {

namespace {

constexpr std::size_t frame_header_bytes = 5; ///< of gRPC: whether compressed, and the length
constexpr std::size_t status_text_max = 256;
constexpr std::size_t output_bytes_max = 64 * 1024; ///< for an agent that does not read

/// What a message of the request is: nothing, in a frame of its own.
constexpr std::array<std::uint8_t, frame_header_bytes> empty_request{};

struct session_free {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

std::string_view name_of_status(int status) {
  constexpr std::array<std::string_view, 17> names{
      "OK",       "Cancelled",      "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "Exists",         "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return status >= 0 && static_cast<std::size_t>(status) < names.size()
             ? names.at(static_cast<std::size_t>(status))
             : "an unknown status";
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// grpc-message is percent-encoded. What nobody should see in a log is left out.
std::string status_text(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size() && out.size() < status_text_max; ++i) {
    auto c = raw[i];
    if (c == '%' && i + 2 < raw.size() && digit(raw[i + 1]) >= 0 && digit(raw[i + 2]) >= 0) {
      c = static_cast<char>(digit(raw[i + 1]) * 16 + digit(raw[i + 2]));
      i += 2;
    }
    if (c >= 0x20 && c < 0x7f) out += c;
  }
  return out;
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto raw = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {raw(name), raw(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

} // namespace

struct workload_call::impl {
  std::unique_ptr<nghttp2_session, session_free> session;
  std::int32_t stream = 0;
  std::size_t sent = 0;      ///< of the request's body
  bytes frame;               ///< gRPC frames that are not complete
  std::optional<bytes> news; ///< the newest message
  std::optional<error> broken;
  std::optional<error> end;
  // Of the answer's headers and trailers:
  std::string http_status;
  std::string grpc_status;
  std::string grpc_message;

  impl();

  static impl& self(void* user) { return *static_cast<impl*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user);
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size,
                     void* user);
  static int on_close(nghttp2_session*, std::int32_t, std::uint32_t code, void* user);
  static ssize_t give_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user);

  result<> take_frames();
  error how_it_ended(std::uint32_t code) const;
};

workload_call::impl::impl() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session* made = nullptr;
  nghttp2_session_client_new(&made, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  session.reset(made);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}};
  nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  const nghttp2_nv headers[] = {header(":method", "POST"),
                                header(":scheme", "http"),
                                header(":path", "/SpiffeWorkloadAPI/FetchX509SVID"),
                                header(":authority", "localhost"),
                                header("content-type", "application/grpc"),
                                header("te", "trailers"),
                                header("user-agent", "swarmd"),
                                header("workload.spiffe.io", "true")};
  const nghttp2_data_provider body{{0}, give_body};
  stream = nghttp2_submit_request(made, nullptr, headers, std::size(headers), &body, nullptr);
}

ssize_t workload_call::impl::give_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room,
                                       std::uint32_t* flags, nghttp2_data_source*, void* user) {
  auto& s = self(user);
  const auto count = std::min(room, empty_request.size() - s.sent);
  std::copy_n(empty_request.begin() + static_cast<std::ptrdiff_t>(s.sent), count, to);
  s.sent += count;
  if (s.sent == empty_request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

int workload_call::impl::on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                                   std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                                   std::uint8_t, void* user) {
  auto& s = self(user);
  const auto which = as_text({name, name_size});
  const auto what = as_text({value, std::min<std::size_t>(value_size, 4 * status_text_max)});
  if (which == ":status") s.http_status = what;
  if (which == "grpc-status") s.grpc_status = what;
  if (which == "grpc-message") s.grpc_message = what;
  return 0;
}

int workload_call::impl::on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
                                 std::size_t size, void* user) {
  auto& s = self(user);
  append(s.frame, {data, size});
  auto taken = s.take_frames();
  if (taken) return 0;
  s.broken = std::move(taken).error();
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int workload_call::impl::on_close(nghttp2_session*, std::int32_t, std::uint32_t code, void* user) {
  auto& s = self(user);
  s.end = s.how_it_ended(code);
  return 0;
}

/// Takes complete messages; of several the last one stays.
result<> workload_call::impl::take_frames() {
  std::size_t at = 0;
  while (frame.size() - at >= frame_header_bytes) {
    const auto* head = frame.data() + at;
    if (head[0] != 0) return fail(tls_errc::no_agent, "a compressed message, which nobody has asked for");
    const auto size = std::size_t{head[1]} << 24 | std::size_t{head[2]} << 16 | std::size_t{head[3]} << 8
                      | std::size_t{head[4]};
    if (size > svid_message_bytes_max)
      return fail(tls_errc::no_agent, "a message of {} bytes, more than {}", size, svid_message_bytes_max);
    if (frame.size() - at - frame_header_bytes < size) break;
    const auto body = bytes_view(frame).subspan(at + frame_header_bytes, size);
    news = to_bytes(body);
    at += frame_header_bytes + size;
  }
  frame.erase(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

error workload_call::impl::how_it_ended(std::uint32_t code) const {
  int status = -1;
  const auto* last = grpc_status.data() + grpc_status.size();
  if (const auto read = std::from_chars(grpc_status.data(), last, status);
      read.ec != std::errc{} || read.ptr != last) {
    if (!http_status.empty() && http_status != "200")
      return make_error(tls_errc::no_agent,
                        fmt::format("it answers with the HTTP status {}", status_text(http_status)));
    return make_error(tls_errc::no_agent,
                      fmt::format("it ended the call without a status ({})", nghttp2_http2_strerror(code)));
  }
  const auto said = status_text(grpc_message);
  const auto text = fmt::format("{}{}{}", name_of_status(status), said.empty() ? "" : ": ", said);
  constexpr int permission_denied = 7;
  return make_error(status == permission_denied ? tls_errc::no_identity : tls_errc::no_agent,
                    "it ended the call: " + text);
}

workload_call::workload_call() : impl_(std::make_unique<impl>()) {}
workload_call::~workload_call() = default;

bytes workload_call::take_output() {
  bytes out;
  while (out.size() < output_bytes_max) {
    const std::uint8_t* from = nullptr;
    const auto size = nghttp2_session_mem_send(impl_->session.get(), &from);
    if (size <= 0) break;
    append(out, {from, static_cast<std::size_t>(size)});
  }
  auto* session = impl_->session.get();
  if (!impl_->end && nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0)
    impl_->end = make_error(tls_errc::no_agent, "what answers there breaks off, or speaks no HTTP/2");
  return out;
}

result<> workload_call::feed(bytes_view raw) {
  const auto taken = nghttp2_session_mem_recv(impl_->session.get(), raw.data(), raw.size());
  if (impl_->broken) return tl::unexpected(*impl_->broken);
  if (taken < 0)
    return fail(tls_errc::no_agent, "what answers there speaks no HTTP/2 ({})",
                nghttp2_strerror(static_cast<int>(taken)));
  return {};
}

std::optional<bytes> workload_call::take_message() {
  return std::exchange(impl_->news, std::nullopt);
}

const std::optional<error>& workload_call::ended() const {
  return impl_->end;
}

} // namespace swarm::transport
