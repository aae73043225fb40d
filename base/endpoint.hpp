#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

/// The parts of HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; neither is checked. A text with two or more colons
/// and no brackets is an IPv6 address.
struct host_and_port {
  std::string_view host; ///< without brackets
  std::optional<std::string_view> port;
  bool bracketed = false;
};
/// Fails with errc::invalid when the brackets are not closed or something other than a port follows them.
result<host_and_port> split_host_port(std::string_view text);

/// 1 to 65535 in decimal, without leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text);

/// Where a server listens: a DNS name or IP address, and a port.
struct endpoint {
  std::string host; ///< an IPv6 address without brackets
  std::uint16_t port = 0;

  /// The longest text: a DNS name, a colon, a port.
  static constexpr std::size_t text_bytes_max = 261;

  /// "node1.example.org:30305", "10.0.0.1:30305" or "[::1]:30305". Only the characters of the host are
  /// checked, not whether it exists. Fails with errc::invalid and a message that quotes `text`.
  static result<endpoint> parse(std::string_view text);
  /// The text in the form that `parse` reads.
  std::string to_string() const;

  auto operator<=>(const endpoint&) const = default;
};

/// The same text, made of a host and a port.
std::string host_port(std::string_view host, std::uint16_t port);

} // namespace swarm
