#include "transport/proxy/proxy.hpp"

#include "base/ip_address.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::transport {

namespace {

constexpr std::size_t address_bytes_max = 2048;
constexpr std::size_t no_proxy_bytes_max = 64 * 1024;
constexpr std::uint16_t usual_port = 1080; ///< curl's, of a proxy without one
constexpr std::string_view form = "give http://HOST:PORT or http://USER:PASSWORD@HOST:PORT";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// With "%41" as "A"; nothing when a '%' is followed by something else.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

result<> read_login(std::string_view text, proxy& into) {
  const auto colon = text.find(':');
  const auto user = decoded(text.substr(0, colon));
  const auto password =
      colon == std::string_view::npos ? std::optional<std::string>("") : decoded(text.substr(colon + 1));
  if (!user || !password)
    return fail(proxy_errc::address,
                "the proxy's login has a '%' that begins no '%XX'; write a '%' itself as '%25'");
  if (user->find(':') != std::string::npos)
    return fail(proxy_errc::address, "the user of the proxy has a colon, which Basic logins cannot carry");
  into.user = *user;
  into.password = *password;
  return {};
}

/// Without a dot at its end: "a.example." is "a.example".
std::string_view without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool ends_in(std::string_view host, std::string_view name) {
  return host.ends_with(name) && (host.size() == name.size() || host[host.size() - name.size() - 1] == '.');
}

bool is_within(const std::vector<std::uint8_t>& address, const std::vector<std::uint8_t>& network,
               unsigned bits) {
  if (address.size() != network.size()) return false;
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(address.begin(), address.begin() + whole, network.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
  return ((address[bits / 8] ^ network[bits / 8]) & mask) == 0;
}

bool is_this_host(const std::vector<std::uint8_t>& address) {
  static const auto loopback = *parse_ip("::1");
  return address.size() == 4 ? address[0] == 127 : address == loopback;
}

} // namespace

result<proxy> parse_proxy(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return fail(proxy_errc::address, "the proxy's address {}; {}", why, form);
  };
  if (text.size() > address_bytes_max) return bad("is too long");
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == 0x7f; }))
    return bad("has blanks or control characters in it");
  if (const auto mark = text.find("://"); mark != std::string_view::npos) {
    const auto scheme = lower(text.substr(0, mark));
    if (scheme == "https" || scheme.starts_with("socks"))
      return bad("is one of TLS (https) or SOCKS, and only HTTP proxies are supported");
    if (scheme != "http") return bad("begins with a scheme that is not http");
    text.remove_prefix(mark + 3);
  }
  text = text.substr(0, text.find_first_of("/?#"));
  proxy out;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    SWARM_CHECK(read_login(text.substr(0, at), out));
    text.remove_prefix(at + 1);
  }
  const auto parts = split_host_port(text);
  if (!parts || parts->host.empty()) return bad("has no host");
  const auto port = parts->port ? parse_port(*parts->port) : usual_port;
  if (!port) return bad("has a port that is no number from 1 to 65535");
  auto where = endpoint::parse(host_port(parts->host, *port));
  if (!where) return bad("has a host that is neither a name nor an address");
  out.where = std::move(*where);
  return out;
}

std::string shown_proxy(std::string_view text) {
  const auto read = parse_proxy(text);
  return read ? read->shown() : "(not readable)";
}

result<proxy_rules> proxy_rules::make(std::string_view proxy_text, std::string_view no_proxy) {
  proxy_rules out;
  if (no_proxy.size() > no_proxy_bytes_max)
    return fail(proxy_errc::address, "the list of hosts without a proxy has more than {} bytes",
                no_proxy_bytes_max);
  if (!proxy_text.empty()) {
    SWARM_TRY(out.by_, parse_proxy(proxy_text));
  }
  constexpr std::string_view between = ", \t";
  std::size_t tokens = 0;
  while (true) {
    const auto begin = no_proxy.find_first_not_of(between);
    if (begin == std::string_view::npos) break;
    no_proxy.remove_prefix(begin);
    const auto token = no_proxy.substr(0, no_proxy.find_first_of(between));
    no_proxy.remove_prefix(token.size());
    ++tokens;
    out.all_direct_ = tokens == 1 && token == "*";
    out.add_exception(token);
  }
  return out;
}

void proxy_rules::add_exception(std::string_view token) {
  const auto slash = token.find('/');
  if (auto address = parse_ip(token.substr(0, slash))) {
    const auto width = static_cast<unsigned>(address->size() * 8);
    unsigned bits = width;
    if (slash != std::string_view::npos) {
      const auto text = token.substr(slash + 1);
      const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), bits);
      if (failure != std::errc{} || end != text.data() + text.size() || bits > width) return;
      if (bits == 0) bits = width; // to curl "/0" is that address alone
    }
    networks_.push_back({std::move(*address), bits});
    return;
  }
  if (token.starts_with('.')) token.remove_prefix(1);
  token = without_last_dot(token);
  if (!token.empty()) names_.push_back(lower(token));
}

const proxy* proxy_rules::proxy_for(std::string_view host) const {
  if (!by_ || all_direct_) return nullptr;
  if (const auto address = parse_ip(host)) {
    const bool excepted = std::ranges::any_of(
        networks_, [&](const network& each) { return is_within(*address, each.address, each.bits); });
    return excepted || is_this_host(*address) ? nullptr : &*by_;
  }
  const auto name = lower(without_last_dot(host));
  const bool excepted = name == "localhost" || ends_in(name, "localhost")
                        || std::ranges::any_of(names_, [&](const auto& each) { return ends_in(name, each); });
  return excepted ? nullptr : &*by_;
}

} // namespace swarm::transport
