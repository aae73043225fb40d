#include "config/schema/detail/words.hpp"

#include "base/spelling.hpp"
#include "config/values.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

namespace swarm::schema::detail {

namespace {

namespace json = boost::json;

std::string_view word_of(value_type type) {
  constexpr std::array<std::string_view, 7> words{
      "nothing (~)", "true or false", "a whole number", "a number", "text", "a list", "a mapping"};
  return words[static_cast<std::size_t>(type)];
}

std::vector<std::string_view> names_in(const json::value& expected) {
  if (expected.is_string()) return {std::string_view(expected.get_string())};
  std::vector<std::string_view> out;
  for (const auto& each : expected.get_array())
    out.emplace_back(each.get_string());
  return out;
}

/// The step from a wrong type to a right one that people forget.
std::string_view step_to(std::span<const std::string_view> expected, const value& found) {
  const auto wants = [&](std::string_view name) {
    return std::find(expected.begin(), expected.end(), name) != expected.end();
  };
  const auto is_one_of = [](const value& any, auto... types) { return (any.is(types) || ...); };
  if (is_one_of(found, value_type::boolean, value_type::integer, value_type::number) && wants("string"))
    return "; put it in quotes";
  if (found.is(value_type::text)) {
    const auto meant = plain_scalar(found.text);
    const bool number = is_one_of(meant, value_type::integer, value_type::number);
    if ((number && (wants("integer") || wants("number")))
        || (meant.is(value_type::boolean) && wants("boolean")))
      return "; take the quotes off";
  }
  if (wants("array") && !found.is(value_type::null)) return "; write '- ' before each item";
  return "";
}

} // namespace

std::string_view word_of(std::string_view type) {
  constexpr std::array<std::string_view, 7> names{"null",   "boolean", "integer", "number",
                                                  "string", "array",   "object"};
  const auto at = std::find(names.begin(), names.end(), type);
  return at == names.end() ? type : word_of(static_cast<value_type>(at - names.begin()));
}

std::string wrong_type(const value& found, const json::value& expected) {
  const auto names = names_in(expected);
  std::vector<std::string_view> words;
  for (const auto name : names)
    words.push_back(word_of(name));
  const auto is =
      found.is(value_type::null) ? std::string("is empty") : fmt::format("is {}", word_of(found.type));
  return fmt::format("{}, expected {}{}", is, fmt::join(words, " or "), step_to(names, found));
}

std::string unknown_key(std::string_view key, const json::object* properties) {
  if (!properties || properties->empty()) return "unknown key; none is expected here";
  std::vector<std::string_view> names;
  for (const auto& each : *properties)
    names.emplace_back(each.key());
  const auto meant = did_you_mean(key, names);
  return meant.empty() ? fmt::format("unknown key; there are {}", fmt::join(names, ", "))
                       : "unknown key" + meant;
}

std::string not_in_list(const value& found, const json::array& list) {
  std::vector<std::string_view> names;
  for (const auto& each : list)
    if (each.is_string()) names.emplace_back(each.get_string());
  if (!found.is(value_type::text))
    return fmt::format("is {}, expected {}{}", found.is(value_type::null) ? "empty" : word_of(found.type),
                       names.size() == 1 ? "" : "one of ", fmt::join(names, ", "));
  const auto shown = config::printable(found.text);
  if (names.size() == 1) return fmt::format("'{}' is not {}", shown, names[0]);
  return fmt::format("'{}' is none of {}{}", shown, fmt::join(names, ", "), did_you_mean(found.text, names));
}

std::string beyond(std::string_view comparison, double bound, std::string_view unit, std::size_t has) {
  return fmt::format("{} {} {}{} (it has {})", comparison, bound, unit, bound == 1 ? "" : "s", has);
}

} // namespace swarm::schema::detail
