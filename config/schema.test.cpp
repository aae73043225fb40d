#include "config/roles/role.hpp"
#include "config/sources/profile.hpp"
#include "config/sources/yaml_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace schema_test {

using namespace swarm;
using namespace swarm::config;

namespace {

using names = std::set<std::string>;

names keys_of(const yaml_node& mapping) {
  names out;
  for (const auto& entry : mapping.entries)
    out.insert(entry.key);
  return out;
}

names keys_where(const std::function<bool(const key_spec&)>& wanted) {
  names out;
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      if (wanted(spec)) out.insert(std::string(spec.key));
  return out;
}

const yaml_node& at(const yaml_node& root, std::initializer_list<std::string_view> path) {
  const auto* node = &root;
  for (const auto step : path) {
    node = node->find(step);
    REQUIRE_MESSAGE(node, step);
  }
  return *node;
}

/// What JSON Schema calls the type of a setting.
std::string type_of(const yaml_node& setting) {
  if (setting.find("anyOf")) return "list";
  if (setting.find("enum")) return "string";
  return at(setting, {"type"}).text;
}

std::string type_of(value_kind kind) {
  switch (kind) {
  case value_kind::flag:
    return "boolean";
  case value_kind::number:
    return "integer";
  case value_kind::list:
    return "list";
  case value_kind::text:
  case value_kind::path:
    break;
  }
  return "string";
}

yaml_node schema() {
  const auto text = read_yaml_file(SWARM_SOURCE_DIR "/config/profile.schema.json");
  REQUIRE(text);
  auto tree = parse_yaml(*text, "profile.schema.json");
  REQUIRE(tree);
  return std::move(*tree);
}

} // namespace

TEST_CASE("the schema and the code name the same keys") {
  const auto root = schema();
  auto top = keys_where([](const auto&) { return true; });
  CHECK(keys_of(at(root, {"$defs", "settings"})) == top);
  CHECK(keys_of(at(root, {"$defs", "sn", "properties"}))
        == keys_where([](const auto& s) { return find_setter(sn_role, s.key) != nullptr; }));
  CHECK(keys_of(at(root, {"$defs", "sl", "properties"}))
        == keys_where([](const auto& s) { return find_setter(sl_role, s.key) != nullptr; }));
  CHECK(keys_of(at(root, {"$defs", "swop", "properties"}))
        == keys_where([](const auto& s) { return find_setter(swop_role, s.key) != nullptr; }));
  CHECK(keys_of(at(root, {"$defs", "swci", "properties"}))
        == keys_where([](const auto& s) { return find_setter(swci_role, s.key) != nullptr; }));
  CHECK(keys_of(at(root, {"$defs", "ui", "properties"}))
        == keys_where([](const auto& s) { return find_setter(ui_role, s.key) != nullptr; }));
  top.insert({"sn", "sl", "swop", "swci", "ui"});
  CHECK(keys_of(at(root, {"properties"})) == top);
  for (const auto* scope : {"sn", "sl", "swop", "swci", "ui"})
    CHECK(at(root, {"$defs", scope, "additionalProperties"}).text == "false");
  CHECK(at(root, {"additionalProperties"}).text == "false");
}

TEST_CASE("the schema and the code agree on types, defaults and bounds") {
  const auto root = schema();
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys) {
      CAPTURE(spec.key);
      const auto& setting = at(root, {"$defs", "settings", spec.key});
      CHECK(type_of(setting) == type_of(spec.kind));
      const auto* fallback = setting.find("default");
      CHECK((fallback ? fallback->text : "") == spec.fallback);
      CHECK(!at(setting, {"description"}).text.empty());
      for (const auto* bound : {"minimum", "maximum"}) {
        if (spec.kind != value_kind::number) continue;
        const auto limit = at(setting, {bound}).text;
        const auto beyond = fmt::format("{}", std::stoll(limit) + (bound == std::string("minimum") ? -1 : 1));
        for (const auto* role : roles()) {
          const auto into = find_setter(*role, spec.key);
          if (into == nullptr) continue;
          process_config process;
          CHECK(into(role->add(process), limit));
          CHECK(!into(role->add(process), beyond));
        }
      }
    }
  CHECK(at(root, {"properties", "sl", "anyOf"}).items.at(1).find("maxItems")->text
        == fmt::format("{}", roles_max));
}

} // namespace schema_test
