#include "actors/swop/managers/docker/engine/exchange.hpp"

#include "base/file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>

namespace swarm::engine {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

class conversation {
public:
  conversation(const std::filesystem::path& where, const std::stop_token& stop)
      : where_(where.native()), stop_(stop), wake_(stop, [this] { asio::post(io_, [] {}); }) {
    parser_.body_limit(boost::none);
    parser_.header_limit(64 * 1024);
  }

  result<> open(milliseconds most) {
    const auto ended = await(most, [&](auto done) {
      socket_.async_connect(asio::local::stream_protocol::endpoint(where_), done);
    });
    if (!ended) return tl::unexpected(ended.error());
    if (!*ended) return {};
    if (*ended == boost::system::errc::permission_denied
        || *ended == boost::system::errc::operation_not_permitted)
      return fail(
          engine_errc::forbidden,
          "{}: this user may not open the engine's socket; add it to the socket's group, or name another "
          "socket",
          where_);
    if (*ended == boost::system::errc::no_such_file_or_directory)
      return fail(engine_errc::absent, "{}: there is no such socket; is a container engine running?", where_);
    return fail(engine_errc::absent, "{}: no container engine answers on this socket: {}", where_,
                ended->message());
  }

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
    SWARM_CHECK(write(most, [&](auto done) { http::async_write_header(socket_, serializer, done); }));
    if (!what.more_body) return write_all(what.body, most);
    for (;;) {
      SWARM_TRY(const auto piece, what.more_body());
      if (broken_) return {};
      if (piece.empty()) return write_all("0\r\n\r\n", most);
      SWARM_CHECK(write_all(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece), most));
    }
  }

  result<> read_head(milliseconds most) {
    return read(most, [&](auto done) { http::async_read_header(socket_, buffer_, parser_, done); });
  }

  /// Empty at the end.
  result<std::string_view> read_piece(milliseconds most) {
    while (!parser_.is_done()) {
      auto& body = parser_.get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      body.more = true;
      SWARM_CHECK(read(most, [&](auto done) { http::async_read_some(socket_, buffer_, parser_, done); }));
      const auto size = piece_.size() - body.size;
      if (size > 0) return std::string_view(piece_.data(), size);
    }
    return std::string_view();
  }

  const http::response<http::buffer_body>& head() const { return parser_.get(); }

private:
  /// How an operation ended, unless it took too long or was stopped.
  template <class Start>
  result<error_code> await(milliseconds most, Start start) {
    std::optional<error_code> ended;
    start([&ended](error_code failure, auto&&...) { ended = failure; });
    const auto until = most.count() > 0 ? clock::now() + most : clock::time_point::max();
    while (!ended && !stop_.stop_requested() && clock::now() < until) {
      io_.restart();
      io_.run_one_until(until);
    }
    if (ended) return *ended;
    error_code ignored;
    socket_.close(ignored);
    io_.restart();
    io_.run();
    if (stop_.stop_requested()) return fail(engine_errc::stopped, "stopped");
    return fail(engine_errc::timeout,
                "{}: the container engine has not answered for {:g} s; it is there, but does not go on",
                where_, std::chrono::duration<double>(most).count());
  }

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
        most, [&](auto done) { asio::async_write(socket_, asio::buffer(text.data(), text.size()), done); });
  }

  template <class Start>
  result<> read(milliseconds most, Start start) {
    SWARM_TRY(const auto ended, await(most, start));
    if (!ended || ended == http::error::need_buffer) return {};
    if (ended.category() == error_code(http::error::end_of_stream).category()
        && ended != http::error::end_of_stream && ended != http::error::partial_message)
      return fail(engine_errc::bad_answer, "{}: what answers on this socket is no container engine: {}",
                  where_, ended.message());
    return fail(engine_errc::died, "{}: the container engine ended the connection in the middle", where_);
  }

  std::string where_;
  std::stop_token stop_;
  asio::io_context io_{1};
  asio::local::stream_protocol::socket socket_{io_};
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::buffer_body> parser_;
  std::array<char, piece_bytes> piece_{};
  bool broken_ = false;
  std::stop_callback<std::function<void()>> wake_; ///< the first to go, as it uses the rest
};

} // namespace

result<answer> exchange(const std::filesystem::path& socket, const request& what, const patience& how_long,
                        const std::stop_token& stop, const body_sink& sink) {
  constexpr milliseconds write_most{60'000};
  if (socket.native().size() > 107)
    return fail(engine_errc::absent, "{}: the path of a socket has at most 107 bytes", socket.native());
  conversation with(socket, stop);
  SWARM_CHECK(with.open(write_most));
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
      return fail(engine_errc::too_large, "{}: the container engine answers more than {} MiB",
                  socket.native(), body_bytes_max >> 20);
    out.body += piece;
  }
}

} // namespace swarm::engine
