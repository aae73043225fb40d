#include "transport/http/detail/http_wire.hpp"

#include <algorithm>
#include <array>

namespace swarm::transport {

namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  auto fits = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || marks.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    auto code = static_cast<unsigned char>(c);
    return (code < 0x20 && c != '\t') || code == 0x7f;
  });
}

bool is_target(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    auto code = static_cast<unsigned char>(c);
    return code > 0x20 && code < 0x7f;
  });
}

bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 5> ours{"content-length", "connection", "transfer-encoding", "host",
                                                 "keep-alive"};
  std::string lower(name);
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(ours.begin(), ours.end(), lower) != ours.end();
}

result<> append_headers(std::string& to, const http_headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_value(value))
      return fail(net_errc::request, "the header '{}' holds characters that no HTTP header may have", name);
    if (!is_ours(name)) fmt::format_to(std::back_inserter(to), "{}: {}\r\n", name, value);
  }
  return {};
}

} // namespace

std::string_view status_text(unsigned status) {
  switch (status) {
  case 100:
    return "Continue";
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 206:
    return "Partial Content";
  case 304:
    return "Not Modified";
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  default:
    return "Unknown";
  }
}

result<std::string> response_head(const http_response& response, std::uint64_t length, bool keep_alive) {
  auto out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_text(response.status));
  SWARM_CHECK(append_headers(out, response.headers));
  if (response.status != 204 && response.status != 304)
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  out += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return out;
}

result<std::string> request_head(const http_request& request, std::string_view host, std::uint16_t port) {
  if (!is_token(request.method)) return fail(net_errc::request, "'{}' is no HTTP method", request.method);
  if (!is_target(request.target))
    return fail(net_errc::request, "the target '{}' holds characters that must be escaped", request.target);
  auto out =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, host_port(host, port));
  SWARM_CHECK(append_headers(out, request.headers));
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD"))
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  return out;
}

} // namespace swarm::transport
