#include "transport/http/detail/http_exchange.hpp"

#include "transport/http/detail/http_wire.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/read.hpp>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace swarm::transport {

namespace http = beast::http;

namespace {

constexpr std::size_t error_text_bytes_max = 1024;
constexpr int informational_max = 8; ///< answers of kind 1xx before the real one

bool is_end(const error_code& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated
         || ec == asio::error::connection_reset || ec == asio::error::broken_pipe
         || ec == http::error::end_of_stream || ec == http::error::partial_message;
}

/// First byte and size of "bytes 5-9/100".
std::optional<std::pair<std::uint64_t, std::uint64_t>> content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (text.substr(0, unit.size()) != unit) return std::nullopt;
  std::uint64_t first = 0, last = 0;
  const char* end = text.data() + text.size();
  auto a = std::from_chars(text.data() + unit.size(), end, first);
  if (a.ec != std::errc{} || a.ptr == end || *a.ptr != '-') return std::nullopt;
  auto b = std::from_chars(a.ptr + 1, end, last);
  if (b.ec != std::errc{} || last < first || last == std::numeric_limits<std::uint64_t>::max())
    return std::nullopt;
  return std::pair{first, last - first + 1};
}

std::string first_line(std::string_view text) {
  std::string out(text.substr(0, std::min(text.find_first_of("\r\n"), std::size_t{200})));
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

} // namespace

