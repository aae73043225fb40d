#include "transport/ws/detail/ws_link.hpp"

#include "base/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <algorithm>

namespace swarm::transport {

namespace websocket = beast::websocket;

static void begin_teardown(beast::role_type role, either_stream& stream, any_handler_of<> handler) {
  using websocket::async_teardown;
  if (stream.is_plain())
    async_teardown(role, stream.next_layer().socket(), std::move(handler));
  else
    async_teardown(role, stream.tls(), std::move(handler));
}

/// How Beast ends what is below a WebSocket; it finds these by the type of the stream.
template <class Handler>
void async_teardown(beast::role_type role, either_stream& stream, Handler&& handler) {
  begin_teardown(role, stream, any_handler(std::forward<Handler>(handler), stream.get_executor()));
}
inline void teardown(beast::role_type role, either_stream& stream, error_code& ec) {
  using websocket::teardown;
  if (stream.is_plain())
    teardown(role, stream.next_layer().socket(), ec);
  else
    teardown(role, stream.tls(), ec);
}

namespace {

constexpr std::size_t write_buffer_bytes = 16 * 1024; ///< one TLS record
constexpr std::size_t close_reason_bytes_max = 120;   ///< RFC 6455: 125 with the code

/// Held by the receiver of a message; see ws_message.
struct credit_token {
  std::shared_ptr<ws_shared> shared;
  std::size_t bytes;
  credit_token(std::shared_ptr<ws_shared> from, std::size_t size) : shared(std::move(from)), bytes(size) {}
  credit_token(const credit_token&) = delete;
  credit_token& operator=(const credit_token&) = delete;
  ~credit_token() {
    bool was_full = false;
    {
      std::lock_guard lock(shared->mutex);
      was_full = !shared->may_read();
      --shared->unhandled.messages;
      shared->unhandled.bytes -= bytes;
    }
    if (was_full) ws_link::wake_reader(shared);
  }
};

class ws_handle final : public ws_session {
public:
  explicit ws_handle(std::shared_ptr<ws_shared> shared) : shared_(std::move(shared)) {}

  void start(ws_callbacks callbacks) override {
    std::shared_ptr<ws_link> link;
    {
      std::lock_guard lock(shared_->mutex);
      link = shared_->link.lock();
    }
    if (!link) {
      if (callbacks.on_close) callbacks.on_close(make_error(net_errc::lost, "the connection ended early"));
      return;
    }
    asio::dispatch(link->strand(),
                   [link, held = std::move(callbacks)]() mutable { link->start(std::move(held)); });
  }

  result<> send(shared_slice data, bool text) override {
    bool wake = false;
    {
      std::lock_guard lock(shared_->mutex);
      auto& status = shared_->status;
      if (!status.open || shared_->closing) return fail(net_errc::closed, "the WebSocket is not open");
      if (status.queued_messages >= shared_->options.send_queue_messages_max
          || data.data.size() > shared_->options.send_queue_bytes_max - status.queued_bytes)
        return fail(net_errc::limit, "the peer does not keep up: {} messages, {} bytes wait to be sent",
                    status.queued_messages, status.queued_bytes);
      ++status.queued_messages;
      status.queued_bytes += data.data.size();
      shared_->queue.push_back({std::move(data), text});
      wake = std::exchange(shared_->writer_idle, false);
    }
    if (wake) ws_link::wake_writer(shared_);
    return {};
  }

  void close(ws_close_code code, std::string reason) override {
    std::function<void()> cancel;
    {
      std::lock_guard lock(shared_->mutex);
      if (shared_->closing) return;
      reason.resize(std::min(reason.size(), close_reason_bytes_max));
      shared_->closing = ws_shared::close_request{code, std::move(reason)};
      cancel = shared_->cancel_dialling;
    }
    if (cancel) cancel();
    ws_link::wake_writer(shared_);
  }

  void drop(std::string why) override {
    std::shared_ptr<ws_link> link;
    std::deque<ws_shared::outgoing> unsent; // let go of outside of the lock
    {
      std::lock_guard lock(shared_->mutex);
      link = shared_->link.lock();
      if (!link) return;
      unsent.swap(shared_->queue);
    }
    asio::post(link->strand(), [link, held = std::move(why)] {
      link->kill(make_error(net_errc::closed, "{}: closed by this side: {}",
                            host_port(link->peer().address, link->peer().port), held));
    });
  }

