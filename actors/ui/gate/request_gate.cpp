#include "actors/ui/gate/request_gate.hpp"

#include <algorithm>

namespace swarm::ui {

namespace {

constexpr std::uint16_t https_port = 443;
constexpr std::size_t cookies_max = 4;

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), small);
  return out;
}

bool is_same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, small, small);
}

/// The values of all headers of this name.
std::vector<std::string_view> all_of(const asked& request, std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : request.headers)
    if (is_same(key, name)) out.push_back(value);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool only_reads(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

refused_request other_page() {
  return {403, "this request comes from another site's page; open this page itself"};
}

} // namespace

request_gate::request_gate(const std::string& address, std::uint16_t port,
                           const std::vector<endpoint>& more) {
  for (const auto* loopback : {"localhost", "127.0.0.1", "::1"})
    add(loopback, port, false);
  if (address != "0.0.0.0" && address != "::") add(address, port, false);
  for (const auto& each : more) {
    add(each.host, each.port == 0 ? port : each.port, true);
    if (each.port == 0) add(each.host, https_port, true);
  }
}

void request_gate::add(std::string_view host, std::uint16_t port, bool is_given) {
  names_.push_back({in_small_letters(host_port(host, port)), is_given});
  if (port != https_port) return;
  const bool is_ipv6 = host.find(':') != std::string_view::npos; // browsers leave out the usual port
  names_.push_back({in_small_letters(is_ipv6 ? fmt::format("[{}]", host) : std::string(host)), is_given});
}

const request_gate::name* request_gate::find(std::string_view authority) const {
  const auto found =
      std::ranges::find_if(names_, [&](const auto& each) { return is_same(each.authority, authority); });
  return found == names_.end() ? nullptr : &*found;
}

std::optional<refused_request> request_gate::look(const asked& request) const {
  if (!request.target.starts_with('/') || request.target.size() > target_bytes_max)
    return refused_request{400, "the target of a request is a path"};
  const auto hosts = all_of(request, "Host");
  const auto* host = hosts.size() == 1 ? find(trimmed(hosts.front())) : nullptr;
  if (host == nullptr)
    return refused_request{403, "the page is not served under this name; --ui-host NAME adds one"};
  const auto origins = all_of(request, "Origin");
  if (origins.empty()) {
    // Programs that are no browsers send none with GET; every browser does with whatever else could do harm.
    if (request.is_upgrade || !only_reads(request.method)) return other_page();
    const auto sites = all_of(request, "Sec-Fetch-Site");
    const auto modes = all_of(request, "Sec-Fetch-Mode");
    const bool is_foreign = !sites.empty() && (sites.front() == "cross-site" || sites.front() == "same-site");
    if (is_foreign && (modes.empty() || modes.front() != "navigate")) return other_page();
    return std::nullopt;
  }
  if (origins.size() != 1) return other_page();
  auto origin = trimmed(origins.front());
  const bool says_tls = origin.starts_with("https://");
  if (!says_tls && !origin.starts_with("http://")) return other_page();
  origin.remove_prefix(says_tls ? 8 : 7);
  if (!is_same(origin, trimmed(hosts.front()))) return other_page();
  if (says_tls != request.has_tls && !(says_tls && host->is_given)) return other_page();
  return std::nullopt;
}

std::vector<std::string_view> cookies_of(const std::vector<std::pair<std::string, std::string>>& headers,
                                         std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : headers) {
    if (!is_same(key, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty() && out.size() < cookies_max) {
      const auto end = std::min(rest.find(';'), rest.size());
      const auto one = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
        out.push_back(one.substr(name.size() + 1));
    }
  }
  return out;
}

} // namespace swarm::ui
