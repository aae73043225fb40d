#include "base/merge_method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace swarm {

namespace {

constexpr std::array<std::string_view, 8> names{"mean", "coordmedian", "geomedian",   "trimmedmean",
                                                "krum", "multikrum",   "clippedmean", "custom"};
constexpr std::string_view expected =
    "expected 'mean', 'coordmedian', 'geomedian', 'trimmedmean:0.2', 'krum:f', 'multikrum:f,m', "
    "'clippedmean:norm' or 'custom:name'";
constexpr std::uint32_t million = 1'000'000;
constexpr std::uint32_t count_max = 1024; ///< as many peers as a training may have

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown_max = 64;
  std::string out(text.substr(0, shown_max));
  for (auto& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return fmt::format("'{}{}'", out, text.size() > shown_max ? "..." : "");
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// A whole number of at most nine digits.
std::optional<std::uint32_t> parse_whole(std::string_view text) {
  if (text.empty() || text.size() > 9 || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  std::uint32_t out = 0;
  for (const auto c : text)
    out = out * 10 + static_cast<std::uint32_t>(c - '0');
  return out;
}

/// A decimal with at most nine digits before and six after the point, in millionths.
std::optional<std::uint64_t> parse_millionths(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = parse_whole(text.substr(0, point));
  if (!whole) return std::nullopt;
  std::uint64_t rest = 0;
  if (point != std::string_view::npos) {
    std::string places(text.substr(point + 1));
    if (places.empty() || places.size() > 6) return std::nullopt;
    places.resize(6, '0');
    const auto parsed = parse_whole(places);
    if (!parsed) return std::nullopt;
    rest = *parsed;
  }
  return std::uint64_t{*whole} * million + rest;
}

std::string millionths_text(std::uint64_t value) {
  auto out = fmt::format("{}.{:06}", value / million, value % million);
  while (out.back() == '0')
    out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

bool is_custom_name(std::string_view name) {
  return !name.empty() && name.size() <= custom_name_bytes_max
         && std::all_of(name.begin(), name.end(),
                        [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-'; });
}

/// What stands after the colon of one method; the text is for the message.
result<> read_arguments(merge_method& out, std::string_view arguments, std::string_view text) {
  const auto comma = arguments.find(',');
  const auto first = arguments.substr(0, comma);
  const bool has_second = comma != std::string_view::npos;
  const auto second = has_second ? arguments.substr(comma + 1) : std::string_view{};
  const auto wanted = [&](std::string_view what) {
    return fail(errc::invalid, "mergeMethod {}: {}", in_quotes(text), what);
  };
  switch (out.kind) {
  case merge_method::trimmedmean: {
    const auto cut = parse_millionths(arguments);
    if (!cut || *cut == 0 || *cut >= million / 2)
      return wanted(
          "trimmedmean cuts a part above 0 and below 0.5 from each end, for example trimmedmean:0.2");
    out.cut = static_cast<std::uint32_t>(*cut);
    return {};
  }
  case merge_method::krum: {
    const auto hostile = parse_whole(arguments);
    if (!hostile || *hostile > count_max)
      return wanted("krum wants the number of models that may be hostile, for example krum:1");
    out.hostile = *hostile;
    return {};
  }
  case merge_method::multikrum: {
    const auto hostile = parse_whole(first), chosen = parse_whole(second);
    if (!hostile || !chosen || *hostile > count_max || *chosen == 0 || *chosen > count_max)
      return wanted("multikrum wants how many models may be hostile and how many to merge, for example "
                    "multikrum:1,3");
    out.hostile = *hostile;
    out.chosen = *chosen;
    return {};
  }
  case merge_method::clippedmean: {
    const auto norm = parse_millionths(arguments);
    if (!norm || *norm == 0)
      return wanted(
          "clippedmean wants the longest way from the centre, a number above 0 with at most six digits "
          "after the point, for example clippedmean:10");
    out.norm = *norm;
    return {};
  }
  case merge_method::custom: {
    if (!is_custom_name(first))
      return wanted(fmt::format("custom wants a name of 1 to {} characters of a-z 0-9 _ -, for example "
                                "custom:name",
                                custom_name_bytes_max));
    out.name = first;
    if (!has_second) return {};
    const auto digest = fixed_from_hex<32>(second);
    if (!digest || second.size() != 64) return wanted("a library's digest has 64 hexadecimal digits");
    out.library = *digest;
    return {};
  }
  default:
    return wanted("this method takes nothing after a colon");
  }
}

} // namespace

result<merge_method> parse_merge_method(std::string_view text) {
  if (text.empty()) return merge_method{};
  constexpr std::size_t text_max = 128;
  const auto lower = lower_case(text.substr(0, text_max));
  const auto colon = lower.find(':');
  const auto found = std::find(names.begin(), names.end(), std::string_view(lower).substr(0, colon));
  if (found == names.end() || text.size() > text_max)
    return fail(errc::invalid, "mergeMethod {} is unknown, {}", in_quotes(text), expected);
  merge_method out(static_cast<merge_method::kind_type>(found - names.begin()));
  const bool is_bare = out.kind <= merge_method::geomedian;
  if (is_bare && colon == std::string::npos) return out;
  const auto arguments =
      colon == std::string::npos ? std::string_view{} : std::string_view(lower).substr(colon + 1);
  SWARM_CHECK(read_arguments(out, arguments, text));
  return out;
}

std::string text_of(const merge_method& method) {
  const auto name = names.at(method.kind);
  switch (method.kind) {
  case merge_method::trimmedmean:
    return fmt::format("{}:{}", name, millionths_text(method.cut));
  case merge_method::krum:
    return fmt::format("{}:{}", name, method.hostile);
  case merge_method::multikrum:
    return fmt::format("{}:{},{}", name, method.hostile, method.chosen);
  case merge_method::clippedmean:
    return fmt::format("{}:{}", name, millionths_text(method.norm));
  case merge_method::custom:
    return method.library ? fmt::format("{}:{},{}", name, method.name, to_hex(method.library->view(), false))
                          : fmt::format("{}:{}", name, method.name);
  default:
    return std::string(name);
  }
}

std::uint32_t hostile_borne(std::uint32_t hostile, std::size_t models) {
  const auto bearable = models >= 3 ? (models - 3) / 2 : 0;
  return static_cast<std::uint32_t>(std::min<std::size_t>(hostile, bearable));
}

result<> check_peers(const merge_method& method, std::uint32_t min_peers) {
  if (method.kind != merge_method::krum && method.kind != merge_method::multikrum) return {};
  const auto needed = 2 * method.hostile + 3;
  if (min_peers < needed)
    return fail(errc::invalid,
                "mergeMethod '{}' needs at least 2 * {} + 3 = {} models in every round, but minPeers is {}",
                text_of(method), method.hostile, needed, min_peers);
  if (method.chosen > min_peers - method.hostile)
    return fail(errc::invalid,
                "mergeMethod '{}' merges {} models, but of minPeers {} at most {} are not hostile",
                text_of(method), method.chosen, min_peers, min_peers - method.hostile);
  return {};
}

} // namespace swarm
