#include "actors/swop/lines/own_log.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace swarm::swop {

namespace json = boost::json;

namespace {

constexpr std::string_view prefix = "/log/";
constexpr std::size_t source_bytes_max = 256;
constexpr std::array<std::pair<log::level, std::string_view>, 4> levels{{{log::level::error, "error"},
                                                                         {log::level::warning, "warning"},
                                                                         {log::level::info, "info"},
                                                                         {log::level::debug, "debug"}}};

std::string_view word_of(log::level lvl) {
  const auto* const found = std::ranges::find(levels, lvl, [](const auto& each) { return each.first; });
  return found == levels.end() ? "debug" : found->second;
}

/// JSON is UTF-8, and what programs have said in a line may be none.
std::string as_utf8(std::string text) {
  if (is_utf8(text)) return text;
  std::ranges::replace_if(
      text, [](char each) { return static_cast<unsigned char>(each) >= 0x80; }, '?');
  return text;
}

result<std::uint64_t> number_at(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0)
    return static_cast<std::uint64_t>(value->get_int64());
  return fail(errc::invalid, "a line has no '{}'", key);
}

result<std::string> text_at(const json::object& from, std::string_view key, std::size_t bytes_max) {
  const auto* value = from.if_contains(key);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  if (text == nullptr) return fail(errc::invalid, "a line has no '{}'", key);
  if (text->size() > bytes_max) return fail(errc::limit, "'{}' of {} bytes", key, text->size());
  return std::string(text->data(), text->size());
}

result<log::tail_line> log_line_of(const json::value& from) {
  const auto* object = from.if_object();
  if (object == nullptr) return fail(errc::invalid, "a line is no object");
  log::tail_line out;
  SWARM_TRY(out.number, number_at(*object, "number"));
  SWARM_TRY(out.unix_ms, number_at(*object, "time_ms"));
  SWARM_TRY(const auto level, text_at(*object, "level", 16));
  const auto* const found = std::ranges::find(levels, level, [](const auto& each) { return each.second; });
  if (found == levels.end()) return fail(errc::invalid, "a line has no level");
  out.lvl = found->first;
  SWARM_TRY(out.source, text_at(*object, "source", source_bytes_max));
  SWARM_TRY(out.text, text_at(*object, "text", log::tail_text_bytes_max));
  return out;
}

} // namespace

std::string own_log_target(std::uint64_t after) {
  return fmt::format("{}{}", prefix, after);
}

std::optional<std::uint64_t> after_of_target(std::string_view target) {
  if (!target.starts_with(prefix)) return std::nullopt;
  target.remove_prefix(prefix.size());
  std::uint64_t out = 0;
  const auto [end, failure] = std::from_chars(target.data(), target.data() + target.size(), out);
  if (failure != std::errc{} || end != target.data() + target.size()) return std::nullopt;
  return out;
}

json::object log_line_json(const log::tail_line& line) {
  return {{"number", line.number},
          {"time_ms", line.unix_ms},
          {"level", word_of(line.lvl)},
          {"source", as_utf8(line.source)},
          {"text", as_utf8(line.text)}};
}

std::string encode_own_log(const std::vector<log::tail_line>& lines) {
  std::vector<std::string> kept;
  std::size_t bytes = 0;
  for (auto at = lines.rbegin(); at != lines.rend() && kept.size() < own_log_lines_max; ++at) {
    kept.push_back(json::serialize(log_line_json(*at)));
    bytes += kept.back().size() + 1;
    if (bytes > own_log_body_bytes_max - 64) {
      kept.pop_back();
      break;
    }
  }
  std::ranges::reverse(kept);
  return fmt::format(R"({{"lines":[{}]}})", fmt::join(kept, ","));
}

result<std::vector<log::tail_line>> decode_own_log(std::string_view text) {
  if (text.size() > own_log_body_bytes_max)
    return fail(errc::limit, "more than {} bytes", own_log_body_bytes_max);
  json::parse_options strict;
  strict.max_depth = 4;
  json::error_code failure;
  const auto whole = json::parse({text.data(), text.size()}, failure, {}, strict);
  const auto* object = failure ? nullptr : whole.if_object();
  const auto* member = object != nullptr ? object->if_contains("lines") : nullptr;
  const auto* lines = member != nullptr ? member->if_array() : nullptr;
  if (lines == nullptr) return fail(errc::invalid, "no lines");
  if (lines->size() > own_log_lines_max) return fail(errc::limit, "{} lines", lines->size());
  std::vector<log::tail_line> out;
  for (const auto& each : *lines) {
    SWARM_TRY(auto line, log_line_of(each));
    if (!out.empty() && line.number <= out.back().number)
      return fail(errc::invalid, "lines are not in their order");
    out.push_back(std::move(line));
  }
  return out;
}

} // namespace swarm::swop
