#include "base/endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace swarm {

namespace {

constexpr std::size_t name_bytes_max = 253; // RFC 1035
constexpr std::size_t ipv6_bytes_max = 45;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool looks_like_ipv6(std::string_view host) {
  return host.size() <= ipv6_bytes_max && host.find(':') != std::string_view::npos
         && host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

bool looks_like_name(std::string_view host) {
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  return host.front() != '-' && host.front() != '.' && host.back() != '-'
         && std::all_of(host.begin(), host.end(), fits);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

} // namespace

result<host_and_port> split_host_port(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return fail(errc::invalid, "no closing bracket");
    const auto rest = text.substr(close + 1);
    host_and_port out{text.substr(1, close - 1), std::nullopt, true};
    if (!rest.empty() && rest.front() != ':') return fail(errc::invalid, "text after the bracket");
    if (!rest.empty()) out.port = rest.substr(1);
    return out;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.rfind(':') != colon) return host_and_port{text, {}, false};
  return host_and_port{text.substr(0, colon), text.substr(colon + 1), false};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* begin = text.data();
  const auto* end = begin + text.size();
  const auto [stop, failure] = std::from_chars(begin, end, port);
  if (failure != std::errc{} || stop != end || port == 0 || text.front() == '0') return std::nullopt;
  return port;
}

result<endpoint> endpoint::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(errc::invalid, "'{}' is no endpoint of the form host:port: {}",
                is_printable(text) ? text.substr(0, text_bytes_max) : "...", why);
  };
  if (text.size() > text_bytes_max) return bad("it is too long");
  const auto parts = split_host_port(text);
  if (!parts) return bad(parts.error().message);
  const auto host = parts->host;
  if (parts->bracketed && !looks_like_ipv6(host)) return bad("the brackets hold no IPv6 address");
  if (!parts->bracketed && host.find(':') != std::string_view::npos)
    return bad("an IPv6 address belongs in brackets: [address]:port");
  if (!parts->port) return bad("there is no port");
  const auto port = parse_port(*parts->port);
  if (!port) return bad("the port must be a number from 1 to 65535");
  if (host.empty() || host.size() > name_bytes_max) return bad("the host is missing or too long");
  if (!parts->bracketed && !looks_like_name(host))
    return bad("the host has characters that no name or address has");
  return endpoint{std::string(host), *port};
}

std::string endpoint::to_string() const {
  return host_port(host, port);
}

std::string host_port(std::string_view host, std::uint16_t port) {
  return host.find(':') != std::string_view::npos ? fmt::format("[{}]:{}", host, port)
                                                  : fmt::format("{}:{}", host, port);
}

} // namespace swarm
