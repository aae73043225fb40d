#include "actors/supervision/message_text.hpp"

#include <caf/atom.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/rtti_pair.hpp>
#include <caf/type_nr.hpp>
#include <cxxabi.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace swarm::actors {

namespace {

constexpr std::size_t names_max =
    4096; // more could only come from atoms made at run time, which nobody should do
constexpr std::size_t elements_max = 4;
constexpr std::size_t text_max = 300;

std::string without(std::string text, std::string_view part) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part))
    text.erase(at, part.size());
  return text;
}

std::string readable(const std::type_info& type) {
  int failed = 0;
  char* plain = abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed);
  std::string out = failed == 0 ? plain : type.name();
  std::free(plain);
  return without(without(std::move(out), "swarm::actors::"), "swarm::");
}

/// Keeps names for ever, as a set of strings never moves its elements.
const char* keep(std::string name) {
  static std::mutex mutex;
  static std::unordered_set<std::string> names;
  const std::lock_guard lock(mutex);
  if (names.size() >= names_max && !names.contains(name)) return "(other)";
  return names.insert(std::move(name)).first->c_str();
}

std::string element_name(const caf::type_erased_tuple& content, std::size_t i) {
  const auto type = content.type(i);
  if (type.second) return readable(*type.second);
  if (type.first == caf::type_nr<caf::atom_value>::value) {
    const auto* atom = static_cast<const caf::atom_value*>(content.get(i));
    return caf::to_string(*atom);
  }
  const std::string name = caf::numbered_type_names[type.first - 1]; // "@i32" and the like
  return name.starts_with('@') ? name.substr(1) : name;
}

std::string full_name(const caf::type_erased_tuple& content, bool reply) {
  std::string out = reply ? "reply " : "";
  if (content.empty()) return out + "(nothing)";
  for (std::size_t i = 0; i < std::min(content.size(), elements_max); ++i)
    out += (i ? ", " : "") + element_name(content, i);
  if (content.size() > elements_max) out += ", ...";
  return out;
}

} // namespace

const char* message_type(const caf::mailbox_element& x) {
  const auto& content = x.content();
  const bool reply = x.mid.is_response();
  if (content.size() != 1) return keep(full_name(content, reply));
  const auto type = content.type(0);
  if (type.first == caf::type_nr<caf::atom_value>::value) return keep(full_name(content, reply));
  // In the usual case of one struct it takes no lock and makes no text after the first time on this thread.
  using key = std::pair<std::uintptr_t, bool>;
  thread_local std::map<key, const char*> known;
  auto& name = known[{type.second ? reinterpret_cast<std::uintptr_t>(type.second) : type.first, reply}];
  if (!name) name = keep(full_name(content, reply));
  return name;
}

std::string message_text(const caf::mailbox_element& x) {
  const auto& content = x.content();
  std::string out;
  for (std::size_t i = 0; i < content.size() && out.size() < text_max; ++i) {
    const auto part = content.stringify(i);
    if (part == "<unprintable>") continue;
    if (!out.empty()) out += ", ";
    out += part;
  }
  if (out.size() > text_max) out = out.substr(0, text_max - 3) + "...";
  return out;
}

} // namespace swarm::actors
