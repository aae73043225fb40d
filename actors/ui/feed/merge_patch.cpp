#include "actors/ui/feed/merge_patch.hpp"

namespace swarm::ui {

namespace json = boost::json;

std::optional<json::value> merge_patch(const json::value& from, const json::value& to) {
  const auto* before = from.if_object();
  const auto* after = to.if_object();
  if (before == nullptr || after == nullptr) {
    if (from == to) return std::nullopt;
    return to;
  }
  json::object patch;
  for (const auto& [key, value] : *before)
    if (!after->contains(key)) patch.emplace(key, nullptr);
  for (const auto& [key, value] : *after) {
    const auto* old = before->if_contains(key);
    if (old == nullptr) {
      patch.emplace(key, value);
      continue;
    }
    // An object that takes the place of something else must not be merged into it; receivers do that by themselves.
    if (auto change = merge_patch(*old, value)) patch.emplace(key, std::move(*change));
  }
  if (patch.empty()) return std::nullopt;
  return patch;
}

void apply_patch(json::value& to, const json::value& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) {
    to = patch;
    return;
  }
  if (!to.is_object()) to.emplace_object();
  auto& object = to.get_object();
  for (const auto& [key, value] : *changes) {
    if (value.is_null())
      object.erase(key);
    else
      apply_patch(object[key], value);
  }
}

} // namespace swarm::ui
