#include "config/values.hpp"

#include "base/utf8.hpp"
#include "base/writing_direction.hpp"
#include "transport/proxy/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

namespace swarm::config {

namespace {

constexpr std::size_t path_bytes_max = 4095;
constexpr std::size_t host_bytes_max = 253; // RFC 1035, section 2.3.4, as text
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t shown_bytes_max = 80;
/// Who takes a snapshot fetches one state for a while, and the chain goes on meanwhile.
constexpr std::uint64_t kept_states_min = 1024;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_ip(int family, const std::string& text) {
  std::array<std::uint8_t, sizeof(in6_addr)> raw;
  return inet_pton(family, text.c_str(), raw.data()) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_bytes_max && label.front() != '-' && label.back() != '-'
         && std::all_of(label.begin(), label.end(),
                        [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > host_bytes_max) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

} // namespace

result<std::uint16_t> to_port(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number < 1 || *number > 65535)
    return fail(config_errc::bad_value, "'{}' is not a port; give a number from 1 to 65535", printable(text));
  return static_cast<std::uint16_t>(*number);
}

result<std::uint16_t> to_port_or_any(std::string_view text) {
  if (text == "0") return std::uint16_t{0};
  return to_port(text);
}

result<std::string> to_ip(std::string_view text) {
  std::string out(text);
  if (text.find('\0') == std::string_view::npos && (is_ip(AF_INET, out) || is_ip(AF_INET6, out))) return out;
  return fail(config_errc::bad_value,
              "'{}' is not an IP address; give one such as 192.168.1.10, 0.0.0.0 or ::1", printable(text));
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos;
}

result<std::string> to_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) // as an IPv6 address stands before a port
    if (auto ip = to_ip(text.substr(1, text.size() - 2)); ip && is_ipv6(*ip)) return ip;
  const bool numeric = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (numeric || text.find(':') != std::string_view::npos) {
    if (auto ip = to_ip(text)) return ip;
  } else if (is_host_name(text)) {
    return std::string(text);
  }
  return fail(
      config_errc::bad_value,
      "'{}' is neither an IP address nor a host name; give one such as 192.168.1.10 or node1.example.org",
      printable(text));
}

result<service> to_service(std::string_view text, std::uint16_t default_port) {
  auto wrong = [&](std::string_view why) {
    return fail(config_errc::bad_value,
                "'{}' is not a service ({}); give NAME or NAME:PORT, e.g. api.sn-1.swarm:443",
                printable(text), why);
  };
  const auto parts = split_host_port(text);
  if (!parts) return wrong(parts.error().message);
  auto name = to_host(parts->host);
  if (!name) return wrong("its host is neither an IP address nor a host name");
  if (!parts->port) return service{std::move(*name), default_port};
  const auto number = to_port(*parts->port);
  if (!number) return wrong("its port is not a number from 1 to 65535");
  return service{std::move(*name), *number};
}

result<bool> to_flag(std::string_view text) {
  const auto word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return fail(config_errc::bad_value, "'{}' is neither true nor false", printable(text));
}

result<std::uint64_t> to_block_count(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number > 1'000'000'000'000)
    return fail(config_errc::bad_value, "'{}' is not a number of blocks", printable(text));
  return *number;
}

result<std::uint64_t> to_kept_states(std::string_view text) {
  if (lower(text) == "all") return 0;
  SWARM_TRY(const auto count, to_block_count(text));
  if (count > 0 && count < kept_states_min)
    return fail(config_errc::bad_value,
                "{} states are too few, newcomers fetch one while blocks are made: at least {}, or 0 or all",
                count, kept_states_min);
  return count;
}

result<std::uint32_t> to_merge_count(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number > 1000)
    return fail(config_errc::bad_value, "'{}' is not a number of merges from 0 to 1000", printable(text));
  return static_cast<std::uint32_t>(*number);
}

result<std::chrono::seconds> to_seconds(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number < 1 || *number > 604800)
    return fail(config_errc::bad_value, "'{}' is not a number of seconds from 1 to 604800 (a week)",
                printable(text));
  return std::chrono::seconds(*number);
}

result<std::chrono::minutes> to_minutes(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number < 1 || *number > 10080)
    return fail(config_errc::bad_value, "'{}' is not a number of minutes from 1 to 10080 (a week)",
                printable(text));
  return std::chrono::minutes(*number);
}

