#pragma once
// Included by .cpp files only.
#include "actors/swop/managers/docker/engine/exchange.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>

namespace swarm::engine::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

inline constexpr std::size_t conversation_piece_bytes = 64 * 1024;

/// One request and its answer over a stream of bytes, of which each step has its time.
template <class Stream>
class conversation {
public:
  using clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  /// `where` and `who`: what messages call the other side. `more`: what a stream is made of besides its io_context.
  template <class... More>
  conversation(std::string where, std::string_view who, const std::stop_token& stop, More&... more)
      : where_(std::move(where)), who_(who), stop_(stop), stream_(io_, more...),
        wake_(stop, [this] { asio::post(io_, [] {}); }) {
    parser_.body_limit(boost::none);
    parser_.header_limit(64 * 1024);
  }

  const std::string& where() const { return where_; }
  std::string_view who() const { return who_; }
  Stream& stream() { return stream_; }
  asio::io_context& io() { return io_; }

  result<> send(const request& what, milliseconds most) {
    http::request<http::empty_body> head;
    head.method_string(what.verb);
    head.target(what.target);
    head.set(http::field::host, "engine");
    head.set(http::field::connection, "close");
    for (const auto& [name, value] : what.headers)
      head.set(name, value);
    if (what.more_body) {
      head.chunked(true);
    } else {
      head.content_length(what.body.size());
    }
    if (what.more_body || !what.body.empty()) head.set(http::field::content_type, what.content_type);
    http::request_serializer<http::empty_body> serializer(head);
    serializer.split(true);
    SWARM_CHECK(write(most, [&](auto done) { http::async_write_header(stream_, serializer, done); }));
    if (!what.more_body) return write_all(what.body, most);
    for (;;) {
      SWARM_TRY(const auto piece, what.more_body());
      if (broken_) return {};
      if (piece.empty()) return write_all("0\r\n\r\n", most);
      SWARM_CHECK(write_all(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece), most));
    }
  }

  result<> read_head(milliseconds most) {
    return read(most, [&](auto done) { http::async_read_header(stream_, buffer_, parser_, done); });
  }

  /// Empty at the end.
  result<std::string_view> read_piece(milliseconds most) {
    while (!parser_.is_done()) {
      auto& body = parser_.get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      body.more = true;
      SWARM_CHECK(read(most, [&](auto done) { http::async_read_some(stream_, buffer_, parser_, done); }));
      const auto size = piece_.size() - body.size;
      if (size > 0) return std::string_view(piece_.data(), size);
    }
    return std::string_view();
  }

  const http::response<http::buffer_body>& head() const { return parser_.get(); }

  /// How an operation ended, unless it took too long or was stopped.
  template <class Start>
  result<boost::system::error_code> await(milliseconds most, Start start) {
    std::optional<boost::system::error_code> ended;
    start([&ended](boost::system::error_code failure, auto&&...) { ended = failure; });
    const auto until = most.count() > 0 ? clock::now() + most : clock::time_point::max();
    while (!ended && !stop_.stop_requested() && clock::now() < until) {
      io_.restart();
      io_.run_one_until(until);
    }
    if (ended) return *ended;
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
    io_.restart();
    io_.run();
    if (stop_.stop_requested()) return fail(engine_errc::stopped, "stopped");
    return fail(engine_errc::timeout, "{}: {} has not answered for {:g} s; it is there, but does not go on",
                where_, who_, std::chrono::duration<double>(most).count());
  }

private:
  /// An engine that refuses a request does not read all of it: its answer counts, not that.
  template <class Start>
  result<> write(milliseconds most, Start start) {
    if (broken_) return {};
    SWARM_TRY(const auto ended, await(most, start));
    broken_ = ended.failed();
    return {};
  }

  result<> write_all(std::string_view text, milliseconds most) {
    if (text.empty()) return {};
    return write(
        most, [&](auto done) { asio::async_write(stream_, asio::buffer(text.data(), text.size()), done); });
  }

  template <class Start>
  result<> read(milliseconds most, Start start) {
    SWARM_TRY(const auto ended, await(most, start));
    if (!ended || ended == http::error::need_buffer) return {};
    if (ended.category() == boost::system::error_code(http::error::end_of_stream).category()
        && ended != http::error::end_of_stream && ended != http::error::partial_message)
      return fail(engine_errc::bad_answer, "{}: what answers here is not {}: {}", where_, who_,
                  ended.message());
    return fail(engine_errc::died, "{}: {} ended the connection in the middle", where_, who_);
  }

  std::string where_;
  std::string_view who_;
  std::stop_token stop_;
  asio::io_context io_{1};
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::buffer_body> parser_;
  std::array<char, conversation_piece_bytes> piece_{};
  bool broken_ = false;
  std::stop_callback<std::function<void()>> wake_; ///< the first to go, as it uses the rest
};

/// Sends a request over a stream that is open, and reads the answer to its end.
template <class Stream>
result<answer> converse(conversation<Stream>& with, const request& what, const patience& how_long,
                        std::chrono::milliseconds write_most, const body_sink& sink) {
  SWARM_CHECK(with.send(what, write_most));
  SWARM_CHECK(with.read_head(how_long.head));
  answer out{.status = with.head().result_int(), .headers = {}, .body = {}};
  for (const auto& each : with.head()) {
    std::string name(each.name_string());
    for (auto& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    out.headers[name] = each.value();
  }
  for (;;) {
    SWARM_TRY(const auto piece, with.read_piece(how_long.silence));
    if (piece.empty()) return out;
    if (sink && out.status < 300) {
      SWARM_TRY(const bool more, sink(piece));
      if (!more) return out;
      continue;
    }
    if (out.body.size() + piece.size() > body_bytes_max)
      return fail(engine_errc::too_large, "{}: {} answers more than {} MiB", with.where(), with.who(),
                  body_bytes_max >> 20);
    out.body += piece;
  }
}

} // namespace swarm::engine::detail
