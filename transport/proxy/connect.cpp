#include "transport/proxy/connect.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::transport {

namespace {

constexpr std::size_t reason_bytes_max = 80;
constexpr std::size_t schemes_max = 8;

std::string base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = 0; j < 3; ++j)
      three = three << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= text.size() ? digits[three >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, reason_bytes_max));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// "HTTP/1.1 407 Proxy Authentication Required".
result<connect_answer> read_status_line(std::string_view line) {
  connect_answer out;
  constexpr std::size_t code_at = 9;
  const bool fits = line.size() >= code_at + 3 && line.starts_with("HTTP/1.") && line[code_at - 1] == ' ';
  const auto code = fits ? line.substr(code_at, 3) : std::string_view();
  const auto [end, failure] = std::from_chars(code.data(), code.data() + code.size(), out.status);
  if (!fits || failure != std::errc{} || end != code.data() + code.size() || out.status < 100
      || (line.size() > code_at + 3 && line[code_at + 3] != ' '))
    return fail(proxy_errc::malformed, "no HTTP/1.1");
  out.reason = printable(trimmed(line.substr(code_at + 3)));
  return out;
}

/// Of a head without its empty line.
result<connect_answer> read_head(std::string_view head) {
  auto end = std::min(head.find("\r\n"), head.size());
  SWARM_TRY(auto out, read_status_line(head.substr(0, end)));
  while (end < head.size()) {
    head.remove_prefix(end + 2);
    end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !same_name(line.substr(0, colon), "Proxy-Authenticate")) continue;
    const auto value = trimmed(line.substr(colon + 1));
    if (out.schemes.size() < schemes_max) out.schemes.push_back(printable(value.substr(0, value.find(' '))));
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

tl::unexpected<error> login_wanted(const connect_answer& answer, const proxy& by, std::string_view to) {
  const bool takes_basic =
      answer.schemes.empty()
      || std::ranges::any_of(answer.schemes, [](const auto& each) { return same_name(each, "Basic"); });
  if (!takes_basic)
    return fail(proxy_errc::login,
                "{}: the proxy {} wants a login by {} (status 407), and only Basic is supported; have it let "
                "this host through without one",
                to, by.shown(), joined(answer.schemes));
  if (by.has_login())
    return fail(proxy_errc::login,
                "{}: the proxy {} refuses the user '{}' or its password (status 407); correct them in the "
                "proxy's address (https_proxy, --proxy)",
                to, by.shown(), printable(by.user));
  return fail(proxy_errc::login,
              "{}: the proxy {} wants a user and a password (status 407); put them into its address "
              "(https_proxy, --proxy): http://USER:PASSWORD@HOST:PORT",
              to, by.shown());
}

} // namespace

std::string connect_request(const proxy& by, const std::string& to) {
  auto out = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: swarmd\r\n", to);
  if (by.has_login())
    out += fmt::format("Proxy-Authorization: Basic {}\r\n", base64(by.user + ":" + by.password));
  return out + "\r\n";
}

result<std::optional<connect_answer>> read_connect_answer(std::string_view so_far) {
  constexpr std::string_view beginning = "HTTP/1.", end_mark = "\r\n\r\n";
  const auto all = so_far.size();
  while (true) {
    if (!so_far.starts_with(beginning.substr(0, so_far.size())))
      return fail(proxy_errc::malformed, "no HTTP/1.1");
    const auto end = so_far.find(end_mark);
    if (end == std::string_view::npos) break;
    SWARM_TRY(auto answer, read_head(so_far.substr(0, end)));
    so_far.remove_prefix(end + end_mark.size());
    if (answer.status < 200) continue;
    if (answer.status < 300 && !so_far.empty())
      return fail(proxy_errc::malformed, "more than the answer to CONNECT");
    return std::optional(std::move(answer));
  }
  if (all >= connect_answer_bytes_max)
    return fail(proxy_errc::malformed, "more than {} bytes before the end of its answer",
                connect_answer_bytes_max);
  return std::optional<connect_answer>();
}

result<> judge_connect_answer(const connect_answer& answer, const proxy& by, std::string_view to) {
  const auto said =
      fmt::format("status {}{}{}", answer.status, answer.reason.empty() ? "" : " ", answer.reason);
  switch (answer.status) {
  case 407:
    return login_wanted(answer, by, to);
  case 403:
    return fail(proxy_errc::refused,
                "{}: the proxy {} does not allow this way ({}); have it allow CONNECT to this host and port "
                "(many allow port 443 only), or name the host in no_proxy",
                to, by.shown(), said);
  case 405:
  case 501:
    return fail(proxy_errc::refused,
                "{}: the proxy {} does no CONNECT ({}); name one that does, or the host in no_proxy", to,
                by.shown(), said);
  case 500:
  case 502:
  case 503:
    return fail(net_errc::connect, "{}: connect: the proxy {} does not reach it ({})", to, by.shown(), said);
  case 504:
    return fail(net_errc::timeout, "{}: connect: the proxy {} gets no answer from it ({})", to, by.shown(),
                said);
  default:
    if (answer.status < 300) return {};
    return fail(proxy_errc::refused, "{}: the proxy {} refuses this way ({}); its log says why", to,
                by.shown(), said);
  }
}

} // namespace swarm::transport
