#include "actors/swop/lines/last_lines.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace swarm::swop {

namespace json = boost::json;

namespace {

constexpr std::string_view failed_prefix = "/last-lines/", all_prefix = "/lines/";
constexpr std::size_t programs_max = 2 * contracts::swop_slots_max;
constexpr std::array kinds{program_kind::sl, program_kind::ml, program_kind::sn};
constexpr std::size_t ended_bytes_max = 200, node_bytes_max = 40;
constexpr std::array<std::string_view, 2> refusals{"other organisation", "no swci"};

template <class Number>
bool take_number(std::string_view& text, Number& to, bool is_last) {
  const auto stop = is_last ? text.size() : text.find('.');
  if (stop == std::string_view::npos || stop == 0) return false;
  const auto* const end = text.data() + stop;
  const auto [at, failure] = std::from_chars(text.data(), end, to);
  if (failure != std::errc{} || at != end) return false;
  text.remove_prefix(is_last ? stop : stop + 1);
  return true;
}

/// The longest beginning of a line that has room, without half a character at its end.
std::string_view beginning_of(std::string_view line, std::size_t bytes_max) {
  if (line.size() <= bytes_max) return line;
  while (bytes_max > 0 && (static_cast<unsigned char>(line[bytes_max]) & 0xc0) == 0x80)
    --bytes_max;
  return line.substr(0, bytes_max);
}

/// The newest of its lines that have room.
json::array within(const std::vector<std::string>& lines, std::size_t lines_max, std::size_t bytes_max) {
  std::vector<std::string_view> kept;
  for (auto at = lines.rbegin(); at != lines.rend() && kept.size() < lines_max; ++at) {
    const auto line = beginning_of(*at, last_line_bytes_max);
    if (line.size() > bytes_max && !kept.empty()) break;
    kept.push_back(beginning_of(line, bytes_max));
    bytes_max -= kept.back().size();
  }
  json::array out;
  for (auto at = kept.rbegin(); at != kept.rend(); ++at)
    out.emplace_back(json::string(*at));
  return out;
}

result<json::value> parse(std::string_view text) {
  if (text.size() > last_lines_body_bytes_max)
    return fail(errc::limit, "more than {} bytes", last_lines_body_bytes_max);
  json::parse_options strict;
  strict.max_depth = 8;
  json::error_code failure;
  auto out = json::parse({text.data(), text.size()}, failure, {}, strict);
  if (failure || !out.is_object()) return fail(errc::invalid, "no JSON object");
  return out;
}

result<std::string> text_in(const json::value* from, std::size_t bytes_max) {
  const auto* text = from ? from->if_string() : nullptr;
  if (!text) return fail(errc::invalid, "a text is missing");
  if (text->size() > bytes_max) return fail(errc::limit, "a text of {} bytes", text->size());
  return std::string(text->data(), text->size());
}

result<program_lines> program_of(const json::value& from, std::size_t lines_max) {
  const auto* object = from.if_object();
  if (!object) return fail(errc::invalid, "a program is no object");
  program_lines out;
  const auto* index = object->if_contains("index");
  const auto* number = index ? index->if_int64() : nullptr;
  if (!number || *number < 0 || *number >= contracts::swop_slots_max)
    return fail(errc::invalid, "a program has no index");
  out.index = static_cast<std::uint32_t>(*number);
  const auto* program = object->if_contains("program");
  const auto* kind = program ? program->if_string() : nullptr;
  const auto known = kind ? std::ranges::find(kinds, std::string_view(*kind), word_of) : kinds.end();
  if (known == kinds.end()) return fail(errc::invalid, "a program is neither SL nor ML nor SN");
  out.kind = *known;
  if (out.kind == program_kind::sn) {
    SWARM_TRY(out.node, text_in(object->if_contains("node"), node_bytes_max));
  }
  SWARM_TRY(out.ended, text_in(object->if_contains("ended"), ended_bytes_max));
  const auto* member = object->if_contains("lines");
  const auto* lines = member ? member->if_array() : nullptr;
  if (!lines) return fail(errc::invalid, "a program has no lines");
  if (lines->size() > lines_max) return fail(errc::limit, "{} lines of one program", lines->size());
  for (const auto& each : *lines) {
    SWARM_TRY(auto line, text_in(&each, last_line_bytes_max));
    out.lines.push_back(std::move(line));
  }
  return out;
}

} // namespace

std::string lines_target(const lines_wish& wish) {
  const auto& part = wish.part;
  return fmt::format("{}{}.{}.{}", wish.of_all ? all_prefix : failed_prefix, part.run, part.assigned_block,
                     part.attempt);
}

std::optional<lines_wish> wish_of_target(std::string_view target) {
  lines_wish out{.part = {}, .of_all = target.starts_with(all_prefix)};
  if (!out.of_all && !target.starts_with(failed_prefix)) return std::nullopt;
  target.remove_prefix((out.of_all ? all_prefix : failed_prefix).size());
  auto& part = out.part;
  if (!take_number(target, part.run, false) || !take_number(target, part.assigned_block, false)
      || !take_number(target, part.attempt, true))
    return std::nullopt;
  return out;
}

std::string ended_text(const failure& why) {
  const auto words = contracts::to_string(why.code);
  const auto counted = contracts::number_word(why.code, why.number);
  if (counted.empty() || why.number == 0) return std::string(words);
  return fmt::format("{} ({} {})", words, counted, why.number);
}

std::string encode_last_lines(std::vector<program_lines> programs, std::size_t lines_max) {
  std::ranges::sort(programs, {}, [](const auto& each) { return std::pair(each.index, each.kind); });
  if (programs.size() > programs_max) programs.resize(programs_max);
  const auto share = last_lines_bytes_max / std::max<std::size_t>(programs.size(), 1);
  json::array all;
  for (const auto& each : programs) {
    json::object one{{"index", each.index},
                     {"program", word_of(each.kind)},
                     {"ended", beginning_of(each.ended, ended_bytes_max)},
                     {"lines", within(each.lines, lines_max, share)}};
    if (each.kind == program_kind::sn) one["node"] = each.node;
    all.push_back(std::move(one));
  }
  return json::serialize(json::object{{"programs", std::move(all)}});
}

result<std::vector<program_lines>> decode_last_lines(std::string_view text, std::size_t lines_max) {
  SWARM_TRY(const auto whole, parse(text));
  const auto* member = whole.as_object().if_contains("programs");
  const auto* programs = member ? member->if_array() : nullptr;
  if (!programs) return fail(errc::invalid, "no programs");
  if (programs->size() > programs_max) return fail(errc::limit, "{} programs", programs->size());
  std::vector<program_lines> out;
  for (const auto& each : *programs) {
    SWARM_TRY(auto one, program_of(each, lines_max));
    out.push_back(std::move(one));
  }
  return out;
}

std::string encode_refusal(lines_refusal why) {
  return json::serialize(json::object{{"refused", refusals.at(static_cast<std::size_t>(why))}});
}

std::optional<lines_refusal> decode_refusal(std::string_view text) {
  const auto whole = parse(text);
  if (!whole) return std::nullopt;
  const auto word = text_in(whole->as_object().if_contains("refused"), 32);
  const auto at = word ? std::ranges::find(refusals, *word) : refusals.end();
  if (at == refusals.end()) return std::nullopt;
  return static_cast<lines_refusal>(at - refusals.begin());
}

} // namespace swarm::swop
