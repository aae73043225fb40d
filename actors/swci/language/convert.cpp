#include "actors/swci/language/convert.hpp"

#include "actors/swci/language/table.hpp"
#include "actors/swci/language/words.hpp"
#include "base/endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::swci {

namespace {

constexpr std::size_t name_bytes_max = 160; // as the schema of tasks says
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t body_line_chars_max = 79;
constexpr std::size_t paths_max = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Characters of UTF-8.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

tl::unexpected<error> not_what(const argument& from) {
  return fail(errc::invalid, "'{}' is no {}: give {}", shortened(from.words.front()), from.where.name,
              info_of(from.where.kind).what);
}

std::size_t bytes_max_of(hole_kind kind) {
  const bool is_name = kind == hole_kind::context || kind == hole_kind::contract || kind == hole_kind::task
                       || kind == hole_kind::taskrunner || kind == hole_kind::node || kind == hole_kind::text
                       || kind == hole_kind::organisation || kind == hole_kind::variable;
  return is_name ? name_bytes_max : text_bytes_max;
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t out = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failure != std::errc{} || stop != text.data() + text.size() || out < min || out > max)
    return std::nullopt;
  return out;
}

result<std::uint64_t> number(const argument& from) {
  const auto& info = info_of(from.where.kind);
  const auto out = number_in(from.words.front(), info.min, info.max);
  if (!out) return not_what(from);
  return *out;
}

result<> convert_host(const argument& from, sn_address& to) {
  std::string_view host = from.words.front();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (std::count(host.begin(), host.end(), ':') == 1)
    return fail(errc::invalid, "'{}' has a port in it: write host and port as two words", shortened(host));
  const auto checked = endpoint::parse(host_port(host, 1));
  if (!checked) return not_what(from);
  to.host = checked->host;
  return {};
}

result<> convert_service(const argument& from, sn_address& to) {
  const auto parts = split_host_port(from.words.front());
  const auto port = parts && parts->port ? parse_port(*parts->port) : std::uint16_t{443};
  if (!parts || !port) return not_what(from);
  const auto checked = endpoint::parse(host_port(parts->host, *port));
  if (!checked) return not_what(from);
  to = {checked->host, checked->port, true};
  return {};
}

result<> convert_help(const argument& from, std::string& to) {
  if (commands_beginning_with(from.words).empty()) {
    std::string all;
    for (const auto& each : from.words)
      all += (all.empty() ? "" : " ") + each;
    return fail(errc::not_found, "there is no command '{}'{}", shortened(all),
                hint(nearest_command(from.words)));
  }
  for (const auto& each : from.words)
    to += (to.empty() ? "" : " ") + upper(each);
  return {};
}

result<> add_options(std::string_view letters, std::string& to) {
  for (const char letter : letters) {
    if (ls_options.find(letter) == std::string_view::npos)
      return fail(errc::invalid, "'-{}' is no option of ls; it knows -{}", shortened(letters), ls_options);
    if (to.find(letter) == std::string::npos) to += letter;
  }
  return {};
}

} // namespace

result<> convert(const argument& from, std::string& to) {
  const auto kind = from.where.kind;
  if (kind == hole_kind::topic) return convert_help(from, to);
  const auto& text = from.words.front();
  if (kind == hole_kind::line) {
    if (characters_in(text) > body_line_chars_max)
      return fail(errc::limit, "the line has {} characters; a task's body takes {} in one",
                  characters_in(text), body_line_chars_max);
    to = text;
    return {};
  }
  if (text.empty() && kind != hole_kind::value && kind != hole_kind::text)
    return fail(errc::invalid, "<{}> is empty: give {}", from.where.name, info_of(kind).what);
  if (text.size() > bytes_max_of(kind))
    return fail(errc::limit, "<{}> has {} bytes; at most {} are taken", from.where.name, text.size(),
                bytes_max_of(kind));
  if (kind == hole_kind::variable && !is_variable_name(text)) return not_what(from);
  const auto& choices = info_of(kind).choices;
  to = choices.empty() ? text : upper(text);
  if (!choices.empty() && std::find(choices.begin(), choices.end(), to) == choices.end())
    return not_what(from);
  return {};
}

result<> convert(const argument& from, bool& to) {
  std::string word;
  SWARM_CHECK(convert(from, word));
  to = word == "ON";
  return {};
}

result<> convert(const argument& from, std::uint64_t& to) {
  SWARM_TRY(to, number(from));
  return {};
}

result<> convert(const argument& from, std::uint32_t& to) {
  SWARM_TRY(const auto wide, number(from));
  to = static_cast<std::uint32_t>(wide);
  return {};
}

result<> convert(const argument& from, std::optional<std::uint64_t>& to) {
  SWARM_TRY(to, number(from));
  return {};
}

result<> convert(const argument& from, std::chrono::milliseconds& to) {
  const std::string_view text = from.words.front();
  const auto point = text.find('.');
  const auto decimals = point == std::string_view::npos ? std::string_view("0") : text.substr(point + 1);
  const auto whole = number_in(text.substr(0, point), 0, info_of(from.where.kind).max);
  const auto part = number_in(decimals, 0, 999);
  if (!whole || !part || decimals.size() > 3) return not_what(from);
  constexpr std::uint64_t worth[] = {0, 100, 10, 1};
  to = std::chrono::seconds(*whole) + std::chrono::milliseconds(*part * worth[decimals.size()]);
  return {};
}

result<> convert(const argument& from, sn_address& to) {
  if (from.where.kind == hole_kind::service) return convert_service(from, to);
  if (from.where.kind == hole_kind::ip) return convert_host(from, to);
  SWARM_TRY(const auto port, number(from));
  to.port = static_cast<std::uint16_t>(port);
  return {};
}

result<> convert(const argument& from,
                 std::variant<commands::with_all_peers, commands::with_peers, commands::one_swop>& to) {
  if (from.where.kind == hole_kind::node) return convert(from, to.emplace<commands::one_swop>().uid);
  return convert(from, to.emplace<commands::with_peers>().count);
}

result<> convert(const argument& from, std::variant<std::uint32_t, std::string>& to) {
  const auto& text = from.words.front();
  if (std::all_of(text.begin(), text.end(), is_digit) && !text.empty())
    return convert(from, to.emplace<std::uint32_t>());
  return convert(from, to.emplace<std::string>());
}

result<> convert(const argument& from, commands::list_files& to) {
  for (const auto& each : from.words) {
    if (each.starts_with('-') && each.size() > 1) {
      SWARM_CHECK(add_options(std::string_view(each).substr(1), to.options));
    } else {
      if (each.empty() || each.size() > text_bytes_max)
        return fail(errc::invalid, "a path of ls is empty or longer than {} bytes", text_bytes_max);
      to.paths.push_back(each);
    }
  }
  if (to.paths.size() > paths_max)
    return fail(errc::limit, "ls was given {} paths; it takes {}", to.paths.size(), paths_max);
  return {};
}

} // namespace swarm::swci
