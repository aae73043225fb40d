#pragma once

#include "transport/http/http_client.hpp"
#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

/// What the tests of http_client share.
namespace swarm::transport::test {

using std::chrono::milliseconds;

struct http_fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  tls_files server_files = ca.issue("sn-1");
  tls_files client_files = ca.issue("sl-1");
  std::shared_ptr<const tls_identity> server_identity = identity_of(server_files);
  io_runtime io{2};
  std::unique_ptr<http_server> server;
  std::unique_ptr<http_client> client;

  explicit http_fixture(http_client_options options = {}) {
    client = std::make_unique<http_client>(io, identity_of(client_files), options);
  }
  void serve(http_handler handler, http_server_options options = {}) {
    options.address = "127.0.0.1";
    auto started = http_server::start(io, server_identity, options, std::move(handler));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  result<http_response> ask(std::uint16_t port, http_request request = {}) {
    waiting_for<result<http_response>> done;
    client->request("127.0.0.1", port, std::move(request), [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  result<http_response> ask(http_request request = {}) { return ask(server->port(), std::move(request)); }
  result<fetch_result> fetch(std::uint16_t port, const std::string& target, std::optional<byte_range> range,
                             std::string& into) {
    waiting_for<result<fetch_result>> done;
    auto take = [&](bytes_view piece) -> result<> {
      into.append(as_text(piece));
      return {};
    };
    client->fetch("127.0.0.1", port, target, range, take, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  /// A server that does what `script` says after the handshake, once per connection.
  std::unique_ptr<raw_listener> scripted(const std::function<void(raw_tls&)>& script) {
    return std::make_unique<raw_listener>([this, script](int fd) {
      auto tls = raw_tls::accept(fd, server_files);
      script(tls);
    });
  }
};

inline void echo(const http_request& request, const http_reply& reply) {
  reply(text_response(200, request.method + " " + request.target + " " + request.body));
}

} // namespace swarm::transport::test
