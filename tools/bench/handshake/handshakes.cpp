#include "transport/http/http_client.hpp"
#include "transport/http/http_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <string>
#include <vector>

// handshakes KEY CERT CACERT SOCKET COUNT: connections to servers of this process, one with these files and one with what
// the SPIFFE agent at SOCKET gives, by turns. Prints the median of either in milliseconds, as JSON.

namespace {

using namespace swarm;
using namespace swarm::transport;
using identity = std::shared_ptr<const tls_identity>;
using clock_type = std::chrono::steady_clock;

template <class T>
T must(result<T> from) {
  if (from) return std::move(*from);
  fmt::print(stderr, "handshakes: {}\n", from.error().message);
  std::_Exit(1);
}

class way {
public:
  way(io_runtime& io, const tls_files& from) : io_(io), identity_(must(tls_identity::load(from))) {
    http_server_options options;
    options.address = "127.0.0.1";
    server_ =
        must(http_server::start(io, identity_, options, [](const http_request&, const http_reply& reply) {
          reply(text_response(200, ""));
        }));
  }

  /// One connection, to the answer of its first request. The client is a new one, which has no session to resume.
  void connect() {
    http_client client(io_, identity_);
    std::promise<result<http_response>> answered;
    const auto begun = clock_type::now();
    client.request("127.0.0.1", server_->port(), {}, [&](auto how) { answered.set_value(std::move(how)); });
    must(answered.get_future().get());
    times_.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - begun).count());
    if (client.totals().sessions_resumed) must(result<int>(tl::unexpected(error("a session was resumed"))));
  }

  double median() {
    const auto middle = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() / 2);
    std::nth_element(times_.begin(), middle, times_.end());
    return *middle;
  }
  void forget() { times_.clear(); }

private:
  io_runtime& io_;
  const identity identity_;
  std::unique_ptr<http_server> server_;
  std::vector<double> times_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "handshakes KEY CERT CACERT SOCKET COUNT\n");
    return 1;
  }
  const auto count = std::max(1, std::atoi(argv[5]));
  io_runtime io(2);
  way files(io, {.cert = argv[2], .key = argv[1], .cacert = argv[3], .capath = {}});
  way agent(io, {.cert = {}, .key = {}, .cacert = {}, .capath = {}, .agent = argv[4]});
  for (auto* each : {&files, &agent}) { // the first ones load what all need
    each->connect();
    each->forget();
  }
  for (int i = 0; i < count; ++i)
    for (auto* each : i % 2 ? std::array{&files, &agent} : std::array{&agent, &files})
      each->connect();
  fmt::print("{{\"files\": {}, \"agent\": {}}}\n", files.median(), agent.median());
  return 0;
}