  ws_status status() const override {
    std::lock_guard lock(shared_->mutex);
    return shared_->status;
  }

private:
  std::shared_ptr<ws_shared> shared_;
};

} // namespace

std::shared_ptr<ws_session> make_ws_session(std::shared_ptr<ws_shared> shared) {
  return std::make_shared<ws_handle>(std::move(shared));
}

ws_link::ws_link(const asio::any_io_executor& strand, either_stream stream, peer_info peer,
                 std::shared_ptr<const tls_identity> identity, std::shared_ptr<ws_shared> shared,
                 std::shared_ptr<traffic_counters> traffic)
    : strand_(strand), stream_(std::move(stream)), peer_(std::move(peer)),
      who_(host_port(peer_.address, peer_.port)), identity_(std::move(identity)), shared_(std::move(shared)),
      traffic_(std::move(traffic)), options_(shared_->options), reader_wake_(strand), writer_wake_(strand),
      watch_wake_(strand), last_heard_(std::chrono::steady_clock::now()) {
  beast::get_lowest_layer(stream_).expires_never();
  // Beast times the opening and closing handshake; the watch loop times silence in between.
  stream_.set_option(
      websocket::stream_base::timeout{options_.handshake_timeout, websocket::stream_base::none(), false});
  // Beast would refuse too large messages as well, but it loses the reason when more of the message
  // is under way.
  stream_.read_message_max(0);
  stream_.auto_fragment(false);
  stream_.write_buffer_bytes(write_buffer_bytes);
  stream_.control_callback([this](websocket::frame_type, beast::string_view) { heard(); });
}

task<result<>> ws_link::accept(const upgrade_request& request) {
  auto [ec] = co_await stream_.async_accept(request, use_tuple);
  if (ec) co_return fail(net_errc::handshake, "{}: the WebSocket upgrade failed: {}", who_, ec.message());
  co_return result<>{};
}

task<result<>> ws_link::upgrade(const std::string& host, std::uint16_t port, const std::string& target) {
  stream_.set_option(
      websocket::stream_base::decorator([headers = options_.headers](websocket::request_type& out) {
        for (const auto& [name, value] : headers)
          out.set(name, value);
      }));
  websocket::response_type response;
  auto [ec] = co_await stream_.async_handshake(response, host_port(host, port), target, use_tuple);
  if (!ec) co_return result<>{};
  if (ec == websocket::error::upgrade_declined)
    co_return fail(net_errc::http_status, "{}: {} is no WebSocket there: status {}", who_, target,
                   response.result_int());
  if (is_peer_alert(ec))
    co_return fail(net_errc::handshake, "{}", handshake_failure_text(who_, ec, {}, *identity_, false));
  if (ec == beast::error::timeout)
    co_return fail(net_errc::timeout, "{}: no answer to the WebSocket upgrade in time", who_);
  co_return fail(net_errc::lost, "{}: the WebSocket upgrade failed: {}", who_, socket_failure_text(ec));
}

task<> ws_link::run() {
  auto self = shared_from_this();
  {
    std::lock_guard lock(shared_->mutex);
    shared_->status.open = true;
  }
  spawn(strand_, "wss writer", [self]() { return self->write_loop(); });
  spawn(strand_, "wss watch", [self]() { return self->watch_loop(); });
  try {
    co_await read_loop();
  } catch (const std::exception& e) {
    end(make_error(net_errc::lost, "{}: the WebSocket reader failed: {}", who_, e.what()));
  }
  finish();
}

void ws_link::start(ws_callbacks callbacks) {
  if (callbacks_) return;
  if (finished_) {
    if (callbacks.on_close) callbacks.on_close(*cause_);
    return;
  }
  callbacks_ = std::move(callbacks);
  reader_wake_.raise();
}

void ws_link::close(ws_close_code code, std::string reason) {
  {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->closing) shared_->closing = ws_shared::close_request{code, std::move(reason)};
  }
  writer_wake_.raise();
}

