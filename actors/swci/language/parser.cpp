#include "actors/swci/language/parser.hpp"

#include "actors/swci/language/walk.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

constexpr std::size_t usages_shown_max = 3;

std::string joined(const std::vector<std::string>& parts, std::string_view comma, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i)
    out += std::string(i == 0 ? "" : i + 1 == parts.size() ? last : comma) + parts[i];
  return out;
}

void add_once(std::vector<std::string>& to, const std::string& text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
}

std::string described(const element& what) {
  if (const auto* word = std::get_if<keyword>(&what)) return word->text;
  const auto& place = std::get<hole>(what);
  const auto& info = info_of(place.kind);
  return info.choices.empty() ? fmt::format("<{}> ({})", place.name, info.what) : std::string(info.what);
}

/// What may follow, for people: "TO", or "WITH or TARGET".
std::string expected(const std::vector<candidate>& at) {
  std::vector<std::string> out;
  for (const auto& each : at)
    if (each.next()) add_once(out, described(*each.next()));
  return joined(out, ", ", " or ");
}

std::string usages(const std::vector<candidate>& at) {
  std::vector<std::string> out;
  for (const auto& each : at)
    if (out.size() < usages_shown_max) add_once(out, each.spec->how.usage);
  return "usage: " + joined(out, "; or ", "; or ");
}

/// What a line has been read so far.
struct reading {
  std::vector<candidate> at = all_candidates();
  std::vector<std::string> words;

  /// All words so far are keywords that begin several commands.
  bool within_names() const {
    return std::none_of(at.begin(), at.end(), [&](const candidate& each) {
      return !each.arguments.empty() || each.complete() || !std::holds_alternative<keyword>(*each.next());
    });
  }
  std::string beginning() const {
    std::vector<std::string> out;
    const auto& name = at.front().spec->how.name;
    const bool same =
        std::all_of(at.begin(), at.end(), [&](auto& each) { return each.spec->how.name == name; });
    if (same) return name;
    for (const auto& each : words)
      out.push_back(upper(each));
    return joined(out, " ", " ");
  }

  /// `after` are the words behind the one that does not fit; they help to find what may be meant.
  tl::unexpected<error> unexpected_word(const word& met, std::vector<std::string> after) const {
    auto typed = words;
    typed.emplace_back(met.text);
    const auto number = typed.size();
    if (within_names()) {
      typed.insert(typed.end(), after.begin(), after.end());
      const auto meant = nearest_command(typed);
      if (!meant.empty() || number == 1) return unknown(typed, meant);
    }
    const auto place = fmt::format("'{}', word {},", shortened(met.text), number);
    const auto what = expected(at);
    if (what.empty()) return fail(errc::invalid, "{}: {} is too much; {}", beginning(), place, usages(at));
    return fail(errc::invalid, "{}: {} stands where {} is expected; {}", beginning(), place, what,
                usages(at));
  }
  /// Shows as many words as the command that may be meant has, or the first.
  static tl::unexpected<error> unknown(std::vector<std::string> typed, const std::string& meant) {
    const auto count = 1 + static_cast<std::size_t>(std::count(meant.begin(), meant.end(), ' '));
    typed.resize(std::min(typed.size(), count));
    return fail(errc::not_found, "unknown command '{}'{}", shortened(joined(typed, " ", " ")), hint(meant));
  }
  tl::unexpected<error> missing() const {
    if (within_names())
      return fail(errc::invalid, "{} only begins a command; {} may follow", beginning(), expected(at));
    return fail(errc::invalid, "{}: {} is missing; {}", beginning(), expected(at), usages(at));
  }
};

result<command> made(const candidate& from) {
  auto out = from.spec->make(from.arguments);
  if (!out && !out.error().is(errc::not_found)) return fail_with(std::move(out).error(), from.spec->how.name);
  return out;
}

} // namespace

result<command> parse(std::string_view line) {
  SWARM_CHECK(check_line(line));
  const auto plain = without_brackets(line);
  word_scanner words(plain);
  reading so_far;
  while (true) {
    if (const auto* verbatim = verbatim_hole(so_far.at)) {
      const auto rest = words.rest();
      if (rest.find_first_not_of(" \t") == std::string_view::npos) return so_far.missing();
      auto last = so_far.at.front();
      last.arguments.push_back({*verbatim, {std::string(rest)}});
      return made(last);
    }
    SWARM_TRY(const auto next, words.next());
    if (!next) break;
    auto after = advanced(so_far.at, *next);
    if (after.empty()) return so_far.unexpected_word(*next, words.remaining());
    so_far.at = std::move(after);
    so_far.words.emplace_back(next->text);
  }
  if (so_far.words.empty()) return fail(errc::invalid, "there is no command in the line");
  const auto whole =
      std::find_if(so_far.at.begin(), so_far.at.end(), [](auto& each) { return each.complete(); });
  return whole == so_far.at.end() ? so_far.missing() : made(*whole);
}

} // namespace swarm::swci
