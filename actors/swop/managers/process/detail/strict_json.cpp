#include "actors/swop/managers/process/detail/strict_json.hpp"

#include <algorithm>

namespace swarm::managers::detail {

namespace json = boost::json;

object_reader::object_reader(const json::value& from, std::string where)
    : from_(from.if_object()), where_(std::move(where)) {
  if (from_ == nullptr) problem_ = fmt::format("{}: must be an object", where_);
}

void object_reader::complain(std::string_view key, std::string_view what) {
  if (problem_.empty()) problem_ = fmt::format("{}: '{}' {}", where_, key, what);
}

const json::value* object_reader::take(std::string_view key, bool required) {
  asked_.push_back(key);
  const auto* found = from_ == nullptr ? nullptr : from_->if_contains(key);
  if (found == nullptr && required) complain(key, "is missing");
  return found;
}

std::string object_reader::text(std::string_view key) {
  const auto* found = take(key);
  if (found == nullptr) return {};
  if (const auto* text = found->if_string()) return std::string(*text);
  complain(key, "must be a text");
  return {};
}

std::optional<std::string> object_reader::optional_text(std::string_view key) {
  const auto* found = take(key, false);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->if_string()) return std::string(*text);
  complain(key, "must be a text");
  return std::nullopt;
}

std::optional<std::uint64_t> object_reader::optional_number(std::string_view key, std::uint64_t max) {
  const auto* found = take(key, false);
  if (found == nullptr) return std::nullopt;
  boost::system::error_code failed;
  const auto number =
      found->is_number() && !found->is_double() ? found->to_number<std::uint64_t>(failed) : max;
  if (!found->is_number() || found->is_double() || failed || number > max) {
    complain(key, fmt::format("must be a whole number from 0 to {}", max));
    return std::nullopt;
  }
  return number;
}

std::uint64_t object_reader::number(std::string_view key, std::uint64_t max) {
  const bool there = from_ != nullptr && from_->contains(key);
  const auto found = optional_number(key, max);
  if (!there) complain(key, "is missing");
  return found.value_or(0);
}

bool object_reader::boolean(std::string_view key) {
  const auto* found = take(key);
  if (found != nullptr && !found->is_bool()) complain(key, "must be true or false");
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::vector<std::string> object_reader::texts(std::string_view key) {
  std::vector<std::string> out;
  const auto* found = take(key);
  if (found == nullptr) return out;
  if (!found->is_array()) complain(key, "must be a list of texts");
  for (const auto& each : found->is_array() ? found->get_array() : json::array()) {
    if (each.is_string())
      out.emplace_back(each.get_string());
    else
      complain(key, "must be a list of texts");
  }
  return out;
}

result<> object_reader::finish() {
  for (const auto& [key, value] : from_ == nullptr ? json::object() : *from_)
    if (std::ranges::find(asked_, std::string_view(key)) == asked_.end()) complain(key, "is not known here");
  if (!problem_.empty()) return fail(errc::invalid, "{}", problem_);
  return {};
}

result<json::value> parse_json(std::string_view text, std::string_view where) {
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 8;
  auto out = json::parse(text, failed, {}, options);
  if (failed) return fail(errc::invalid, "{}: is no JSON: {}", where, failed.message());
  return out;
}

} // namespace swarm::managers::detail
