#pragma once

#include "actors/ui/views/pictures.hpp"

/// What several topics say in the same way.
namespace swarm::ui {

/// "0x..."; of an account, a hash, a digest.
template <class Bytes>
std::string shown(const Bytes& from) {
  return to_hex(from.view());
}

/// Adds a field unless there is nothing to say.
template <class Value>
void add(boost::json::object& to, std::string_view key, const std::optional<Value>& value) {
  if (value) to[key] = *value;
}

/// {"1": true, ...}
template <class Range, class Name>
boost::json::object set_of(const Range& all, Name name) {
  boost::json::object out;
  for (const auto& each : all)
    out[name(each)] = true;
  return out;
}

/// `alive` and `silent_since_ms`.
inline void add_life(boost::json::object& to, const address& of, const silence& silent) {
  const auto found = silent.find(of);
  to["alive"] = found == silent.end();
  if (found != silent.end()) to["silent_since_ms"] = found->second;
}

} // namespace swarm::ui
