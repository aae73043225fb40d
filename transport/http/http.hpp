#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "transport/errors.hpp"
#include "transport/identity/certificate_facts.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace swarm::transport {

/// The other side of a connection, as its certificate proves. Without TLS nothing is proved: `has_proof` is false.
struct peer_info {
  std::string address; ///< numeric
  std::uint16_t port = 0;
  bool has_tls = false;    ///< of what a server receives: it came by TLS
  hash32 cert_fingerprint; ///< SHA-256 of its certificate in DER
  std::string cert_subject;
  std::shared_ptr<const certificate_facts> certificate; ///< null without proof
  /// The trusted certificate at which its chain ends: the organisation that vouches for it; null without proof.
  std::shared_ptr<const certificate_facts> anchor;
  hash32 own_fingerprint; ///< of the certificate that this node presented on this connection

  bool has_proof() const { return !cert_fingerprint.is_zero(); }
};

/// Bytes that are kept alive by `owner` and sent without being copied.
struct shared_slice {
  std::shared_ptr<const void> owner;
  bytes_view data;

  static shared_slice of(std::string text) {
    auto held = std::make_shared<const std::string>(std::move(text));
    return {held, as_bytes(*held)};
  }
  static shared_slice of(bytes raw) {
    auto held = std::make_shared<const bytes>(std::move(raw));
    return {held, *held};
  }
};

/// A part of a file, read in pieces while it is sent. The file must not shrink meanwhile.
struct file_slice {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Names are compared without regard to case. Content-Length, Connection, Transfer-Encoding and Host belong
/// to the transport and are ignored when given.
using http_headers = std::vector<std::pair<std::string, std::string>>;
/// The first value of `name`, empty if there is none.
std::string_view find_header(const http_headers& headers, std::string_view name);

struct http_request {
  std::string method = "GET";
  std::string target = "/"; ///< path and query as on the wire, not decoded
  http_headers headers;
  std::string body;
  peer_info peer; ///< filled in by the server
  /// Client only: whether the request may be sent a second time when a kept connection turns out to be dead.
  /// GET and HEAD always may.
  bool repeatable = false;
};

struct http_response {
  unsigned status = 200;
  http_headers headers;
  std::string body;
  /// Server only: sent in place of `body` when set.
  std::variant<std::monostate, shared_slice, file_slice> slice;
  peer_info peer; ///< client only: who answered
};

/// A response with a plain text body, for error replies and small answers.
http_response text_response(unsigned status, std::string body, std::string_view content_type = "text/plain");

/// Part of a resource: `length` bytes from `offset`; `length` 0 means to the end.
struct byte_range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
/// What a Range header asks for of a resource of `size` bytes (RFC 9110 section 14.2; one range only).
/// Returns nothing for an absent or malformed header, which asks for the whole resource. Fails with
/// errc::limit when the range lies outside (answer 416).
result<std::optional<byte_range>> parse_range(std::string_view header, std::uint64_t size);
/// Answers a GET for a resource of `size` bytes whose pieces `slice(offset, length)` gives: 200, 206 or 416
/// with the headers that belong to them.
http_response range_response(const http_request& request, std::uint64_t size,
                             const std::function<decltype(http_response::slice)(byte_range)>& slice);

/// Scheme, host, port and target of "https://host:port/path" or "wss://..."; IPv6 hosts in brackets.
struct url_parts {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string target = "/";
};
result<url_parts> parse_url(std::string_view url);

} // namespace swarm::transport
