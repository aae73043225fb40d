// What a container engine answers, through the whole client: HTTP, chunks, JSON, frames of an output, lines of a build, a
// pull and of events. Whatever comes, a call ends with what can be used or with an error fit for a person.
//
// The first byte is a letter that chooses the call. A small one: what follows is the body of a good answer; a capital one:
// all that the engine sends.
#include "actors/swop/managers/docker/engine/client.hpp"
#include "actors/swop/managers/docker/engine/own_container.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <thread>

using namespace swarm;
using namespace swarm::engine;

namespace {

constexpr std::string_view version_answer = "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"
                                            R"({"ApiVersion":"1.41","MinAPIVersion":"1.1"})";

/// Serves a socket in a folder of its own, as long as this program runs.
class scripted_engine {
public:
  scripted_engine() {
    std::array<char, 32> name{"/tmp/fuzz-engine-XXXXXX"};
    SWARM_ASSERT(::mkdtemp(name.data()) != nullptr);
    folder_ = name.data();
    path_ = folder_ + "/s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SWARM_ASSERT(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    SWARM_ASSERT(::listen(listener_, 8) == 0);
    std::thread([this] { serve(); }).detach(); // it ends with the program
    static std::string gone = folder_;
    std::atexit([] {
      ::unlink((gone + "/s").c_str());
      ::rmdir(gone.c_str());
    });
  }

  const std::string& path() const { return path_; }
  void set(std::string answer) {
    const std::lock_guard lock(mutex_); // what a call did not wait for may be under way
    answer_ = std::move(answer);
  }

private:
  void serve() {
    for (int link = 0; (link = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(link)) {
      std::array<char, 4096> piece{};
      std::string head;
      while (head.find("\r\n\r\n") == std::string::npos) {
        const auto count = ::recv(link, piece.data(), piece.size(), 0);
        if (count <= 0) break;
        head.append(piece.data(), static_cast<std::size_t>(count));
      }
      std::string said(version_answer);
      if (!head.starts_with("GET /version ")) {
        const std::lock_guard lock(mutex_);
        said = answer_;
      }
      std::ignore = ::send(link, said.data(), said.size(), MSG_NOSIGNAL);
      ::shutdown(link, SHUT_WR);
      while (::recv(link, piece.data(), piece.size(), 0) > 0) {
      }
    }
  }

  std::string folder_, path_, answer_;
  std::mutex mutex_;
  int listener_ = -1;
};

bool is_fit(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

template <class T>
void check(const result<T>& outcome) {
  if (!outcome) SWARM_ASSERT(!outcome.error().message.empty() && is_fit(outcome.error().message));
}

void line(std::string_view text) {
  SWARM_ASSERT(!text.empty() && text.size() <= 1000 && is_fit(text));
}

result<bool> anything(std::string_view) {
  return true;
}

result<std::string> nothing() {
  return std::string();
}

void call(client& to, unsigned which, std::string_view text) {
  switch (which) {
  case 1:
    return check(to.inspect("c"));
  case 2:
    return check(to.containers({{"a", "b"}}));
  case 3: {
    const auto logs = to.logs("c", 20);
    if (logs) SWARM_ASSERT(logs->size() <= 1024 * 1024);
    return check(logs);
  }
  case 4:
    return check(to.events({{"a", "b"}}, {}, [](const container_event&) {}));
  case 5:
    return check(to.build({.name = "n", .dockerfile = "d"}, nothing, {}, line));
  case 6:
    return check(to.pull("i", "", {}, line));
  case 7:
    return check(to.image("i"));
  case 8:
    return check(to.images({}));
  case 9:
    return check(to.volumes({}));
  case 10:
    return check(to.network("n"));
  case 11:
    return check(to.create("c", {.image = "i"}));
  case 12:
    return check(to.start("c"));
  case 13:
    return check(to.wait("c", {}));
  case 14:
    return check(to.read_folder("c", "/", anything, {}));
  case 15:
    return check(registry_credentials_in(text, "r.example:5/i:1"));
  default:
    SWARM_ASSERT(is_fit(container_id_in(text)));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static scripted_engine engine;
  static client to(engine.path());
  if (size == 0) return 0;
  const auto text = as_text({data + 1, size - 1});
  const bool framed = (data[0] & 0x20) != 0;
  engine.set(framed ? fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", text.size(), text)
                    : std::string(text));
  call(to, data[0] & 0x1f, text);
  return 0;
}