void ws_link::kill(error why) {
  end(std::move(why));
}

void ws_link::wake_writer(const std::shared_ptr<ws_shared>& shared) {
  std::shared_ptr<ws_link> link;
  {
    std::lock_guard lock(shared->mutex);
    link = shared->link.lock();
  }
  if (link) asio::post(link->strand_, [link] { link->writer_wake_.raise(); });
}

void ws_link::wake_reader(const std::shared_ptr<ws_shared>& shared) {
  std::shared_ptr<ws_link> link;
  {
    std::lock_guard lock(shared->mutex);
    link = shared->link.lock();
  }
  if (link) asio::post(link->strand_, [link] { link->reader_wake_.raise(); });
}

task<> ws_link::read_loop() {
  while (co_await may_read()) {
    bytes data;
    auto ec = co_await read_message(data);
    if (!ec && data.size() > options_.message_bytes_max) co_return co_await refuse_message();
    if (ec) co_return end(cause_of(ec));
    deliver(std::move(data));
  }
}

/// Waits until reading is allowed; false when the connection has ended.
task<bool> ws_link::may_read() {
  for (;;) {
    if (cause_) co_return false;
    bool credit = false;
    {
      std::lock_guard lock(shared_->mutex);
      credit = shared_->may_read();
      shared_->status.reading = callbacks_ && credit;
    }
    if (callbacks_ && credit) co_return true;
    reading_ = false;
    co_await reader_wake_.wait();
  }
}

task<error_code> ws_link::read_message(bytes& data) {
  if (!std::exchange(reading_, true)) last_heard_ = std::chrono::steady_clock::now();
  auto buffer = asio::dynamic_buffer(data, options_.message_bytes_max + 1);
  do {
    auto [ec, count] = co_await stream_.async_read_some(buffer, 0, use_tuple);
    if (ec) co_return ec;
    heard();
    if (traffic_) traffic_->received += count;
  } while (!stream_.is_message_done() && data.size() <= options_.message_bytes_max);
  co_return error_code{};
}

/// Tells the peer. The rest of its message is thrown away until it answers or the time is over.
task<> ws_link::refuse_message() {
  verdict_ = make_error(net_errc::limit, "{}: sent a message of more than {} bytes", who_,
                        options_.message_bytes_max);
  websocket::close_reason reason(static_cast<websocket::close_code>(ws_close_code::too_big),
                                 fmt::format("a message may have {} bytes", options_.message_bytes_max));
  [[maybe_unused]] auto [ec] = co_await stream_.async_close(reason, use_tuple);
  end(*verdict_);
}

void ws_link::heard() {
  last_heard_ = std::chrono::steady_clock::now();
  std::lock_guard lock(shared_->mutex);
  shared_->status.last_received = last_heard_;
}

void ws_link::deliver(bytes data) {
  const auto size = data.size();
  {
    std::lock_guard lock(shared_->mutex);
    ++shared_->unhandled.messages;
    shared_->unhandled.bytes += size;
    ++shared_->status.messages_received;
  }
  ws_message message{std::move(data), stream_.got_text(), std::make_shared<credit_token>(shared_, size)};
  if (callbacks_->on_message) callbacks_->on_message(std::move(message));
}

task<> ws_link::write_loop() {
  while (!cause_) {
    std::optional<ws_shared::outgoing> next;
    std::optional<ws_shared::close_request> closing;
    {
      std::lock_guard lock(shared_->mutex);
      if (!shared_->queue.empty()) {
        next = std::move(shared_->queue.front());
        shared_->queue.pop_front();
      } else {
        closing = shared_->closing;
        shared_->writer_idle = true;
      }
    }
    if (next) {
      stream_.text(next->text);
      auto buffer = asio::buffer(next->data.data.data(), next->data.data.size());
      auto [ec, count] = co_await stream_.async_write(buffer, use_tuple);
      if (ec) co_return end(cause_of(ec));
      if (cause_) co_return;
      if (traffic_) traffic_->sent += count;
      std::lock_guard lock(shared_->mutex);
      ++shared_->status.messages_sent;
      --shared_->status.queued_messages;
      shared_->status.queued_bytes -= next->data.data.size();
    } else if (closing) {
      websocket::close_reason reason(static_cast<websocket::close_code>(closing->code), closing->reason);
      [[maybe_unused]] auto [ec] = co_await stream_.async_close(reason, use_tuple);
      co_return end(cause_of(websocket::error::closed));
    } else {
      co_await writer_wake_.wait();
    }
  }
}

