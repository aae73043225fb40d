#include "transport/http/detail/http_connection.hpp"

#include "base/file.hpp"
#include "base/log.hpp"
#include "transport/http/detail/http_wire.hpp"
#include "transport/tls/detail/live_chains.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace swarm::transport {

namespace http = beast::http;

namespace {

constexpr std::size_t first_read_bytes = 4096;
constexpr std::size_t tls_record_bytes = 16 * 1024;

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

std::uint64_t slice_length(const http_response& response) {
  if (auto* memory = std::get_if<shared_slice>(&response.slice)) return memory->data.size();
  if (auto* file = std::get_if<file_slice>(&response.slice)) return file->length;
  return response.body.size();
}

bool is_loopback(const std::string& address) {
  error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  return !ec && ip.is_loopback();
}

bool holds(const file& whole, const file_slice& part) {
  const auto size = whole.size();
  return size && part.offset <= *size && part.length <= *size - part.offset;
}

} // namespace

http_connection::http_connection(std::shared_ptr<http_server::impl> server, std::uint64_t id,
                                 tcp::socket socket)
    : server_(std::move(server)), id_(id), address_(peer_of(socket).address), strand_(socket.get_executor()),
      peer_(peer_of(socket)),
      buffer_(std::max(server_->options.header_bytes_max + first_read_bytes, tls_record_bytes)),
      answered_(strand_) {
  set_socket_options(socket);
  stream_.emplace(tls_stream(beast::tcp_stream(std::move(socket)), server_->identity->internals()->server));
}

http_connection::~http_connection() {
  release_body();
  server_->leave(id_);
}

task<> http_connection::run() {
  auto self = shared_from_this();
  if (co_await begin()) co_await serve();
}

task<bool> http_connection::begin() {
  const bool known = co_await learn_peer();
  co_return known && server_->settle(id_, peer_) && !killed_;
}

/// Finds out whether the other side speaks TLS, where it has the choice, and who it is.
task<bool> http_connection::learn_peer() {
  if (server_->options.plain == plain_http::nobody) co_return co_await shake_hands();
  const auto tls = co_await begins_tls(beast::get_lowest_layer(*stream_), server_->options.handshake_timeout);
  if (!tls || killed_) co_return false;
  if (*tls) co_return co_await shake_hands();
  stream_->go_plain();
  if (server_->options.plain == plain_http::everybody || is_loopback(peer_.address)) co_return true;
  co_await refuse(403, "from other hosts this port takes HTTPS with a client certificate only");
  co_return false;
}

task<bool> http_connection::shake_hands() {
  auto* ssl = stream_->tls().native_handle();
  attach_notes(ssl, &notes_);
  if (server_->options.certificates_optional)
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr); // its callback stays
  beast::get_lowest_layer(*stream_).expires_after(server_->options.handshake_timeout);
  const auto ec = co_await transport::shake_hands(stream_->tls(), asio::ssl::stream_base::server);
  attach_notes(ssl, nullptr);
  peer_.has_tls = !ec;
  if (auto chain = ec ? std::nullopt : fill_peer_certificate(ssl, peer_, notes_)) {
    alive_ = server_->identity->live().add(std::move(*chain), presented_by::client, verified_by(ssl), peer_,
                                           [weak = weak_from_this()](const error& why) {
                                             if (const auto here = weak.lock()) here->end(why);
                                           });
    co_return !killed_;
  }
  if (killed_) co_return false;
  if (!ec && notes_.failure == 0 && server_->options.certificates_optional) co_return true;
  report_handshake_failure(ec);
  co_await linger(beast::get_lowest_layer(*stream_));
  co_return false;
}

/// Called also for alerts after the handshake: in TLS 1.3 a client may refuse our certificate when our side
/// is done already.
void http_connection::report_handshake_failure(const error_code& ec) {
  auto who = host_port(peer_.address, peer_.port);
  server_->report_handshake_failure(peer_.address,
                                    handshake_failure_text(who, ec, notes_, *server_->identity, true));
}

task<> http_connection::serve() {
  while (co_await wait_for_request()) {
    auto how = co_await one_exchange();
    release_body();
    if (how == outcome::gone) co_return;
    if (how == outcome::close || draining_ || killed_) break;
  }
  if (!stream_ || killed_) co_return;
  if (stream_->is_plain())
    co_await linger(beast::get_lowest_layer(*stream_));
  else
    co_await close_tls(stream_->tls());
}

/// Waits for the first byte of a request; false when there will be none.
task<bool> http_connection::wait_for_request() {
  if (draining_ || killed_) co_return false;
  if (buffer_.size() > 0) co_return true;
  idle_ = true;
  beast::get_lowest_layer(*stream_).expires_after(server_->options.idle_timeout);
  auto [ec, count] = co_await stream_->async_read_some(buffer_.prepare(first_read_bytes), use_tuple);
  idle_ = false;
  buffer_.commit(count);
  if (ec && !killed_ && is_peer_alert(ec)) report_handshake_failure(ec);
  co_return !ec && !killed_;
}

