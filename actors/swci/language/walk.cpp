#include "actors/swci/language/walk.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

bool is_keyword_for(const candidate& each, const word& with) {
  const auto* next = each.next();
  const auto* expected = next ? std::get_if<keyword>(next) : nullptr;
  return expected && !with.quoted && equal_ignoring_case(expected->text, with.text);
}

candidate with_argument(candidate from, const word& with) {
  const auto& where = *from.next_hole();
  if (from.complete()) {
    from.arguments.back().words.emplace_back(with.text);
    return from;
  }
  from.arguments.push_back({where, {std::string(with.text)}});
  ++from.at;
  return from;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

} // namespace

const element* candidate::next() const {
  if (!complete()) return &(*way)[at];
  const auto* last = std::get_if<hole>(&way->back());
  return last && takes_all_words(last->kind) ? &way->back() : nullptr;
}

const hole* candidate::next_hole() const {
  const auto* what = next();
  return what ? std::get_if<hole>(what) : nullptr;
}

std::vector<candidate> all_candidates() {
  std::vector<candidate> out;
  for (const auto* each : all_commands())
    for (const auto& way : each->how.sequences)
      out.push_back({each, &way, 0, {}});
  return out;
}

std::vector<candidate> advanced(const std::vector<candidate>& before, const word& with) {
  std::vector<candidate> out;
  for (const auto& each : before)
    if (is_keyword_for(each, with)) {
      out.push_back(each);
      ++out.back().at;
    }
  if (!out.empty()) return out;
  for (const auto& each : before)
    if (each.next_hole()) out.push_back(with_argument(each, with));
  return out;
}

const hole* verbatim_hole(const std::vector<candidate>& at) {
  const auto is_verbatim = [](const candidate& each) {
    return each.next_hole() && each.next_hole()->kind == hole_kind::line;
  };
  return !at.empty() && std::all_of(at.begin(), at.end(), is_verbatim) ? at.front().next_hole() : nullptr;
}

std::string without_brackets(std::string_view line) {
  const auto whole = trimmed(line);
  const auto open = whole.find('(');
  if (open == std::string_view::npos || !whole.ends_with(')')) return std::string(line);
  const auto name = trimmed(whole.substr(0, open));
  for (const auto* each : all_commands())
    if (each->how.callable && equal_ignoring_case(each->how.name, name))
      return std::string(name) + ' ' + std::string(whole.substr(open + 1, whole.size() - open - 2));
  return std::string(line);
}

} // namespace swarm::swci
