#pragma once
// Heads of HTTP/1.1 messages as text. No sockets.
#include "transport/http/http.hpp"

namespace swarm::transport {

/// Bodies up to this size are sent in one piece with the head.
inline constexpr std::size_t joined_body_bytes_max = 16 * 1024;

/// "Internal Server Error" for 500; "Unknown" for a status without a name here.
std::string_view status_text(unsigned status);
/// Status line and headers of `response`, whose body has `length` bytes. Headers that belong to the transport
/// are left out. Fails, naming the header, when one would break the framing (control characters, no token).
result<std::string> response_head(const http_response& response, std::uint64_t length, bool keep_alive);
/// Request line and headers.
result<std::string> request_head(const http_request& request, std::string_view host, std::uint16_t port);

} // namespace swarm::transport
