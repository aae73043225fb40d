#include "actors/swci/language/words.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::size_t shown_bytes_max = 60;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_quote(char c) {
  return c == '"' || c == '\'';
}

/// ASCII's control characters, and those of ISO 8859 (C2 80 to C2 9F), which terminals obey too.
bool has_control_characters(std::string_view text) {
  unsigned char before = 0;
  for (const char each : text) {
    const auto c = static_cast<unsigned char>(each);
    if ((c < 0x20 && c != '\t') || c == 0x7f || (before == 0xc2 && c < 0xa0)) return true;
    before = c;
  }
  return false;
}

} // namespace

bool is_remark(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

result<> check_line(std::string_view line) {
  if (line.size() > line_bytes_max)
    return fail(errc::limit, "the line is longer than {} bytes", line_bytes_max);
  if (!is_utf8(line)) return fail(errc::invalid, "the line is not UTF-8");
  if (has_control_characters(line))
    return fail(errc::invalid, "the line has control characters; remove them");
  return {};
}

std::optional<word> word_scanner::take() {
  at_ = std::min(line_.find_first_not_of(blanks, at_), line_.size());
  if (at_ == line_.size()) return std::nullopt;
  word out{{}, at_, is_quote(line_[at_]), false};
  if (!out.quoted) {
    const auto end = std::min(line_.find_first_of(blanks, at_), line_.size());
    out.text = line_.substr(at_, end - at_);
    at_ = end;
    return out;
  }
  const auto close = line_.find(line_[at_], at_ + 1);
  out.open = close == std::string_view::npos;
  const auto end = out.open ? line_.size() : close;
  out.text = line_.substr(at_ + 1, end - at_ - 1);
  at_ = std::min(end + 1, line_.size());
  return out;
}

result<std::optional<word>> word_scanner::next() {
  auto out = take();
  if (out && out->open)
    return fail(errc::invalid, "the quote {} before '{}' is not closed", line_[out->begin],
                shortened(out->text));
  if (out && out->quoted && at_ < line_.size() && !is_blank(line_[at_]))
    return fail(errc::invalid, "'{}' follows a closing quote; put a blank between",
                shortened(line_.substr(at_)));
  return out;
}

std::optional<word> word_scanner::next_unfinished() {
  return take();
}

std::vector<std::string> word_scanner::remaining() {
  std::vector<std::string> out;
  while (const auto each = take())
    out.emplace_back(each->text);
  return out;
}

std::string_view word_scanner::rest() const {
  return line_.substr(std::min(at_ + 1, line_.size()));
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && upper(a) == upper(b);
}

std::string as_word(std::string_view text) {
  const bool plain =
      !text.empty() && !is_quote(text.front()) && text.find_first_of(blanks) == std::string_view::npos;
  if (plain) return std::string(text);
  const char quote = text.find('"') == std::string_view::npos ? '"' : '\'';
  return text.find(quote) == std::string_view::npos ? quote + std::string(text) + quote
                                                    : '"' + std::string(text) + '"';
}

std::string shortened(std::string_view text) {
  if (text.size() <= shown_bytes_max) return std::string(text);
  auto end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) // not within a character
    --end;
  return std::string(text.substr(0, end)) + "...";
}

} // namespace swarm::swci
