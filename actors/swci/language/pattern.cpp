#include "actors/swci/language/pattern.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

bool is_keyword_letter(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_';
}

/// Reads a pattern from left to right; what is optional doubles the ways to write it.
class pattern_reader {
public:
  explicit pattern_reader(std::string_view text) : text_(text) {}

  pattern read() {
    out_.sequences = items();
    SWARM_ASSERT(at_ == text_.size());
    SWARM_ASSERT(!out_.name.empty());
    return std::move(out_);
  }

private:
  std::vector<sequence> items() {
    std::vector<sequence> ways(1);
    while (at_ < text_.size() && text_[at_] != ']') {
      if (text_[at_] == ' ')
        out_.usage += text_[at_++];
      else if (text_[at_] == '[')
        multiply(ways, optional());
      else
        multiply(ways, {{single()}});
    }
    return ways;
  }
  std::vector<sequence> optional() {
    naming_ = false;
    out_.usage += text_[at_++];
    auto ways = items();
    SWARM_ASSERT(at_ < text_.size());
    out_.usage += text_[at_++];
    ways.emplace_back();
    return ways;
  }
  element single() {
    const auto end = std::min(text_.find_first_of(" []", at_), text_.size());
    auto token = text_.substr(at_, end - at_);
    at_ = end;
    if (token.find('|') != std::string_view::npos) {
      out_.usage += token;
      return add_hole(token, "on_off");
    }
    if (is_keyword_letter(token.front())) return make_keyword(token);
    const bool mandatory = token.front() == '<';
    if (mandatory) token = token.substr(1, token.size() - 2);
    const auto colon = token.find(':');
    const auto name = token.substr(0, colon);
    out_.usage += mandatory ? '<' + std::string(name) + '>' : std::string(name);
    return add_hole(name, colon == std::string_view::npos ? name : token.substr(colon + 1));
  }
  element make_keyword(std::string_view token) {
    if (token.ends_with("()")) {
      out_.callable = true;
      token.remove_suffix(2);
    }
    out_.usage += token;
    if (naming_) out_.name += (out_.name.empty() ? "" : " ") + std::string(token);
    return keyword{std::string(token)};
  }
  element add_hole(std::string_view name, std::string_view kind_name) {
    const auto kind = hole_kind_named(kind_name);
    SWARM_ASSERT(kind);
    naming_ = false;
    out_.holes.push_back({std::string(name), *kind, out_.holes.size()});
    return out_.holes.back();
  }
  static void multiply(std::vector<sequence>& ways, const std::vector<sequence>& by) {
    std::vector<sequence> all;
    for (const auto& head : ways)
      for (const auto& tail : by) {
        all.push_back(head);
        all.back().insert(all.back().end(), tail.begin(), tail.end());
      }
    ways = std::move(all);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool naming_ = true; ///< only keywords so far
  pattern out_;
};

} // namespace

pattern parse_pattern(std::string_view text) {
  return pattern_reader(text).read();
}

} // namespace swarm::swci
