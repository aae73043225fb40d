#include "actors/swci/language/completion.hpp"

#include "actors/swci/language/walk.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// Small letters where the operator writes small ones.
std::string cased_like(const std::string& text, std::string_view prefix) {
  const bool small = std::any_of(prefix.begin(), prefix.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  std::string out = text;
  for (auto& c : out)
    if (small && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <class T>
void add_once(std::vector<T>& to, T what) {
  if (std::find(to.begin(), to.end(), what) == to.end()) to.push_back(std::move(what));
}

void add(completion& to, const std::vector<candidate>& at, const word& like) {
  for (const auto& each : at) {
    if (!each.next()) continue;
    if (const auto* place = each.next_hole()) {
      auto general = *place;
      general.index = 0;
      add_once(to.holes, std::move(general));
      continue;
    }
    const auto& word = std::get<keyword>(*each.next()).text;
    if (!like.quoted && begins_with(word, to.prefix)) add_once(to.keywords, cased_like(word, like.text));
  }
}

/// True where the cursor is behind HELP, so that what follows is completed as a command.
bool is_help(const std::vector<candidate>& at) {
  return std::any_of(at.begin(), at.end(), [](const candidate& each) {
    return each.next_hole() && each.next_hole()->kind == hole_kind::topic;
  });
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// The same, in a line that has `offset` more bytes in front.
completion behind(std::size_t offset, completion from) {
  from.begin += offset;
  from.end += offset;
  return from;
}

} // namespace

completion complete(std::string_view line, std::size_t cursor) {
  line = line.substr(0, cursor);
  completion out{line.size(), line.size(), {}, {}, {}};
  if (line.size() > line_bytes_max) return out;
  word_scanner words(line);
  auto at = all_candidates();
  std::optional<word> like; // the word at the cursor, else the first
  while (true) {
    if (const auto* verbatim = verbatim_hole(at)) {
      out.holes.push_back(*verbatim);
      return out;
    }
    const auto next = words.next_unfinished();
    if (!next) break;
    if (is_help(at))
      return behind(next->begin, complete(line.substr(next->begin), line.size() - next->begin));
    const bool closed = next->quoted && !next->open;
    if (words.at_end() && !closed) {
      out.begin = next->begin;
      out.prefix = next->text;
      like = next;
      break;
    }
    at = advanced(at, *next);
    if (!like) like = next;
  }
  if (is_help(at) && out.prefix.empty()) at = all_candidates();
  add(out, at, like.value_or(word{}));
  return out;
}

std::vector<std::string> candidates_of(const completion& at,
                                       const std::function<std::vector<std::string>(hole_kind)>& names_of) {
  auto out = at.keywords;
  for (const auto& place : at.holes) {
    for (const auto choice : info_of(place.kind).choices)
      if (begins_with(choice, at.prefix)) out.push_back(cased_like(std::string(choice), at.prefix));
    for (const auto& name : names_of(place.kind))
      if (name.starts_with(at.prefix)) out.push_back(as_word(name));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

tab_result tab(const completion& at, const std::vector<std::string>& candidates) {
  if (candidates.empty()) return {};
  if (candidates.size() == 1) {
    const auto& word = candidates.front();
    return {word.ends_with('/') ? word : word + ' ', {}};
  }
  std::string_view same = candidates.front();
  for (const auto& each : candidates) {
    const auto differs = std::mismatch(same.begin(), same.end(), each.begin(), each.end()).first;
    same = same.substr(0, static_cast<std::size_t>(differs - same.begin()));
  }
  while (!same.empty() && !is_utf8(same))
    same.remove_suffix(1);
  if (same.size() > at.end - at.begin) return {std::string(same), {}};
  return {{}, candidates};
}

std::vector<std::string> in_columns(const std::vector<std::string>& words, std::size_t width) {
  constexpr std::size_t gap = 2;
  std::size_t widest = 0;
  for (const auto& each : words)
    widest = std::max(widest, characters(each));
  const auto columns = std::max<std::size_t>(1, (width + gap) / (widest + gap));
  const auto rows = (words.size() + columns - 1) / columns;
  std::vector<std::string> out(rows);
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& row = out[i % rows];
    const auto start = i / rows * (widest + gap);
    row.append(start - std::min(start, characters(row)), ' ');
    row += words[i];
  }
  return out;
}

} // namespace swarm::swci
