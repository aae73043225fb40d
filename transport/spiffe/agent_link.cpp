#include "transport/spiffe/agent_link.hpp"

#include "transport/errors.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace swarm::transport {

namespace {

using namespace std::chrono_literals;

constexpr auto pause_first = 100ms;
constexpr auto pause_longest = 30s;
constexpr auto one_look = 3s; ///< for an agent that answers at all
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t reads_at_once = 64; ///< then it is looked what has come
/// The socket in a folder that SPIRE's agent has for it, such as a volume of containers.
constexpr std::string_view in_folder = "api.sock";

time_point time_now() {
  return std::chrono::steady_clock::now();
}

int poll_milliseconds(time_point limit) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - time_now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 60'000));
}

error no_agent(std::string text) {
  return make_error(tls_errc::no_agent, std::move(text));
}

result<sockaddr_un> address_of(std::filesystem::path socket) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  std::error_code failure;
  if (std::filesystem::is_directory(socket, failure)) socket /= in_folder;
  if (socket.native().size() >= sizeof out.sun_path)
    return fail(tls_errc::no_agent, "the path has {} bytes, a socket's has at most {}",
                socket.native().size(), sizeof out.sun_path - 1);
  socket.native().copy(out.sun_path, sizeof out.sun_path - 1);
  return out;
}

/// Every error of the agent, with its socket and what helps.
error told(const std::filesystem::path& socket, const error& why) {
  const auto code = static_cast<tls_errc>(why.code);
  const auto at = socket.string();
  if (code == tls_errc::no_identity)
    return make_error(code,
                      fmt::format("--socket-path: the SPIFFE agent at {} gives this process no identity: {}; "
                                  "make an entry for it at the SPIFFE server",
                                  at, why.message));
  if (code == tls_errc::bad_svid)
    return make_error(code, fmt::format("--socket-path: what the SPIFFE agent at {} gives cannot be used: {}",
                                        at, why.message));
  return make_error(tls_errc::no_agent,
                    fmt::format("--socket-path: no SPIFFE agent answers at {}: {}; start it, or "
                                "correct the path",
                                at, why.message));
}

} // namespace

agent_link::agent_link(std::filesystem::path socket)
    : socket_(std::move(socket)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pause_(pause_first, pause_longest, static_cast<std::uint64_t>(time_now().time_since_epoch().count())) {}

void agent_link::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one); // full is as good
}

agent_link::news agent_link::wait(std::chrono::milliseconds limit) {
  const auto until = time_now() + limit;
  for (bool woken = false; !woken;) {
    if (!stream_ && time_now() >= begin_at_)
      if (auto begun = begin_call(); !begun) return broken(std::move(begun).error());
    poll_until(stream_ ? until : std::min(until, begin_at_), woken);
    if (stream_) {
      const auto exchanged = exchange();
      if (auto message = call_->take_message()) {
        pause_.reset();
        auto svids = decode_x509_svids(*message);
        if (!svids) return {{}, std::move(svids).error()};
        return {std::move(*svids), {}};
      }
      if (call_->ended()) return broken(*call_->ended());
      if (!exchanged) return broken(exchanged.error());
    }
    if (time_now() >= until) break;
  }
  return {};
}

result<> agent_link::begin_call() {
  SWARM_TRY(const auto to, address_of(socket_));
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return tl::unexpected(no_agent(std::strerror(errno)));
  stream_ = std::move(fd);
  call_ = std::make_unique<workload_call>();
  output_ = call_->take_output();
  return {};
}

void agent_link::poll_until(time_point limit, bool& woken) const {
  std::array<pollfd, 2> all{pollfd{wake_.get(), POLLIN, 0}, pollfd{stream_.get(), POLLIN, 0}};
  if (!output_.empty()) all[1].events |= POLLOUT;
  ::poll(all.data(), stream_ ? 2 : 1, poll_milliseconds(limit));
  if ((all[0].revents & POLLIN) == 0) return;
  std::uint64_t count = 0;
  woken = ::read(wake_.get(), &count, sizeof count) > 0;
}

result<> agent_link::exchange() {
  std::array<std::uint8_t, read_bytes> piece;
  for (std::size_t reads = 0; reads < reads_at_once;) {
    const auto count = ::recv(stream_.get(), piece.data(), piece.size(), 0);
    if (count > 0) {
      SWARM_CHECK(call_->feed({piece.data(), static_cast<std::size_t>(count)}));
      append(output_, call_->take_output());
      ++reads;
      continue;
    }
    if (count == 0) return tl::unexpected(no_agent("it closed the connection"));
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return tl::unexpected(no_agent(std::strerror(errno)));
    break;
  }
  while (!output_.empty()) {
    const auto count = ::send(stream_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (count < 0) return tl::unexpected(no_agent(std::strerror(errno)));
    output_.erase(output_.begin(), output_.begin() + count);
  }
  return {};
}

agent_link::news agent_link::broken(error why) {
  stream_ = {};
  call_.reset();
  output_.clear();
  begin_at_ = time_now() + pause_.next();
  return {{}, std::move(why)};
}

result<x509_svids> first_svids(agent_link& from, std::chrono::milliseconds patience,
                               const std::function<void(const error&)>& on_trouble) {
  const auto until = time_now() + std::max<std::chrono::milliseconds>(patience, one_look);
  std::optional<error> last;
  for (;;) {
    auto news = from.wait(std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(until - time_now())));
    if (news.svids) return std::move(*news.svids);
    if (news.trouble) {
      const bool first = !std::exchange(last, told(from.socket(), *news.trouble));
      if (patience == 0ms) break;
      if (first && on_trouble) on_trouble(*last);
    }
    if (time_now() >= until) break;
  }
  if (!last) last = told(from.socket(), no_agent("it takes the call, and does not answer"));
  return tl::unexpected(std::move(*last));
}

result<x509_svids> svids_of(const std::filesystem::path& socket) {
  agent_link link(socket);
  return first_svids(link, std::chrono::milliseconds(0));
}

} // namespace swarm::transport
