#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>
#include <optional>

namespace swarm::transport {

/// One call of a SPIFFE agent's FetchX509SVID, a gRPC server stream over HTTP/2 without TLS: bytes in, bytes and
/// messages out. No sockets, no clock. Source: SPIFFE_Workload_Endpoint.md and SPIFFE_Workload_API.md of the SPIFFE
/// standards; PROTOCOL-HTTP2.md of gRPC.
class workload_call {
public:
  workload_call();
  ~workload_call();
  workload_call(const workload_call&) = delete;
  workload_call& operator=(const workload_call&) = delete;

  /// What is to be sent now; the first of it begins the call.
  bytes take_output();
  /// What has come. Fails when it is no HTTP/2, no gRPC, or longer than a message may be; nothing may be fed then.
  /// Errors carry a `tls_errc`.
  result<> feed(bytes_view raw);
  /// The newest message that was not taken yet: each is the whole truth, so that older ones do not matter.
  std::optional<bytes> take_message();
  /// How the agent has ended the call: with tls_errc::no_identity when it knows of none for this process. None: the call
  /// goes on.
  const std::optional<error>& ended() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace swarm::transport
