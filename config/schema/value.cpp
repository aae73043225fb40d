#include "config/schema/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace swarm::schema {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view decimal = "0123456789_";

std::string without_underscores(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '_'; });
  return out;
}

value scalar(value_type type, std::string text, double number = 0) {
  value out;
  out.type = type;
  out.text = std::move(text);
  out.number = number;
  return out;
}

std::optional<value> as_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 9> yes{"yes",  "Yes", "YES", "true", "True",
                                                "TRUE", "on",  "On",  "ON"};
  constexpr std::array<std::string_view, 9> no{"no",    "No",  "NO",  "false", "False",
                                               "FALSE", "off", "Off", "OFF"};
  if (std::find(yes.begin(), yes.end(), text) != yes.end()) return scalar(value_type::boolean, "True");
  if (std::find(no.begin(), no.end(), text) != no.end()) return scalar(value_type::boolean, "False");
  return std::nullopt;
}

std::optional<value> whole(bool negative, std::uint64_t magnitude) {
  const auto number = static_cast<double>(magnitude);
  const bool minus = negative && magnitude != 0;
  return scalar(value_type::integer, fmt::format("{}{}", minus ? "-" : "", magnitude),
                minus ? -number : number);
}

/// Digits of a base, underscores left out; nothing when there are none or the number does not fit.
std::optional<std::uint64_t> digits(std::string_view text, int base) {
  const auto plain = without_underscores(text);
  std::uint64_t out = 0;
  const auto* end = plain.data() + plain.size();
  const auto [stopped, failure] = std::from_chars(plain.data(), end, out, base);
  if (plain.empty() || failure != std::errc{} || stopped != end) return std::nullopt;
  return out;
}

/// 1:30 is 90, 1:00:00 is 3600: numbers to the base of 60.
std::optional<std::uint64_t> sexagesimal(std::string_view text) {
  std::uint64_t out = 0;
  for (bool first = true;; first = false) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (first ? part.empty() || part[0] == '0' || !all_of(part, decimal)
              : part.empty() || part.size() > 2 || !all_of(part, "0123456789")
                    || (part.size() == 2 && part[0] > '5'))
      return std::nullopt;
    const auto number = digits(part, 10);
    if (!number || out > (std::numeric_limits<std::uint64_t>::max() - *number) / 60) return std::nullopt;
    out = out * 60 + *number;
    if (colon == std::string_view::npos) return first ? std::nullopt : std::optional(out);
    text.remove_prefix(colon + 1);
  }
}

std::optional<value> as_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  std::optional<std::uint64_t> magnitude;
  if (text.find(':') != std::string_view::npos)
    magnitude = sexagesimal(text);
  else if (text.starts_with("0b") && all_of(text.substr(2), "01_"))
    magnitude = digits(text.substr(2), 2);
  else if (text.starts_with("0x") && all_of(text.substr(2), "0123456789abcdefABCDEF_"))
    magnitude = digits(text.substr(2), 16);
  else if (text == "0")
    magnitude = 0;
  else if (text[0] == '0' && all_of(text, "01234567_"))
    magnitude = digits(text, 8);
  else if (text[0] != '0' && all_of(text, decimal))
    magnitude = digits(text, 10);
  return magnitude ? whole(negative, *magnitude) : std::nullopt;
}

/// Shortest digits that read back the same, an exponent below 1e-4 and from 1e16 on, always a point or an exponent.
std::string python_float(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  auto out = fmt::format("{}", number);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

/// [-+]digits.digits[e(+|-)digits], where one side of the point may be empty; the point may not.
bool has_form_of_float(std::string_view text) {
  const bool is_signed = text.starts_with('-') || text.starts_with('+');
  if (is_signed) text.remove_prefix(1);
  const auto point = text.find('.');
  if (point == std::string_view::npos || text.empty()) return false;
  const auto before = text.substr(0, point);
  auto after = text.substr(point + 1);
  if (const auto exponent = after.find_first_of("eE"); exponent != std::string_view::npos) {
    const auto power = after.substr(exponent + 1);
    after = after.substr(0, exponent);
    if (power.size() < 2 || (power[0] != '-' && power[0] != '+') || !all_of(power.substr(1), "0123456789"))
      return false;
  }
  if (!all_of(before, decimal) || !all_of(after, decimal)) return false;
  if (before.empty()) return !is_signed && !after.empty() && is_digit(after[0]);
  return is_digit(before[0]);
}

std::optional<value> as_float(std::string_view text) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  const auto unsigned_part = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (unsigned_part == ".inf" || unsigned_part == ".Inf" || unsigned_part == ".INF")
    return text[0] == '-' ? scalar(value_type::number, "-inf", -infinity)
                          : scalar(value_type::number, "inf", infinity);
  if (text == ".nan" || text == ".NaN" || text == ".NAN")
    return scalar(value_type::number, "nan", std::numeric_limits<double>::quiet_NaN());
  if (!has_form_of_float(text)) return std::nullopt;
  const auto plain = without_underscores(text.starts_with('+') ? text.substr(1) : text);
  double number = 0;
  const auto* end = plain.data() + plain.size();
  const auto [stopped, failure] = std::from_chars(plain.data(), end, number);
  if (failure == std::errc::result_out_of_range || stopped != end) return std::nullopt;
  return scalar(value_type::number, python_float(number), number);
}

bool equal_mappings(const value& a, const value& b) {
  return a.members.size() == b.members.size()
         && std::all_of(a.members.begin(), a.members.end(), [&](const value::member& each) {
              const auto* other = b.find(each.key);
              return other && equal(each.content, *other);
            });
}

bool is_number(const value& any) {
  return any.is(value_type::integer) || any.is(value_type::number);
}

} // namespace

const value* value::find(std::string_view key) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &found->content;
}

bool equal(const value& a, const value& b) {
  if (is_number(a) && is_number(b))
    return a.is(value_type::integer) && b.is(value_type::integer) ? a.text == b.text : a.number == b.number;
  if (a.type != b.type) return false;
  switch (a.type) {
  case value_type::list:
    return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
  case value_type::mapping:
    return equal_mappings(a, b);
  default:
    return a.text == b.text;
  }
}

value plain_scalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (auto out = as_boolean(text)) return *out;
  if (auto out = as_integer(text)) return *out;
  if (auto out = as_float(text)) return *out;
  return make_text(std::string(text));
}

value make_text(std::string text) {
  return scalar(value_type::text, std::move(text));
}

value make_mapping(std::vector<value::member> members) {
  value out;
  out.type = value_type::mapping;
  out.members = std::move(members);
  return out;
}

} // namespace swarm::schema
