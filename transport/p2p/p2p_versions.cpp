#include "transport/p2p/p2p_versions.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::p2p {

namespace {

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t out = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out);
  if (read.ec != std::errc{} || read.ptr != end || out == 0) return std::nullopt;
  return out;
}

} // namespace

std::string text_of(const version_range& range) {
  return range.first == range.last ? fmt::format("{}", range.first)
                                   : fmt::format("{}-{}", range.first, range.last);
}

result<version_range> read_versions(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = number_in(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number_in(text.substr(dash + 1));
  if (!first || !last || *first > *last)
    return fail(errc::invalid, "{}: two numbers with a dash are needed, as in 2-3", versions_header);
  return version_range{*first, *last};
}

std::optional<std::uint64_t> newest_common(const version_range& a, const version_range& b) {
  const auto newest = std::min(a.last, b.last);
  if (!a.has(newest) || !b.has(newest)) return std::nullopt;
  return newest;
}

} // namespace swarm::p2p
