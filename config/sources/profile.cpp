#include "config/sources/profile.hpp"

#include "base/spelling.hpp"
#include "config/roles/role.hpp"
#include "config/sources/yaml_tree.hpp"
#include "config/values.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

/// Where keys stand: in the section of a role or, when null, at the top.
using section = const role_spec*;

std::string describe(section where) {
  return where ? fmt::format("in {}", where->section) : "at the top of a profile";
}

bool belongs(const key_spec& spec, section where) {
  return !where || find_setter(*where, spec.key) != nullptr;
}

std::vector<std::string_view> keys_of(section where) {
  std::vector<std::string_view> out;
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      if (belongs(spec, where)) out.push_back(spec.key);
  if (!where)
    for (const auto* role : roles())
      out.push_back(role->name);
  return out;
}

std::string_view expected(value_kind kind) {
  switch (kind) {
  case value_kind::flag:
    return "true or false";
  case value_kind::number:
    return "a number";
  case value_kind::list:
    return "a name or a list of names";
  case value_kind::path:
    return "a path";
  case value_kind::text:
    break;
  }
  return "a single value";
}

/// Takes one profile apart; it holds what every step needs to name a place.
class reader {
public:
  reader(const std::filesystem::path& file, problems& found)
      : name_(printable(file.native())), folder_(file.parent_path()), found_(found) {}

  profile read(const yaml_node& root) {
    profile out;
    out.common = read_keys(root, nullptr);
    for (const auto* role : roles())
      if (const auto* node = root.find(role->name)) out.roles[role->name] = read_sections(*node, role);
    return out;
  }

private:
  std::string place(std::size_t line, std::size_t column) const {
    return fmt::format("{}:{}:{}", name_, line, column);
  }
  std::string place(const yaml_node& node) const { return place(node.line, node.column); }

  /// Reads one mapping or a list of them; an empty section means a role with defaults only.
  std::vector<layer> read_sections(const yaml_node& node, section where) {
    std::vector<layer> out;
    if (node.kind != yaml_kind::sequence) return {read_section(node, where)};
    if (node.items.size() > roles_max) {
      found_.add(config_errc::bad_value, "{}: {} roles; at most {} in one process", place(node),
                 node.items.size(), roles_max);
      return {};
    }
    if (node.items.empty())
      found_.add(config_errc::bad_value, "{}: an empty list; name at least one role or remove the key",
                 place(node));
    for (const auto& item : node.items)
      out.push_back(read_section(item, where));
    return out;
  }

  layer read_section(const yaml_node& node, section where) {
    if (node.kind == yaml_kind::null) return {};
    if (node.kind == yaml_kind::mapping) return read_keys(node, where);
    found_.add(config_errc::wrong_type,
               "{}: {} {}; expected a mapping of settings, such as 'host-ip: 192.168.1.10'", place(node),
               node.kind_name(), describe(where));
    return {};
  }

  layer read_keys(const yaml_node& mapping, section where) {
    layer out;
    for (std::size_t i = 0; i < mapping.entries.size(); ++i) {
      const auto& entry = mapping.entries[i];
      if (is_repeated(mapping, i)) continue;
      if (!where && find_role(entry.key)) continue;
      const auto* spec = find_key(entry.key);
      if (spec && belongs(*spec, where))
        out[entry.key] = read_value(*spec, entry.value);
      else
        report_unknown(entry, where, spec != nullptr);
    }
    return out;
  }

  bool is_repeated(const yaml_node& mapping, std::size_t index) {
    const auto& entry = mapping.entries[index];
    const auto end = mapping.entries.begin() + static_cast<std::ptrdiff_t>(index);
    const auto first =
        std::find_if(mapping.entries.begin(), end, [&](const auto& e) { return e.key == entry.key; });
    if (first == end) return false;
    found_.add(config_errc::duplicate_key, "{}: '{}' is given again (first in line {}); keep one of them",
               place(entry.line, entry.column), printable(entry.key), first->line);
    return true;
  }

  void report_unknown(const yaml_node::entry& entry, section where, bool known_elsewhere) {
    const auto at = place(entry.line, entry.column);
    if (known_elsewhere) {
      found_.add(config_errc::unknown_key,
                 "{}: '{}' is no setting of this role; move it to the role that it is for", at, entry.key);
      return;
    }
    const auto candidates = keys_of(where);
    found_.add(config_errc::unknown_key, "{}: unknown key '{}' {}{}", at, printable(entry.key),
               describe(where), did_you_mean(entry.key, candidates));
  }

  std::vector<raw_value> read_value(const key_spec& spec, const yaml_node& node) {
    std::vector<raw_value> out;
    if (spec.kind == value_kind::list && node.kind == yaml_kind::sequence) {
      for (const auto& item : node.items)
        if (is_scalar(spec, item)) out.push_back({item.text, place(item)});
    } else if (is_scalar(spec, node)) {
      out.push_back({spec.kind == value_kind::path ? beside_profile(node.text) : node.text, place(node)});
    }
    return out;
  }

  bool is_scalar(const key_spec& spec, const yaml_node& node) {
    if (node.kind == yaml_kind::scalar) return true;
    found_.add(config_errc::wrong_type, "{}: '{}' has {} as its value; expected {}", place(node), spec.key,
               node.kind_name(), expected(spec.kind));
    return false;
  }

  std::string beside_profile(const std::string& text) const {
    // A text that cannot be converted is left alone, so that the message shows what the user wrote.
    if (text.empty() || !to_path(text)) return text;
    const std::filesystem::path path(text);
    return path.is_absolute() ? text : (folder_ / path).lexically_normal().native();
  }

  std::string name_;
  std::filesystem::path folder_;
  problems& found_;
};

} // namespace

result<profile> read_profile(std::string_view text, const std::filesystem::path& file, problems& found) {
  SWARM_TRY(const auto root, parse_yaml(text, printable(file.native())));
  if (root.kind != yaml_kind::mapping && root.kind != yaml_kind::null)
    return fail(config_errc::wrong_type,
                "{}:{}:{}: {}; a profile is a mapping of settings and of the roles {}",
                printable(file.native()), root.line, root.column, root.kind_name(), role_names("and", "'"));
  return reader(file, found).read(root);
}

} // namespace swarm::config
