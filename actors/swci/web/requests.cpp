#include "actors/swci/web/requests.hpp"

#include "actors/swci/language/words.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <optional>

namespace swarm::swci {

namespace {

constexpr std::string_view exec_path = "/exec", command_query = "cmd=";
constexpr std::string_view upload_path = "/uploadTaskDef", interrupt_path = "/interrupt";
constexpr std::size_t file_name_bytes_max = 128;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Clients escape blanks and little else, so that a '%' without two digits stands for itself, and so does '+'.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

refusal no(unsigned status, std::string text) {
  return {status, std::move(text)};
}

/// What follows "cmd=" is the command to its end: clients do not escape '&'.
std::variant<any_order, refusal> read_exec(std::string_view query) {
  if (!query.starts_with(command_query))
    return no(400, "the command is missing: POST /exec?cmd=list%20tasks");
  auto command = unescaped(query.substr(command_query.size()));
  if (const auto fit = check_line(command); !fit) return no(400, fit.error().message);
  return any_order(order::exec{std::move(command)});
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The value of `name` in "form-data; name=\"file\"; filename=\"a.yaml\"".
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  while (true) {
    const auto at = header.find(';');
    if (at == std::string_view::npos) return std::nullopt;
    header = trimmed(header.substr(at + 1));
    const auto equals = header.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool is_it = equal_ignoring_case(trimmed(header.substr(0, equals)), name);
    header.remove_prefix(equals + 1);
    std::string value;
    if (header.starts_with('"')) {
      std::size_t end = 1;
      while (end < header.size() && header[end] != '"') {
        if (header[end] == '\\' && end + 1 < header.size()) ++end;
        value += header[end++];
      }
      if (end >= header.size()) return std::nullopt;
      header.remove_prefix(end + 1);
    } else {
      value = std::string(trimmed(header.substr(0, header.find(';'))));
    }
    if (is_it) return value;
  }
}

/// The value of a header among lines that end with CRLF.
std::string_view header_of(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(trimmed(line.substr(0, colon)), name))
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

/// A name that is one component of a path, whatever folder it is put in.
bool is_file_name(std::string_view name) {
  if (name.empty() || name.size() > file_name_bytes_max || name.starts_with('.')) return false;
  return name.find_first_of("/\\\"'") == std::string_view::npos
         && std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::variant<any_order, refusal> uploaded(std::string_view headers, std::string_view content) {
  const auto disposition = header_of(headers, "Content-Disposition");
  auto name = parameter(disposition, "filename");
  if (!name)
    return no(400, "the part 'file' has no filename of ASCII characters: it is the file's name at the SWCI");
  if (!is_file_name(*name))
    return no(400,
              fmt::format("'{}' is no name for a file here: give one of up to {} ASCII characters without "
                          "folders, quotes and a dot in front",
                          shortened(*name), file_name_bytes_max));
  if (content.size() > upload_bytes_max)
    return no(413, fmt::format("a task definition of more than {} bytes is not taken", upload_bytes_max));
  if (!is_utf8(content) || content.find('\0') != std::string_view::npos)
    return no(400, "the file is no text in UTF-8");
  return any_order(order::upload{std::move(*name), std::string(content)});
}

std::variant<any_order, refusal> read_upload(std::string_view content_type, std::string_view body) {
  auto malformed = no(400, "the body is no form with a part 'file' (multipart/form-data, RFC 7578)");
  const auto kind = trimmed(content_type.substr(0, content_type.find(';')));
  const auto boundary = parameter(content_type, "boundary");
  if (!equal_ignoring_case(kind, "multipart/form-data") || !boundary || boundary->empty()) return malformed;
  const auto mark = "\r\n--" + *boundary;
  // The first part has no end of line before it.
  if (!body.starts_with(std::string_view(mark).substr(2))) return malformed;
  body.remove_prefix(mark.size() - 2);
  while (!body.starts_with("--")) {
    const auto headers_end = body.find("\r\n\r\n");
    if (!body.starts_with("\r\n") || headers_end == std::string_view::npos) return malformed;
    const auto headers = body.substr(2, headers_end - std::min<std::size_t>(headers_end, 2));
    // A part without a byte ends where its headers do.
    const auto content_begin = headers_end + 4;
    const auto end = body.find(mark, headers_end + 2);
    if (end == std::string_view::npos) return malformed;
    if (parameter(header_of(headers, "Content-Disposition"), "name") == "file")
      return uploaded(headers, end < content_begin ? std::string_view{}
                                                   : body.substr(content_begin, end - content_begin));
    body.remove_prefix(end + mark.size());
  }
  return malformed;
}

} // namespace

std::variant<any_order, refusal> read_order(const request_text& from) {
  const auto path = from.target.substr(0, from.target.find('?'));
  const auto query = from.target.substr(std::min(path.size() + 1, from.target.size()));
  const bool is_known = path == exec_path || path == upload_path || path == interrupt_path;
  if (!is_known) return no(404, "there are POST /exec?cmd=COMMAND, POST /uploadTaskDef and POST /interrupt");
  if (from.method != "POST") return no(405, fmt::format("only POST {}", path));
  // Any page in a browser on this host could send such requests.
  if (!from.origin.empty()) return no(403, "commands are not taken from web pages");
  if (path == exec_path) return read_exec(query);
  if (path == interrupt_path) return any_order(order::interrupt{});
  return read_upload(from.content_type, from.body);
}

std::string content_json(const std::vector<std::string>& elements) {
  boost::json::array content(elements.begin(), elements.end());
  if (content.empty()) content.emplace_back("OK");
  return boost::json::serialize(boost::json::object{{"CONTENT", std::move(content)}});
}

} // namespace swarm::swci