task<http_connection::outcome> http_connection::one_exchange() {
  parser from;
  from.header_limit(static_cast<std::uint32_t>(server_->options.header_bytes_max));
  from.body_limit(server_->options.body_bytes_max);
  beast::get_lowest_layer(*stream_).expires_after(server_->options.header_timeout);
  auto [ec, count] = co_await http::async_read_header(*stream_, buffer_, from, use_tuple);
  if (killed_) co_return outcome::gone;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    co_return co_await refuse(431, "the header is larger than this server allows");
  if (ec == http::error::body_limit)
    co_return co_await refuse(413, "the body is larger than this server allows");
  if (ec == beast::error::timeout) co_return outcome::gone;
  if (ec.category() == make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream
      && ec != http::error::partial_message)
    co_return co_await refuse(400, ec.message());
  if (ec) co_return outcome::gone;
  ++server_->requests;
  if (beast::websocket::is_upgrade(from.get())) {
    auto taker = taker_of(from);
    if (auto* instead = std::get_if<http_response>(&taker)) {
      if (co_await send(*instead, false, false)) co_await linger(beast::get_lowest_layer(*stream_));
      co_return outcome::gone;
    }
    co_await serve_websocket(from, std::get<ws_taker>(taker));
    co_return outcome::gone;
  }
  if (!reserve_body(from)) co_return co_await refuse(503, "too many large requests at once, try again later");
  if (!from.is_done() && beast::iequals(from.get()[http::field::expect], "100-continue")) {
    pace watch(*stream_, server_->options.stall_bytes, server_->options.stall_timeout);
    std::uint64_t written = 0;
    auto failed = co_await write_all(*stream_, as_bytes("HTTP/1.1 100 Continue\r\n\r\n"), watch, written);
    if (failed) co_return outcome::gone;
  }
  co_return co_await respond(from);
}

/// Reserves room for the body in the budget that all connections share.
bool http_connection::reserve_body(parser& from) {
  if (from.is_done()) return true;
  auto length = from.content_length();
  reserved_bytes_ = length ? static_cast<std::size_t>(*length) : server_->options.body_bytes_max;
  if (server_->body_bytes.fetch_add(reserved_bytes_) + reserved_bytes_ <= server_->options.bodies_bytes_max)
    return true;
  release_body();
  return false;
}

void http_connection::release_body() {
  server_->body_bytes -= std::exchange(reserved_bytes_, 0);
}

task<bool> http_connection::read_body(parser& from) {
  pace watch(*stream_, server_->options.stall_bytes, server_->options.stall_timeout);
  if (!from.is_done())
    buffer_.reserve(tls_record_bytes); // Beast reads no more at once than there is room for
  while (!from.is_done()) {
    auto [ec, count] = co_await http::async_read_some(*stream_, buffer_, from, use_tuple);
    watch.moved(count);
    server_->traffic->received += count;
    if (ec == http::error::body_limit) {
      co_await refuse(413, "the body is larger than this server allows");
      co_return false;
    }
    if (ec || killed_) co_return false;
  }
  co_return true;
}

/// Sends an error reply that the client may not expect yet: it is given time to read it, then the
/// connection ends.
task<http_connection::outcome> http_connection::refuse(unsigned status, std::string_view why) {
  auto reply = text_response(status, std::string(why) + "\n");
  bool sent = co_await send(reply, false, false);
  if (sent) co_await linger(beast::get_lowest_layer(*stream_));
  co_return outcome::gone;
}

task<http_connection::outcome> http_connection::respond(parser& from) {
  bool complete = co_await read_body(from);
  if (!complete) co_return outcome::gone;
  bool head_only = from.get().method() == http::verb::head;
  bool keep_alive = from.get().keep_alive();
  // There is no time limit while the handler works: the timers of the stream watch only pending
  // reads and writes.
  response_.reset();
  hand_over(from);
  while (!response_ && !killed_)
    co_await answered_.wait();
  if (killed_) co_return outcome::gone;
  release_body();
  auto response = std::move(*response_);
  response_.reset();
  if (!stream_->is_plain() && !std::exchange(has_ticket_, true)) send_ticket(stream_->tls().native_handle());
  bool stays = keep_alive && !draining_;
  bool sent = co_await send(response, head_only, stays);
  if (!sent) co_return outcome::gone;
  co_return stays ? outcome::next : outcome::close;
}

http_request http_connection::head_of(const parser::value_type& message) const {
  http_request request;
  request.method = text_of(message.method_string());
  request.target = text_of(message.target());
  for (const auto& field : message)
    request.headers.emplace_back(text_of(field.name_string()), text_of(field.value()));
  request.peer = peer_;
  return request;
}

