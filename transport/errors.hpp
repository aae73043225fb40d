#pragma once

#include "base/result.hpp"

namespace swarm::transport {

/// What can be wrong with the certificate files of a node; one code per mistake.
enum class tls_errc {
  missing_file = 1, ///< a named file or folder does not exist or cannot be read
  not_pem,          ///< holds no PEM block of the wanted kind, or a damaged one
  encrypted_key,    ///< the private key has a pass phrase
  key_mismatch,     ///< the key belongs to another certificate
  expired,          ///< the certificate's time is over
  not_yet_valid,    ///< the certificate's time has not begun (or the clock is wrong)
  foreign_ca,       ///< the certificate was issued by none of the given CAs
  no_ca,            ///< neither cacert nor capath given
  empty_capath,     ///< capath holds no certificate
  wrong_purpose,    ///< the certificate may not be used by both a client and a server
  rejected,         ///< any other reason for which the library refuses the files
  no_agent,         ///< no SPIFFE agent answers at its socket
  no_identity,      ///< the SPIFFE agent gives this process none
  bad_svid          ///< what the SPIFFE agent gives is no SVID that a node could use
};
constexpr std::string_view error_category(tls_errc) {
  return "tls";
}

/// Why a connection, a request or a listener failed. The first five are also the phases of a request.
enum class net_errc {
  resolve = 1, ///< the host name has no address
  connect,     ///< nobody listens there, or no way to it
  handshake,   ///< TLS failed: the message says which side refused whom and why
  request,     ///< the connection broke while the request was sent
  response,    ///< the connection broke while the answer was received, or the answer is malformed
  timeout,     ///< no progress for the allowed time; the message names the phase and the last byte
  http_status, ///< the answer has an unwanted status
  limit,       ///< a size, count or queue bound was reached
  in_use,      ///< the port or socket file belongs to another process
  address,     ///< an address, port or path that cannot be used
  closed,      ///< the connection was closed in order
  lost,        ///< the connection broke
  cancelled    ///< by `cancel()` or `stop()`
};
constexpr std::string_view error_category(net_errc) {
  return "net";
}

} // namespace swarm::transport
