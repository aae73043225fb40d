#include "config/schema/yaml_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::schema {

namespace {

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether a text can stand without quotes and still be that text.
bool is_plain(std::string_view text) {
  if (text.empty() || text.back() == ' ' || text.back() == ':') return false;
  if (!is_letter_or_digit(text[0]) && text[0] != '/' && text[0] != '_' && text[0] != '.' && text[0] != '$')
    return false;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!printable || text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos)
    return false;
  // "..." at the beginning of a line ends a document; texts never stand there, but people copy.
  return text != "..." && plain_scalar(text).is(value_type::text);
}

/// One code point of UTF-8, or one byte of what is none.
std::string_view next_character(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && length < 4 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    ++length;
  return text.substr(0, length);
}

std::uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  std::uint32_t out = lead & (0xffU >> (character.size() + 1));
  for (const char c : character.substr(1))
    out = (out << 6) | (static_cast<unsigned char>(c) & 0x3fU);
  return out;
}

/// As it stands between double quotes. What YAML readers take as line ends or not at all is spelt by its number.
std::string escaped(std::string_view character) {
  const auto code = code_point(character);
  switch (code) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\n':
    return "\\n";
  case '\t':
    return "\\t";
  case '\r':
    return "\\r";
  default:
    break;
  }
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return fmt::format("\\x{:02x}", code);
  if (code == 0x2028 || code == 0x2029 || code == 0xfeff || (code >= 0xfffe && code <= 0xffff))
    return fmt::format("\\u{:04x}", code);
  return std::string(character);
}

class writer {
public:
  explicit writer(std::size_t width) : width_(width) { lines_.emplace_back("---"); }

  std::vector<std::string> take() { return std::move(lines_); }

  /// The value, at the beginning of a line or behind "- ", with its further lines indented.
  void write_block(const value& any, std::size_t indent) {
    if (any.is(value_type::mapping) && !any.members.empty())
      write_members(any, indent);
    else if (any.is(value_type::list) && !any.items.empty())
      write_items(any, indent);
    else
      write_scalar(any, indent);
  }

private:
  std::string& line() { return lines_.back(); }

  /// A line of its own, unless a "- " waits for its content.
  void begin(std::size_t indent) {
    if (opened_)
      opened_ = false;
    else
      lines_.emplace_back(indent, ' ');
  }

  void write_members(const value& mapping, std::size_t indent) {
    std::vector<const value::member*> sorted;
    for (const auto& each : mapping.members)
      sorted.push_back(&each);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    for (const auto* each : sorted) {
      begin(indent);
      write_key(each->key, indent);
      write_content(each->content, indent);
    }
  }

  void write_key(std::string_view key, std::size_t indent) {
    constexpr std::size_t room = 4; // for " : " and the quote of a value
    if (is_plain(key) && line().size() + key.size() + room <= width_) {
      line() += fmt::format("{} :", key);
      return;
    }
    // A key of more than a line has to be told as one.
    line() += "? ";
    write_quoted(key, indent + 2);
    lines_.push_back(std::string(indent, ' ') + ":");
  }

  void write_content(const value& content, std::size_t indent) {
    const bool mapping = content.is(value_type::mapping) && !content.members.empty();
    const bool list = content.is(value_type::list) && !content.items.empty();
    if (!mapping && !list) {
      line() += ' ';
      write_scalar(content, indent + 2);
      return;
    }
    write_block(content, list ? indent : indent + 2);
  }

  void write_items(const value& list, std::size_t indent) {
    for (const auto& each : list.items) {
      begin(indent);
      line() += "- ";
      opened_ = true;
      write_block(each, indent + 2);
    }
  }

  /// Behind what the line has already.
  void write_scalar(const value& any, std::size_t indent) {
    if (opened_)
      opened_ = false;
    else if (lines_.size() == 1)
      lines_.emplace_back();
    switch (any.type) {
    case value_type::null:
      line() += "~";
      break;
    case value_type::list:
      line() += "[]";
      break;
    case value_type::mapping:
      line() += "{}";
      break;
    case value_type::text:
      if (is_plain(any.text) && line().size() + any.text.size() <= width_)
        line() += any.text;
      else
        write_quoted(any.text, indent);
      break;
    default:
      line() += any.text;
    }
  }

  /// In double quotes, over as many lines as it takes; where there is a blank in the second half of a line, it ends
  /// behind that. Blanks at both sides of a break are kept: the one before it by the backslash behind, the one after it
  /// by a backslash in front.
  void write_quoted(std::string_view text, std::size_t indent) {
    line() += '"';
    std::size_t blank = 0; // the end of the last one in this line
    while (!text.empty()) {
      const auto character = next_character(text);
      const auto piece = escaped(character);
      if (line().size() + piece.size() + 1 > width_) { // 1: for the backslash or the quote
        break_line(blank > width_ / 2 ? blank : line().size(), indent);
        blank = 0;
        if (piece == " " && line().size() == indent) line() += '\\';
      }
      line() += piece;
      if (piece == " ") blank = line().size();
      text.remove_prefix(character.size());
    }
    line() += '"';
  }

  void break_line(std::size_t at, std::size_t indent) {
    auto rest = std::string(indent, ' ') + line().substr(at);
    line().resize(at);
    line() += '\\';
    lines_.push_back(std::move(rest));
  }

  std::size_t width_;
  std::vector<std::string> lines_;
  bool opened_ = false;
};

} // namespace

std::vector<std::string> yaml_lines(const value& root, std::size_t width) {
  writer out(width);
  out.write_block(root, 0);
  return out.take();
}

} // namespace swarm::schema