result<std::uint32_t> to_user(std::string_view text) {
  const auto number = to_number(text);
  // The largest number means "no change" to the system.
  if (!number || *number >= 0xffff'ffff)
    return fail(config_errc::bad_value, "'{}' is not the number of a user or group", printable(text));
  return static_cast<std::uint32_t>(*number);
}

result<std::string> to_group(std::string_view text) {
  const bool fits =
      !text.empty() && text.size() <= 32 && text.front() != '-' && std::ranges::all_of(text, [](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
      });
  if (!fits)
    return fail(config_errc::bad_value, "'{}' is not the name or number of a group", printable(text));
  return std::string(text);
}

result<std::uint64_t> to_byte_count(std::string_view text) {
  constexpr std::string_view units = "kmgt";
  const auto unit = text.empty() ? std::string_view::npos : units.find(lower(text.substr(text.size() - 1)));
  const auto shift = unit == std::string_view::npos ? 0 : 10 * (unit + 1);
  if (shift > 0) text.remove_suffix(1);
  const auto number = to_number(text);
  if (!number || *number == 0 || *number > (std::uint64_t{1} << 62 >> shift))
    return fail(config_errc::bad_value, "'{}' is not a number of bytes, such as 20G or 500M",
                printable(text));
  return *number << shift;
}

result<hash32> to_block_hash(std::string_view text) {
  const auto hash = text.starts_with("0x") ? fixed_from_hex<32>(text) : fail(errc::invalid, "no 0x");
  if (!hash)
    return fail(config_errc::bad_value, "'{}' is not the hash of a block: 0x and 64 hexadecimal digits",
                printable(text));
  return hash;
}

result<std::string> to_manager(std::string_view text) {
  auto name = lower(text);
  if (name != "process" && name != "docker" && name != "slurm" && name != "kubernetes")
    return fail(config_errc::bad_value,
                "'{}' is no manager of this version; there are 'process', 'docker', 'slurm' and 'kubernetes'",
                printable(text));
  return name;
}

result<std::filesystem::path> to_engine_socket(std::string_view text) {
  constexpr std::string_view scheme = "unix://";
  SWARM_TRY(auto path, to_path(text.starts_with(scheme) ? text.substr(scheme.size()) : text));
  if (!path.is_absolute())
    return fail(config_errc::bad_value,
                "'{}' is no container engine's socket; give its absolute path, or unix:// and the path",
                printable(text));
  return path;
}

result<std::filesystem::path> to_agent_socket(std::string_view text) {
  constexpr std::string_view scheme = "unix:";
  auto rest = text.starts_with(scheme) ? text.substr(scheme.size()) : text;
  if (rest.size() < text.size() && rest.starts_with("//")) rest.remove_prefix(2);
  SWARM_TRY(auto path, to_path(rest));
  if (!path.is_absolute())
    return fail(
        config_errc::bad_value,
        "'{}' is no SPIFFE agent's socket; give its absolute path, or unix:// and the path (agents that "
        "listen by TCP are not asked)",
        printable(text));
  return path;
}

result<std::string> to_image(std::string_view text) {
  constexpr std::size_t bytes_max = 255;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || std::string_view("._-/:@").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > bytes_max || text.front() == '-' || !std::ranges::all_of(text, is_plain))
    return fail(config_errc::bad_value, "'{}' is no image's name, as registry/name:tag is one",
                printable(text));
  return std::string(text);
}

result<bool> to_swci_mode(std::string_view text) {
  const auto mode = lower(text);
  if (mode != "cli" && mode != "web")
    return fail(config_errc::bad_value, "'{}' is not a mode; there are CLI and WEB", printable(text));
  return mode == "web";
}

result<std::string> to_name(std::string_view text) {
  if (text.size() > name_bytes_max)
    return fail(config_errc::bad_value, "the name '{}' has {} bytes; at most {} are allowed", printable(text),
                text.size(), name_bytes_max);
  const bool fits =
      !text.empty() && is_alphanumeric(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
      });
  if (!fits)
    return fail(
        config_errc::bad_value,
        "'{}' cannot be a name; use letters, digits, '.', '_' and '-', beginning with a letter or digit",
        printable(text));
  return std::string(text);
}

result<std::filesystem::path> to_path(std::string_view text) {
  if (text.empty()) return fail(config_errc::bad_value, "the path is empty");
  if (text.size() > path_bytes_max)
    return fail(config_errc::bad_value, "the path '{}' has {} bytes; at most {} are allowed", printable(text),
                text.size(), path_bytes_max);
  if (std::any_of(text.begin(), text.end(), is_control))
    return fail(config_errc::bad_value, "the path '{}' has control characters in it", printable(text));
  return std::filesystem::path(text);
}

result<log::level> to_level(std::string_view text) {
  const auto level = log::parse_level(text, log::level::off);
  if (level != log::level::off || lower(text) == "off") return level;
  return fail(config_errc::bad_value,
              "'{}' is not a log level; give TRACE, DEBUG, INFO, WARNING, ERROR or OFF", printable(text));
}

result<log::format> to_log_format(std::string_view text) {
  if (text == "text") return log::format::text;
  if (text == "json") return log::format::json;
  return fail(config_errc::bad_value, "'{}' is not a format of the log; give text or json", printable(text));
}

result<endpoint> to_metrics_place(std::string_view text) {
  if (const auto port = parse_port(text)) return endpoint{"127.0.0.1", *port};
  if (auto place = endpoint::parse(text); place && to_ip(place->host)) return place;
  return fail(config_errc::bad_value,
              "'{}' is no place to listen; give a port such as 30307, or an IP address and a port such as "
              "10.0.0.5:30307 or [::1]:30307",
              printable(text));
}

result<std::string> to_proxy(std::string_view text) {
  if (const auto read = transport::parse_proxy(text); !read)
    return fail(config_errc::bad_value, "{}", read.error().message);
  return std::string(text);
}

result<std::string> to_no_proxy(std::string_view text) {
  if (const auto read = transport::proxy_rules::make("", text); !read)
    return fail(config_errc::bad_value, "{}", read.error().message);
  return std::string(text);
}

std::string printable(std::string_view text) {
  auto shown = std::min(text.size(), shown_bytes_max);
  // A character of UTF-8 has at most three bytes besides its first: it is shown as a whole or not.
  const auto is_inside = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80; };
  for (int back = 0; back < 3 && shown < text.size() && shown > 0 && is_inside(shown); ++back)
    --shown;
  std::string out(text.substr(0, shown));
  const bool readable = is_utf8(out);
  const auto is_shown = [&](char c) { return !is_control(c) && (readable || (c & 0x80) == 0); };
  std::replace_if(out.begin(), out.end(), std::not_fn(is_shown), '?');
  hide_turns(out);
  if (text.size() > shown) out += "...";
  return out;
}

} // namespace swarm::config
