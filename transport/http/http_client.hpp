#pragma once

#include "transport/http/http.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <chrono>

namespace swarm::transport {

struct http_client_options {
  std::size_t connections_per_host_max = 4;
  std::size_t waiting_per_host_max = 4096;             ///< requests that wait for a connection
  std::chrono::milliseconds connect_timeout{10'000};   ///< resolve and connect together
  std::chrono::milliseconds handshake_timeout{10'000}; ///< TLS
  std::chrono::milliseconds progress_timeout{
      30'000}; ///< without a byte in either direction; there is no limit of the total time
  std::size_t progress_bytes =
      1; ///< of a body: what has to come within each `progress_timeout`, up to its end
  std::chrono::milliseconds idle_timeout{15'000}; ///< after it a kept connection is closed
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max =
      64 * 1024 * 1024;                     ///< of `request()` answers; `fetch` has no limit but its range
  std::size_t chunk_bytes_max = 256 * 1024; ///< of one `on_chunk` call
};

/// A request under way.
class http_call {
public:
  http_call() = default;
  /// Cancels the call: its completion follows with net_errc::cancelled, unless it is done already.
  void cancel();

  struct state;
  explicit http_call(std::shared_ptr<state> from) : state_(std::move(from)) {}

private:
  std::shared_ptr<state> state_;
};

/// What a finished `fetch` got.
struct fetch_result {
  unsigned status = 0; ///< 200 or 206
  http_headers headers;
  std::uint64_t bytes_received = 0;
  peer_info peer; ///< who served it
};

/// For status displays: who waits for whom, in which phase, since when, and when the last byte came.
struct http_call_status {
  std::string host;
  std::uint16_t port = 0;
  std::string method;
  std::string target;
  std::string_view
      phase; ///< "wait" (for a connection), "resolve", "connect", "handshake", "request", "response"
  time_point started{};
  time_point last_byte{}; ///< the epoch if none was received
  std::uint64_t bytes_received = 0;
};

struct http_client_totals {
  std::uint64_t connections = 0;      ///< made so far
  std::uint64_t sessions_resumed = 0; ///< of them with an abbreviated TLS handshake
  std::uint64_t requests = 0;         ///< begun, fetches included
  std::uint64_t failures = 0;         ///< completed with an error
  std::uint64_t bytes_received = 0;   ///< of bodies
};

/// An HTTPS/1.1 client with mutual TLS that keeps connections and TLS sessions per host and port. All
/// functions may be called from any thread. Completions run exactly once, on the runtime's threads, never
/// inside the call. Errors name host:port, the phase (the net_errc) and the last byte seen.
class http_client {
public:
  using completion = std::function<void(result<http_response>)>;
  /// Takes a piece of the body, which is valid during the call. An error ends the transfer and
  /// becomes its result.
  using on_chunk = std::function<result<>(bytes_view)>;
  using fetch_completion = std::function<void(result<fetch_result>)>;

  http_client(io_runtime& io, std::shared_ptr<const tls_identity> identity, http_client_options options = {});
  /// Stops.
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Any status counts as success here, so callers must look at it.
  http_call request(std::string host, std::uint16_t port, http_request request, completion done);
  /// GET with the body handed over piece by piece, in bounded memory. Fails with net_errc::http_status for
  /// any status but 200 (206 for a range), with net_errc::response when the body is shorter than announced or
  /// is not the range asked for.
  http_call fetch(std::string host, std::uint16_t port, std::string target, std::optional<byte_range> range,
                  on_chunk chunk, fetch_completion done, http_headers headers = {});

  std::vector<http_call_status> calls() const;
  http_client_totals totals() const;
  /// Cancels everything and closes all connections; blocks until every completion has run, except on an io
  /// thread. Later calls complete with net_errc::cancelled.
  void stop();

  struct impl;

private:
  std::shared_ptr<impl> impl_;
};

} // namespace swarm::transport