task<> ws_link::watch_loop() {
  auto tick = std::max<duration>(std::min(options_.ping_interval, options_.dead_after) / 3,
                                 std::chrono::milliseconds{1});
  while (!cause_) {
    co_await watch_wake_.wait_until(std::chrono::steady_clock::now() + tick);
    if (!cause_) look_after_silence(std::chrono::steady_clock::now());
  }
}

void ws_link::look_after_silence(time_point now) {
  auto acknowledged = bytes_acknowledged(beast::get_lowest_layer(stream_).socket().native_handle());
  bool moving = acknowledged != std::exchange(acknowledged_, acknowledged);
  {
    // A peer whose system takes our bytes is slow, not gone; and when we do not read, its silence
    // means nothing.
    std::lock_guard lock(shared_->mutex);
    bool sending = shared_->status.queued_messages > 0;
    if ((sending && moving) || (callbacks_ && !reading_)) last_heard_ = now;
  }
  auto silence = now - last_heard_;
  auto in_seconds = std::chrono::duration<double>(silence).count();
  if (silence >= options_.dead_after) {
    end(callbacks_ ? make_error(net_errc::timeout, "{}: no byte for {:.1f} s, not even an answer to a ping",
                                who_, in_seconds)
                   : make_error(net_errc::timeout, "{}: nobody took the connection up for {:.1f} s", who_,
                                in_seconds));
  } else if (silence >= options_.ping_interval && !std::exchange(ping_under_way_, true)) {
    spawn(strand_, "wss ping", [self = shared_from_this()] { return self->ping(); });
  }
}

/// This is not part of the watch loop, because a ping waits behind a message that the peer does not take.
task<> ws_link::ping() {
  [[maybe_unused]] auto [ec] = co_await stream_.async_ping({}, use_tuple);
  ping_under_way_ = false;
}

error ws_link::cause_of(const error_code& ec) const {
  if (ec == websocket::error::closed) {
    std::lock_guard lock(shared_->mutex);
    const auto& reason = stream_.reason();
    std::string_view text(reason.reason.data(), reason.reason.size());
    if (shared_->closing)
      return make_error(net_errc::closed, "{}: closed by this side: {} {}", who_,
                        static_cast<unsigned>(shared_->closing->code), shared_->closing->reason);
    return make_error(net_errc::closed, "{}: closed by the other side: {} {}", who_,
                      static_cast<unsigned>(reason.code), text);
  }
  if (is_peer_alert(ec))
    return make_error(net_errc::handshake, "{}", handshake_failure_text(who_, ec, {}, *identity_, false));
  if (ec == websocket::condition::protocol_violation)
    return make_error(net_errc::lost, "{}: broke the WebSocket protocol: {}", who_, ec.message());
  return make_error(net_errc::lost, "{}: connection lost: {}", who_, socket_failure_text(ec));
}

void ws_link::end(error why) {
  if (cause_) return;
  cause_ = verdict_ ? *verdict_ : std::move(why);
  {
    std::lock_guard lock(shared_->mutex);
    shared_->status.open = false;
  }
  beast::get_lowest_layer(stream_).close();
  reader_wake_.raise();
  writer_wake_.raise();
  watch_wake_.raise();
}

void ws_link::finish() {
  std::deque<ws_shared::outgoing> unsent; // dropped outside of the lock
  {
    std::lock_guard lock(shared_->mutex);
    unsent.swap(shared_->queue);
    shared_->status.queued_messages = 0;
    shared_->status.queued_bytes = 0;
    shared_->link.reset();
  }
  finished_ = true;
  auto callbacks = std::exchange(callbacks_, std::nullopt);
  if (callbacks && callbacks->on_close) callbacks->on_close(*cause_);
}

} // namespace swarm::transport
