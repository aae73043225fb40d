#include "actors/swop/managers/docker/engine/exchange.hpp"

#include "actors/swop/managers/docker/engine/detail/conversation.hpp"

#include <boost/asio/local/stream_protocol.hpp>

namespace swarm::engine {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

using socket_conversation = detail::conversation<asio::local::stream_protocol::socket>;

result<> open(socket_conversation& with, milliseconds most) {
  const auto& where = with.where();
  const auto ended = with.await(most, [&](auto done) {
    with.stream().async_connect(asio::local::stream_protocol::endpoint(where), done);
  });
  if (!ended) return tl::unexpected(ended.error());
  if (!*ended) return {};
  if (*ended == boost::system::errc::permission_denied
      || *ended == boost::system::errc::operation_not_permitted)
    return fail(
        engine_errc::forbidden,
        "{}: this user may not open the engine's socket; add it to the socket's group, or name another "
        "socket",
        where);
  if (*ended == boost::system::errc::no_such_file_or_directory)
    return fail(engine_errc::absent, "{}: there is no such socket; is a container engine running?", where);
  return fail(engine_errc::absent, "{}: no container engine answers on this socket: {}", where,
              ended->message());
}

} // namespace

result<answer> exchange(const std::filesystem::path& socket, const request& what, const patience& how_long,
                        const std::stop_token& stop, const body_sink& sink) {
  constexpr milliseconds write_most{60'000};
  if (socket.native().size() > 107)
    return fail(engine_errc::absent, "{}: the path of a socket has at most 107 bytes", socket.native());
  socket_conversation with(socket.native(), "the container engine", stop);
  SWARM_CHECK(open(with, write_most));
  return detail::converse(with, what, how_long, write_most, sink);
}

} // namespace swarm::engine
