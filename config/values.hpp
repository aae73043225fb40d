#pragma once

#include "config/options.hpp"

#include <string_view>

namespace swarm::config {

/// One setting's text as a typed value. Every function fails with config_errc::bad_value and says what is
/// wrong with the text and what would be right; the caller puts the place in front.

/// 1 to 65535.
result<std::uint16_t> to_port(std::string_view text);
/// The same, or 0: any free one.
result<std::uint16_t> to_port_or_any(std::string_view text);
/// An IPv4 or IPv6 literal, without brackets.
result<std::string> to_ip(std::string_view text);
/// True for an IPv6 address among what `to_host` gives.
bool is_ipv6(std::string_view host);
/// An IP literal or a host name after RFC 1123. Digits and dots alone must be a right IPv4 address; an IPv6
/// address may stand in brackets, which are taken off.
result<std::string> to_host(std::string_view text);
/// HOST, HOST:PORT or [IPv6]:PORT.
result<service> to_service(std::string_view text, std::uint16_t default_port);
/// true, yes, on, 1 and false, no, off, 0 in any case.
result<bool> to_flag(std::string_view text);
/// 0 to 1'000'000'000'000.
result<std::uint64_t> to_block_count(std::string_view text);
/// A number of blocks that is enough for those who read while blocks are made, or 0 or "all", which are 0.
result<std::uint64_t> to_kept_states(std::string_view text);
/// 0 to 1000.
result<std::uint32_t> to_merge_count(std::string_view text);
/// 1 to 604800 (a week).
result<std::chrono::seconds> to_seconds(std::string_view text);
/// 1 to 10080 (a week).
result<std::chrono::minutes> to_minutes(std::string_view text);
/// A user's or group's number.
result<std::uint32_t> to_user(std::string_view text);
/// A group's name or number; whether there is one on this host is not looked at.
result<std::string> to_group(std::string_view text);
result<hash32> to_block_hash(std::string_view text);
/// A number of bytes, with K, M, G or T for the powers of 1024: "20G".
result<std::uint64_t> to_byte_count(std::string_view text);
/// "process", in any case; what other managers there will be is refused with that.
result<std::string> to_manager(std::string_view text);
/// The absolute path of a container engine's socket, with unix:// in front of it or without.
result<std::filesystem::path> to_engine_socket(std::string_view text);
/// The absolute path of a SPIFFE agent's socket, with unix:// in front of it or without.
result<std::filesystem::path> to_agent_socket(std::string_view text);
/// An image's name; what all engines refuse is refused.
result<std::string> to_image(std::string_view text);
/// CLI or WEB, in any case; true: WEB.
result<bool> to_swci_mode(std::string_view text);
/// 1 to name_bytes_max of letters, digits, '.', '_', '-', beginning with a letter or digit; fit for
/// a file name.
result<std::string> to_name(std::string_view text);
/// A path without control characters that the system can take (below 4096 bytes).
result<std::filesystem::path> to_path(std::string_view text);
result<log::level> to_level(std::string_view text);
result<log::format> to_log_format(std::string_view text);
/// [ADDRESS:]PORT of an IP address, of this host where there is none.
result<endpoint> to_metrics_place(std::string_view text);

/// An HTTP proxy's address; errors do not quote it, as it may hold a password.
result<std::string> to_proxy(std::string_view text);
/// A list of hosts, as proxies' exceptions are.
result<std::string> to_no_proxy(std::string_view text);

/// A text from outside made fit for a one-line message: control characters replaced, at most 80 bytes.
std::string printable(std::string_view text);

} // namespace swarm::config
