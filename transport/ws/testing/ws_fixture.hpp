#pragma once

#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"
#include "transport/ws/websocket.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <utility>

/// What the tests of websocket share.
namespace swarm::transport::test {

using std::chrono::milliseconds;

/// What a client's callbacks were given. The callbacks own it, as the last of them may come after the
/// end of a test.
struct heard : std::enable_shared_from_this<heard> {
  std::mutex mutex;
  std::vector<ws_message> messages;
  std::atomic<int> opened{0};
  waiting_for<peer_info> open;
  waiting_for<error> closed;
  std::atomic<int> closes{0};

  ws_callbacks callbacks(bool keep_credit = true) {
    ws_callbacks out;
    out.on_open = [this, kept = shared_from_this()](const peer_info& peer) {
      ++opened;
      open.set(peer);
    };
    out.on_message = [this, kept = shared_from_this(), keep_credit](ws_message message) {
      if (!keep_credit) message.credit.reset();
      std::lock_guard lock(mutex);
      messages.push_back(std::move(message));
    };
    out.on_close = [this, kept = shared_from_this()](error why) {
      ++closes;
      closed.set(std::move(why));
    };
    return out;
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return messages.size();
  }
  ws_message take(std::size_t index) {
    if (!eventually([&] { return count() > index; }))
      throw std::runtime_error("waited in vain for a message");
    std::lock_guard lock(mutex);
    return messages[index];
  }
  void drop_credits() {
    std::lock_guard lock(mutex);
    for (auto& message : messages)
      message.credit.reset();
  }
};

struct ws_fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  tls_files server_files = ca.issue("sn-1");
  tls_files client_files = ca.issue("sl-1");
  std::shared_ptr<const tls_identity> client_identity = identity_of(client_files);
  io_runtime io{2};
  std::unique_ptr<http_server> server;

  void serve(ws_accept accept, http_server_options options = {}) {
    options.address = "127.0.0.1";
    auto started = http_server::start(
        io, identity_of(server_files), options,
        [](const http_request&, const http_reply& reply) { reply({.status = 404}); }, std::move(accept));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  void serve_echo(http_server_options options = {}) {
    serve(
        [](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
          ws_callbacks callbacks;
          callbacks.on_message = [session](ws_message message) {
            (void)session->send(shared_slice::of(std::move(message.data)), message.text);
          };
          session->start(std::move(callbacks));
        },
        std::move(options));
  }
  std::shared_ptr<ws_session> dial(ws_callbacks callbacks, ws_options options = {},
                                   std::string target = "/ws") {
    return ws_connect(io, client_identity, "127.0.0.1", server->port(), std::move(target), std::move(options),
                      std::move(callbacks));
  }
  raw_tls raw() {
    auto client = raw_tls::connect(server->port(), client_files);
    client.write(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
        "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    CHECK(has(client.read_until("\r\n\r\n"), "101 Switching Protocols"));
    return client;
  }
};

/// A frame as a client sends it, masked with zeros; shorter than 126 bytes.
inline std::string frame(unsigned char first, const std::string& payload) {
  std::string out{static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
  return out + std::string(4, '\0') + payload;
}

/// The server's side of one connection, which only receives.
struct watched {
  std::atomic<int> messages{0};
  waiting_for<error> closed;
  ws_accept acceptor() {
    return [this](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
      ws_callbacks callbacks;
      callbacks.on_message = [this](const ws_message&) { ++messages; };
      callbacks.on_close = [this](error why) { closed.set(std::move(why)); };
      session->start(std::move(callbacks));
    };
  }
};

} // namespace swarm::transport::test
