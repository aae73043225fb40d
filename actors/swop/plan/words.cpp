#include "actors/swop/plan/words.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::actors {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const first = text.data();
  const auto* const last = first + text.size();
  const auto read = std::from_chars(first, last, number);
  if (read.ec != std::errc{} || number == 0) return std::nullopt;
  std::string unit(read.ptr, last);
  for (auto& c : unit)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (unit.ends_with("ib"))
    unit.resize(unit.size() - 2);
  else if (unit.ends_with('b'))
    unit.pop_back();
  constexpr std::string_view units = "kmgt";
  const auto at = unit.size() == 1 ? units.find(unit[0]) : std::string_view::npos;
  if (!unit.empty() && at == std::string_view::npos) return std::nullopt;
  const auto shift = unit.empty() ? 0 : 10 * (at + 1);
  if (number > (UINT64_MAX >> shift)) return std::nullopt;
  return number << shift;
}

} // namespace swarm::actors