/// Who takes up the WebSocket that is asked for, or the answer that there is none.
std::variant<http_response, ws_taker> http_connection::taker_of(const parser& from) {
  const auto& options = server_->options;
  try {
    if (options.on_upgrade) return options.on_upgrade(head_of(from.get()));
  } catch (const std::exception& e) {
    log::error(options.log_source, "{}: a WebSocket handler failed: {}", options.name, e.what());
    return text_response(500, "the request could not be carried out\n");
  }
  if (!server_->on_websocket || stream_->is_plain())
    return text_response(404, "there is no WebSocket here\n");
  return [server = server_, target = text_of(from.get().target()),
          peer = peer_](std::shared_ptr<ws_session> session) mutable {
    server->on_websocket(std::move(session), std::move(target), std::move(peer));
  };
}

void http_connection::hand_over(parser& from) {
  auto message = from.release();
  auto request = head_of(message);
  request.body = std::move(message.body());
  http_reply reply(make_reply_state(shared_from_this()));
  try {
    server_->on_request(std::move(request), reply);
  } catch (const std::exception& e) {
    log::error(server_->options.log_source, "{}: a request handler failed: {}", server_->options.name,
               e.what());
    reply(text_response(500, "the request could not be carried out\n"));
  }
}

task<bool> http_connection::send(const http_response& response, bool head_only, bool keep_alive) {
  auto head = response_head(response, slice_length(response), keep_alive);
  if (head) co_return co_await send_body(response, std::move(*head), head_only);
  log::error(server_->options.log_source, "{}: an answer cannot be sent: {}", server_->options.name,
             head.error().message);
  auto instead = text_response(500, "the answer could not be sent\n");
  head = response_head(instead, instead.body.size(), keep_alive);
  co_return co_await send_body(instead, std::move(*head), head_only);
}

/// Returns false when the connection can no longer be used.
task<bool> http_connection::send_body(const http_response& response, std::string head, bool head_only) {
  pace watch(*stream_, server_->options.stall_bytes, server_->options.stall_timeout);
  std::uint64_t written = 0;
  error_code ec;
  const auto* memory = std::get_if<shared_slice>(&response.slice);
  const auto* part = std::get_if<file_slice>(&response.slice);
  auto body = memory ? memory->data : as_bytes(response.body);
  if (head_only) {
    ec = co_await write_all(*stream_, as_bytes(head), watch, written);
  } else if (part) {
    const auto opened = file::open(part->path);
    if (!opened || !holds(*opened, *part)) {
      log::error(server_->options.log_source, "{}: {}: bytes {} to {} cannot be read", server_->options.name,
                 part->path.string(), part->offset, part->offset + part->length);
      head = response_head(http_response{.status = 500}, 0, true).value();
      ec = co_await write_all(*stream_, as_bytes(head), watch, written);
    } else {
      ec = co_await write_all(*stream_, as_bytes(head), watch, written);
      if (!ec) ec = co_await write_file(*stream_, opened->fd(), *part, watch, written);
    }
  } else if (body.size() <= joined_body_bytes_max) {
    head.append(as_text(body));
    ec = co_await write_all(*stream_, as_bytes(head), watch, written);
  } else {
    ec = co_await write_all(*stream_, as_bytes(head), watch, written);
    if (!ec) ec = co_await write_all(*stream_, body, watch, written);
  }
  server_->traffic->sent += written;
  co_return !ec && !killed_;
}

task<> http_connection::serve_websocket(parser& from, const ws_taker& taker) {
  auto request = from.release();
  auto shared = std::make_shared<ws_shared>();
  shared->options = server_->options.ws;
  websocket_ = std::make_shared<ws_link>(strand_, std::move(*stream_), peer_, server_->identity, shared,
                                         server_->traffic);
  stream_.reset();
  auto accepted = co_await websocket_->accept(request);
  if (accepted && !killed_) {
    {
      std::lock_guard lock(shared->mutex);
      shared->link = websocket_;
      shared->status.open = true;
    }
    auto session = make_ws_session(shared);
    ++server_->websockets;
    try {
      taker(session);
    } catch (const std::exception& e) {
      log::error(server_->options.log_source, "{}: a WebSocket handler failed: {}", server_->options.name,
                 e.what());
      session->close(ws_close_code::internal, "the handler failed");
    }
    if (draining_) session->close(ws_close_code::going_away, "the server stops");
    co_await websocket_->run();
    --server_->websockets;
  }
  websocket_.reset();
}

void http_connection::answer(http_response response) {
  asio::dispatch(strand_, [self = shared_from_this(), held = std::move(response)]() mutable {
    self->response_ = std::move(held);
    self->answered_.raise();
  });
}

void http_connection::drain() {
  asio::post(strand_, [self = shared_from_this()] {
    self->draining_ = true;
    if (self->websocket_) self->websocket_->close(ws_close_code::going_away, "the server stops");
    if (self->idle_ && self->stream_) beast::get_lowest_layer(*self->stream_).close();
  });
}

void http_connection::kill() {
  end(make_error(net_errc::cancelled, "the server stops"));
}

void http_connection::end(const error& why) {
  asio::post(strand_, [self = shared_from_this(), why] {
    self->killed_ = true;
    if (self->websocket_) self->websocket_->kill(why);
    if (self->stream_) beast::get_lowest_layer(*self->stream_).close();
    self->answered_.raise();
  });
}

} // namespace swarm::transport
