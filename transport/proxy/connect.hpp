#pragma once

#include "transport/errors.hpp"
#include "transport/proxy/proxy.hpp"

#include <optional>

namespace swarm::transport {

/// The most that is read of a proxy's answer.
inline constexpr std::size_t connect_answer_bytes_max = 16 * 1024;

/// The request by which a proxy is asked for a way to host:port (RFC 9110 section 9.3.6), with its login if it has one.
std::string connect_request(const proxy& by, const std::string& to);

/// What a proxy answers to that.
struct connect_answer {
  unsigned status = 0;
  std::string reason;               ///< printable, shortened
  std::vector<std::string> schemes; ///< by which it wants a login, such as "Basic"
};

/// Reads the answer's head, with interim ones (1xx) before it. None: more has to come. Fails with
/// proxy_errc::malformed when it is no HTTP, is too long, or when something follows a success: there TLS begins, and
/// not with the server.
result<std::optional<connect_answer>> read_connect_answer(std::string_view so_far);

/// Whether the way to `to` (host:port) is open. Else an error that names the proxy and says what to do: proxy_errc, or
/// net_errc::connect and net_errc::timeout when the proxy itself has not come to `to`.
result<> judge_connect_answer(const connect_answer& answer, const proxy& by, std::string_view to);

} // namespace swarm::transport