bool kept_connection::is_stale() {
  char byte = 0;
  auto got =
      recv(beast::get_lowest_layer(*stream).socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return buffer.size() > 0 || got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

std::string http_call::state::last_seen() const {
  if (!answered) return "; no byte of the answer received";
  auto since = std::chrono::steady_clock::now().time_since_epoch() - duration(last_byte.load());
  return fmt::format("; {} bytes of the body received, the last byte {:.1f} s ago", body_received.load(),
                     std::chrono::duration<double>(since).count());
}

void http_call::state::finish(result<http_response> how, const peer_info* peer) {
  if (finished.exchange(true)) return;
  if (!how && cancelled)
    how = fail(net_errc::cancelled, "{}: {}: cancelled{}", who(), phase.load(), last_seen());
  if (!is_fetch()) {
    if (how && peer) how->peer = *peer;
    if (done) done(std::move(how));
  } else if (!how) {
    if (fetched) fetched(tl::unexpected(std::move(how).error()));
  } else if (fetched) {
    fetch_result out{how->status, std::move(how->headers), body_received, peer ? *peer : peer_info{}};
    fetched(std::move(out));
  }
  // These functions may own the object that owns this one.
  done = nullptr;
  chunk = nullptr;
  fetched = nullptr;
}

task<result<http_response>> http_exchange::run() {
  call_.phase = "request";
  auto request = request_head(call_.request, call_.host, call_.port);
  if (!request) {
    reusable_ = true; // nothing was sent
    co_return tl::unexpected(std::move(request).error());
  }
  auto sent = co_await send(std::move(*request));
  // A server that answers early (413) or refuses our certificate says so before it closes, so its words
  // are read first.
  call_.phase = "response";
  std::unique_ptr<parser> from;
  auto head = co_await read_head(from);
  if (!head) {
    if (!sent && !head.error().is(net_errc::handshake)) co_return tl::unexpected(std::move(sent).error());
    co_return tl::unexpected(std::move(head).error());
  }
  http_response response;
  response.status = from->get().result_int();
  for (const auto& field : from->get()) {
    auto name = field.name_string();
    auto value = field.value();
    response.headers.emplace_back(std::string(name.data(), name.size()),
                                  std::string(value.data(), value.size()));
  }
  auto checked = check_fetch(*from, response);
  if (!checked) co_return tl::unexpected(std::move(checked).error());
  auto body = co_await read_body(*from, response);
  if (!body) co_return tl::unexpected(std::move(body).error());
  reusable_ = sent.has_value() && from->keep_alive();
  ++over_.exchanges;
  if (call_.is_fetch() && !wanted_)
    co_return fail(net_errc::http_status, "{}: response: {} {} has status {}: {}", call_.who(),
                   call_.request.method, call_.request.target, response.status, first_line(response.body));
  auto whole = check_length();
  if (!whole) co_return tl::unexpected(std::move(whole).error());
  co_return response;
}

task<result<>> http_exchange::send(std::string head) {
  const auto& body = call_.request.body;
  if (body.size() <= joined_body_bytes_max) head.append(body);
  pace watch(*over_.stream, 1, options_.progress_timeout);
  std::uint64_t written = 0;
  auto ec = co_await write_all(*over_.stream, as_bytes(head), watch, written);
  if (!ec && body.size() > joined_body_bytes_max)
    ec = co_await write_all(*over_.stream, as_bytes(body), watch, written);
  if (ec) co_return tl::unexpected(broken(net_errc::request, ec));
  co_return result<>{};
}

task<result<>> http_exchange::read_head(std::unique_ptr<parser>& from) {
  for (int i = 0; i < informational_max; ++i) {
    from = std::make_unique<parser>();
    from->header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
    from->body_limit(boost::none);
    if (call_.request.method == "HEAD") from->skip(true);
    pace watch(*over_.stream, 1, options_.progress_timeout);
    while (!from->is_header_done()) {
      auto [ec, count] = co_await http::async_read_some(*over_.stream, over_.buffer, *from, use_tuple);
      watch.moved(count);
      if (count > 0) saw_bytes(0);
      if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        co_return fail(net_errc::limit, "{}: response: the header is larger than {} bytes", call_.who(),
                       options_.header_bytes_max);
      if (ec && ec != http::error::need_buffer) co_return tl::unexpected(broken(net_errc::response, ec));
    }
    auto status = from->get().result_int();
    if (status >= 200 || status == 101) co_return result<>{};
  }
  co_return fail(net_errc::response, "{}: response: only interim answers", call_.who());
}

/// Checks that a fetch gets what it asked for, before any of the body is handed over.
result<> http_exchange::check_fetch(parser& from, const http_response& response) {
  if (auto length = from.content_length()) announced_ = *length;
  if (!call_.is_fetch()) {
    if (announced_.value_or(0) > options_.body_bytes_max && call_.request.method != "HEAD")
      return fail(net_errc::limit, "{}: response: a body of {} bytes is more than the {} allowed",
                  call_.who(), *announced_, options_.body_bytes_max);
    return {};
  }
  wanted_ = response.status == (call_.range ? 206u : 200u);
  if (!call_.range || !wanted_) {
    if (call_.range && response.status == 200)
      return fail(net_errc::response, "{}: response: the server does not serve parts of {}", call_.who(),
                  call_.request.target);
    return {};
  }
  auto given = content_range(find_header(response.headers, "Content-Range"));
  bool same = given && given->first == call_.range->offset
              && (call_.range->length == 0 || given->second == call_.range->length)
              && announced_.value_or(given->second) == given->second;
  if (!same)
    return fail(net_errc::response, "{}: response: asked for {} bytes of {} from {} on, was given '{}'",
                call_.who(), call_.range->length, call_.request.target, call_.range->offset,
                find_header(response.headers, "Content-Range"));
  announced_ = given->second;
  return {};
}

task<result<>> http_exchange::read_body(parser& from, http_response& into) {
  pace watch(*over_.stream, options_.progress_bytes, options_.progress_timeout);
  bytes piece;
  if (!from.is_done()) piece.resize(options_.chunk_bytes_max);
  while (!from.is_done()) {
    auto& body = from.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    auto [ec, count] = co_await http::async_read_some(*over_.stream, over_.buffer, from, use_tuple);
    watch.moved(count);
    auto got = piece.size() - from.get().body().size;
    if (got > 0) {
      saw_bytes(got);
      auto taken = take(bytes_view(piece.data(), got), into);
      if (!taken) co_return tl::unexpected(std::move(taken).error());
    }
    if (ec && ec != http::error::need_buffer) co_return tl::unexpected(broken(net_errc::response, ec));
    if (call_.cancelled)
      co_return tl::unexpected(broken(net_errc::cancelled, asio::error::operation_aborted));
  }
  co_return result<>{};
}

result<> http_exchange::take(bytes_view piece, http_response& into) {
  if (call_.is_fetch() && wanted_) {
    if (call_.range && announced_ && call_.body_received > *announced_)
      return fail(net_errc::response, "{}: response: more than the {} bytes of {} that were asked for",
                  call_.who(), *announced_, call_.request.target);
    return call_.chunk(piece);
  }
  auto room = call_.is_fetch() ? error_text_bytes_max : options_.body_bytes_max;
  if (piece.size() > room - into.body.size()) {
    if (call_.is_fetch())
      return fail(net_errc::http_status, "{}: response: {} {} has status {}: {}", call_.who(),
                  call_.request.method, call_.request.target, into.status, first_line(into.body));
    return fail(net_errc::limit, "{}: response: the body is larger than {} bytes", call_.who(),
                options_.body_bytes_max);
  }
  into.body.append(as_text(piece));
  return {};
}

/// Checks the length of the body. Without Content-Length it ends with the connection, so that end may
/// be a failure.
result<> http_exchange::check_length() const {
  if (!call_.is_fetch() || !announced_ || call_.body_received == *announced_) return {};
  return fail(net_errc::response, "{}: response: {} of {} bytes of {} received", call_.who(),
              call_.body_received.load(), *announced_, call_.request.target);
}

void http_exchange::saw_bytes(std::size_t count) {
  call_.answered = true;
  call_.last_byte = std::chrono::steady_clock::now().time_since_epoch().count();
  call_.body_received += count;
}

error http_exchange::broken(net_errc phase, const error_code& ec) const {
  auto who = call_.who();
  auto doing = phase == net_errc::request ? "request" : "response";
  if (is_peer_alert(ec))
    return make_error(net_errc::handshake, "{}: handshake: {}", who,
                      handshake_failure_text(who, ec, {}, identity_, false));
  if (ec == beast::error::timeout)
    return make_error(net_errc::timeout, "{}: {}: {} moved for {:g} s{}", who, doing,
                      options_.progress_bytes == 1
                          ? std::string("no byte")
                          : fmt::format("fewer than {} bytes", options_.progress_bytes),
                      std::chrono::duration<double>(options_.progress_timeout).count(), call_.last_seen());
  auto of = announced_ ? fmt::format(" of {}", *announced_) : std::string();
  auto what = is_end(ec) ? std::string("closed by the other side") : socket_failure_text(ec);
  std::string hint;
  if (is_end(ec) && over_.exchanges == 0 && !call_.answered)
    hint = fmt::format(" (right after the handshake: it may have refused this node's certificate, {})",
                       identity_.subject());
  if (!of.empty()) what += fmt::format(" after {}{} bytes", call_.body_received.load(), of);
  return make_error(phase, "{}: {}: {}{}{}", who, doing, what, hint, call_.last_seen());
}

} // namespace swarm::transport
