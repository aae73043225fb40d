#include "config/sources/environment.hpp"

#include "config/keys.hpp"

#include <unistd.h>

namespace swarm::config {

environment process_environment() {
  environment out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string value_of(const environment& env, std::string_view name) {
  const auto found = env.find(name);
  return found == env.end() ? "" : found->second;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto comma = text.find(',');
    if (comma != 0 && !text.empty()) out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

layer read_environment(const environment& env) {
  layer out;
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      for (const auto name : spec.env) {
        const auto text = value_of(env, name);
        if (text.empty() || out.contains(spec.key)) continue;
        const auto origin = fmt::format("environment {}", name);
        auto& values = out[std::string(spec.key)];
        if (spec.kind == value_kind::list)
          for (auto& item : split_list(text))
            values.push_back({std::move(item), origin});
        else
          values.push_back({text, origin});
      }
  return out;
}

} // namespace swarm::config
