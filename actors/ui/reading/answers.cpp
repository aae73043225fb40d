#include "actors/ui/reading/answers.hpp"

#include "actors/sn_client/session/json_rpc.hpp"

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::size_t field_bytes_max = 1024;

} // namespace

const json::value* field_of(const json::value& from, std::string_view key) {
  const auto* object = from.if_object();
  return object != nullptr ? object->if_contains(key) : nullptr;
}

std::string text_in(const json::value& from, std::string_view key) {
  const auto* value = field_of(from, key);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  if (text == nullptr) return {};
  return {text->data(), std::min(text->size(), field_bytes_max)};
}

std::uint64_t number_in(const json::value& from, std::string_view key) {
  const auto* value = field_of(from, key);
  if (value == nullptr) return 0;
  return session::quantity_of(json::object{{"result", *value}}).value_or(0);
}

std::uint64_t plain_number_in(const json::value& from, std::string_view key) {
  const auto* value = field_of(from, key);
  if (value == nullptr || !value->is_number()) return 0;
  json::error_code failure;
  const auto number = value->to_number<std::uint64_t>(failure);
  return failure ? 0 : number;
}

hash32 hash_in(const json::value& from, std::string_view key) {
  return fixed_from_hex<32>(text_in(from, key)).value_or(hash32{});
}

address account_in(const json::value& from, std::string_view key) {
  return fixed_from_hex<20>(text_in(from, key)).value_or(address{});
}

} // namespace swarm::ui
