#include "transport/http/http.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::transport {

namespace {

bool same_letters(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// A decimal number that is all of `text`.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The first and last byte that "a-b", "a-" or "-n" means in a resource of `size` > 0 bytes; the last one may
/// lie beyond the end.
std::optional<std::pair<std::uint64_t, std::uint64_t>> first_and_last(std::string_view spec,
                                                                      std::uint64_t size) {
  auto dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto first = number(spec.substr(0, dash));
  auto last = number(spec.substr(dash + 1));
  if (dash == 0) {
    if (!last) return std::nullopt;
    return *last == 0 ? std::pair{size, size} : std::pair{size - std::min(*last, size), size - 1};
  }
  if (!first || (!last && dash + 1 != spec.size())) return std::nullopt;
  if (last && *last < *first) return std::nullopt;
  return std::pair{*first, last.value_or(size - 1)};
}

} // namespace

std::string_view find_header(const http_headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (same_letters(key, name)) return value;
  return {};
}

http_response text_response(unsigned status, std::string body, std::string_view content_type) {
  http_response out;
  out.status = status;
  out.headers.emplace_back("Content-Type", content_type);
  out.body = std::move(body);
  return out;
}

result<std::optional<byte_range>> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (header.substr(0, unit.size()) != unit) return std::nullopt;
  auto spec = header.substr(unit.size());
  if (spec.find(',') != std::string_view::npos) return std::nullopt;
  auto bounds = first_and_last(spec, std::max<std::uint64_t>(size, 1));
  if (!bounds) return std::nullopt;
  auto [first, last] = *bounds;
  if (first >= size) return fail(net_errc::limit, "the range {} lies outside of {} bytes", spec, size);
  return byte_range{first, std::min(last, size - 1) - first + 1};
}

http_response range_response(const http_request& request, std::uint64_t size,
                             const std::function<decltype(http_response::slice)(byte_range)>& slice) {
  http_response out;
  auto range = parse_range(find_header(request.headers, "Range"), size);
  if (!range) {
    out = text_response(416, range.error().message + "\n");
    out.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return out;
  }
  out.headers.emplace_back("Content-Type", "application/octet-stream");
  out.headers.emplace_back("Accept-Ranges", "bytes");
  auto part = range->value_or(byte_range{0, size});
  if (*range) {
    out.status = 206;
    out.headers.emplace_back("Content-Range",
                             fmt::format("bytes {}-{}/{}", part.offset, part.offset + part.length - 1, size));
  }
  if (part.length > 0) out.slice = slice(part);
  return out;
}

result<url_parts> parse_url(std::string_view url) {
  auto bad = [&](std::string_view why) {
    return fail(net_errc::address, "'{}' is no address of the form https://host:port/path: {}", url, why);
  };
  url_parts out;
  auto colon = url.find("://");
  if (colon == std::string_view::npos) return bad("the scheme is missing");
  out.scheme = url.substr(0, colon);
  if (out.scheme != "https" && out.scheme != "wss") return bad("the scheme must be https or wss");
  auto rest = url.substr(colon + 3);
  auto authority = rest.substr(0, rest.find('/'));
  if (authority.size() < rest.size()) out.target = rest.substr(authority.size());
  if (authority.find('@') != std::string_view::npos) return bad("user names are not supported");
  const auto parts = split_host_port(authority);
  if (!parts) return bad(parts.error().message);
  out.host = parts->host;
  if (out.host.empty()) return bad("the host is missing");
  const bool is_bare_ipv6 = !parts->bracketed && out.host.find(':') != std::string::npos;
  const auto port = parts->port ? parse_port(*parts->port) : std::optional<std::uint16_t>(443);
  if (is_bare_ipv6 || !port) return bad("the port must be a number from 1 to 65535");
  out.port = *port;
  return out;
}

} // namespace swarm::transport
