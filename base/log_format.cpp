#include "base/log_format.hpp"

#include "base/utf8.hpp"

#include <fmt/chrono.h>

#include <array>

namespace swarm::log {

namespace {

constexpr std::array<std::string_view, 6> level_names{"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF"};

std::string_view name_of(level lvl) {
  return level_names[static_cast<std::size_t>(lvl)];
}

/// A string of JSON. Bytes that are no UTF-8 become question marks: a line that cannot be read helps nobody.
void put_string(std::string& out, std::string_view text) {
  const bool readable = is_utf8(text);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += readable || byte < 0x80 ? c : '?';
  }
  out += '"';
}

} // namespace

std::string text_line(level lvl, std::string_view source, std::string_view text, const training& at) {
  auto out = fmt::format("{} : {} : {}", source, name_of(lvl), text);
  if (!at.contract.empty())
    out += fmt::format(" [contract={} generation={} round={}]", at.contract, at.generation, at.round_num);
  return out;
}

std::string json_line(std::uint64_t unix_ms, level lvl, std::string_view source, std::string_view text,
                      const training& at) {
  auto out = fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","actor":)",
                         fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)), unix_ms % 1000, name_of(lvl));
  put_string(out, source);
  out += ",\"message\":";
  put_string(out, text);
  if (!at.contract.empty()) {
    out += ",\"contract\":";
    put_string(out, at.contract);
    out += fmt::format(",\"generation\":{},\"round\":{}", at.generation, at.round_num);
  }
  return out + '}';
}

} // namespace swarm::log
