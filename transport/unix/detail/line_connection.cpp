#include "transport/unix/detail/line_connection.hpp"

#include "base/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

namespace swarm::transport {

result<> line_writer::write(std::string line) const {
  if (line.find('\n') != std::string::npos) return fail(errc::invalid, "a line must not contain a newline");
  {
    std::lock_guard lock(state_->mutex);
    if (state_->gone || state_->closing) return fail(net_errc::closed, "the client is gone");
    if (line.size() >= state_->queue_bytes_max - state_->queued_bytes)
      return fail(net_errc::limit, "the client does not read: {} bytes wait for it", state_->queued_bytes);
    line.push_back('\n');
    state_->queued_bytes += line.size();
    state_->queue.push_back(std::move(line));
  }
  state_->wake_connection();
  return {};
}

bool line_writer::gone() const {
  std::lock_guard lock(state_->mutex);
  return state_->gone;
}

void line_writer::on_gone(std::function<void()> fn) const {
  {
    std::lock_guard lock(state_->mutex);
    if (!state_->gone) {
      state_->on_gone = std::move(fn);
      return;
    }
  }
  fn();
}

void line_writer::close() const {
  {
    std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->wake_connection();
}

void line_writer::state::wake_connection() {
  std::shared_ptr<line_connection> alive;
  {
    std::lock_guard lock(mutex);
    alive = connection.lock();
  }
  if (alive) alive->wake();
}

line_connection::line_connection(std::shared_ptr<unix_server::impl> server, std::uint64_t id,
                                 local::socket socket)
    : server_(std::move(server)), id_(id), strand_(socket.get_executor()), socket_(std::move(socket)),
      wake_(strand_), shared_(std::make_shared<line_writer::state>()) {
  shared_->queue_bytes_max = server_->options.queue_bytes_max;
}

line_connection::~line_connection() {
  server_->leave(id_);
}

task<> line_connection::run() {
  auto self = shared_from_this();
  {
    std::lock_guard lock(shared_->mutex);
    shared_->connection = self;
  }
  spawn(strand_, "admin writer", [self]() { return self->write_loop(); });
  try {
    co_await read_loop();
  } catch (const std::exception& e) {
    log::error("swarm.net", "{}: a request handler failed: {}", server_->path.string(), e.what());
  }
  close();
  finish();
}

void line_connection::wake() {
  asio::post(strand_, [self = shared_from_this()] { self->wake_.raise(); });
}

void line_connection::kill() {
  asio::post(strand_, [self = shared_from_this()] { self->close(); });
}

task<> line_connection::read_loop() {
  std::string input;
  auto limit = server_->options.line_bytes_max;
  auto buffer = asio::dynamic_buffer(input, limit + 1);
  while (!ended_) {
    auto [ec, length] = co_await asio::async_read_until(socket_, buffer, '\n', use_tuple);
    if (ec == asio::error::not_found) {
      auto writer = lend_writer();
      // The write fails only when the client is gone; then nobody needs the message.
      const auto text = fmt::format("a line of more than {} bytes is not accepted", limit);
      (void)writer.write(boost::json::serialize(boost::json::object{{"error", text}}));
      writer.close();
    }
    if (ec) break;
    auto line = input.substr(0, length - 1);
    buffer.consume(length);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    server_->on_line(std::move(line), lend_writer());
  }
  co_await wait_for_hang_up();
}

/// Waits after the client has ended its side, as answers may still be under way to it.
task<> line_connection::wait_for_hang_up() {
  half_closed_ = true;
  wake_.raise();
  if (ended_) co_return;
  [[maybe_unused]] auto [ec] = co_await socket_.async_wait(local::socket::wait_error, use_tuple);
}

task<> line_connection::write_loop() {
  while (!ended_) {
    std::string next;
    {
      std::lock_guard lock(shared_->mutex);
      if (!shared_->queue.empty()) {
        next = std::move(shared_->queue.front());
        shared_->queue.pop_front();
      }
    }
    if (!next.empty()) {
      auto [ec, count] = co_await asio::async_write(socket_, asio::buffer(next), use_tuple);
      if (ec) co_return close();
      std::lock_guard lock(shared_->mutex);
      shared_->queued_bytes -= next.size();
    } else if (nothing_more_to_come()) {
      co_return close();
    } else {
      co_await wake_.wait();
    }
  }
}

bool line_connection::nothing_more_to_come() {
  std::lock_guard lock(shared_->mutex);
  return shared_->queue.empty() && (shared_->closing || (half_closed_ && lent_.expired()));
}

/// A writer for the client. All writers share one owner, whose end shows that nobody will write again.
line_writer line_connection::lend_writer() {
  auto owner = lent_.lock();
  if (!owner) {
    owner = std::shared_ptr<line_writer::state>(
        shared_.get(), [keep = shared_](line_writer::state*) { keep->wake_connection(); });
    lent_ = owner;
  }
  return line_writer(std::move(owner));
}

void line_connection::close() {
  error_code ignored;
  socket_.close(ignored);
  ended_ = true;
  wake_.raise();
}

void line_connection::finish() {
  std::function<void()> on_gone;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->gone = true;
    shared_->queue.clear();
    on_gone = std::move(shared_->on_gone);
    shared_->on_gone = nullptr;
  }
  if (on_gone) on_gone();
}

} // namespace swarm::transport
