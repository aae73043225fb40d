#include "tools/shim/control.hpp"

#include "actors/swop/managers/process/program_folder.hpp"
#include "actors/swop/managers/process/shim_call.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace swarm::shim {

using namespace managers;

namespace {
constexpr std::size_t clients_max = 8;
constexpr std::chrono::seconds patience{1};
} // namespace

result<control> control::open(const std::filesystem::path& folder) {
  const unique_fd dir(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  SWARM_TRY(const auto address, control_address(dir.get()));
  control out;
  out.listener_ = unique_fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  std::ignore = remove_file(folder / program_folder::control_name);
  if (!out.listener_
      || ::bind(out.listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0
      || ::listen(out.listener_.get(), 8) != 0)
    return fail(manager_errc::io, "{}: the shim cannot listen there: {}", folder.native(),
                std::strerror(errno));
  return out;
}

void control::add_to(std::vector<pollfd>& fds) const {
  if (clients_.size() < clients_max) fds.push_back({listener_.get(), POLLIN, 0});
  for (const auto& each : clients_)
    fds.push_back({each.socket.get(), POLLIN, 0});
}

std::optional<std::chrono::milliseconds> control::serve(time_point now) {
  while (clients_.size() < clients_max) {
    unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) break;
    clients_.push_back({std::move(socket), now + patience});
  }
  std::optional<std::chrono::milliseconds> out;
  std::erase_if(clients_, [&](const client& each) {
    std::array<char, 64> text{};
    const auto count = ::recv(each.socket.get(), text.data(), text.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return now >= each.until;
    const auto grace = count > 0 ? read_stop({text.data(), static_cast<std::size_t>(count)}) : std::nullopt;
    const std::string_view answer = grace ? "ok" : "not understood";
    std::ignore = ::send(each.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (grace) out = grace;
    return true;
  });
  return out;
}

} // namespace swarm::shim
