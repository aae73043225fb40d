#include "config/schema/detail/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace swarm::schema::detail {

namespace json = boost::json;

namespace {

/// How the value of a keyword is made up.
enum class holds { anything, one_schema, schemas_by_name, schemas_in_list };

struct keyword {
  std::string_view name;
  holds what;
};

constexpr std::array keywords{
    keyword{"$schema", holds::anything},
    keyword{"$id", holds::anything},
    keyword{"$comment", holds::anything},
    keyword{"title", holds::anything},
    keyword{"description", holds::anything},
    keyword{"default", holds::anything},
    keyword{"examples", holds::anything},
    keyword{"$defs", holds::schemas_by_name},
    keyword{"$ref", holds::anything},
    keyword{"type", holds::anything},
    keyword{"enum", holds::anything},
    keyword{"const", holds::anything},
    keyword{"minLength", holds::anything},
    keyword{"maxLength", holds::anything},
    keyword{"pattern", holds::anything},
    keyword{"minimum", holds::anything},
    keyword{"maximum", holds::anything},
    keyword{"exclusiveMinimum", holds::anything},
    keyword{"items", holds::one_schema},
    keyword{"minItems", holds::anything},
    keyword{"maxItems", holds::anything},
    keyword{"uniqueItems", holds::anything},
    keyword{"properties", holds::schemas_by_name},
    keyword{"additionalProperties", holds::one_schema},
    keyword{"propertyNames", holds::one_schema},
    keyword{"required", holds::anything},
    keyword{"minProperties", holds::anything},
    keyword{"maxProperties", holds::anything},
    keyword{"allOf", holds::schemas_in_list},
    keyword{"if", holds::one_schema},
    keyword{"then", holds::one_schema},
};

/// Goes through a schema once; says what is wrong with it first.
class loader {
public:
  explicit loader(loaded& out) : out_(out) {}

  std::string walk(const json::value& rules) {
    if (rules.is_bool()) return "";
    if (!rules.is_object()) return "a schema is neither a mapping nor true or false";
    const auto& object = rules.get_object();
    for (const auto& [name, content] : object) {
      const auto known =
          std::find_if(keywords.begin(), keywords.end(), [&](const keyword& k) { return k.name == name; });
      if (known == keywords.end())
        return fmt::format("the keyword '{}' is not known here", std::string_view(name));
      if (auto wrong = walk_content(known->what, content); !wrong.empty()) return wrong;
    }
    if (const auto* reference = object.if_contains("$ref"))
      if (!reference->is_string() || !out_.target(reference->get_string())) return "a $ref leads nowhere";
    return add_pattern(object);
  }

private:
  std::string walk_content(holds what, const json::value& content) {
    std::string wrong;
    const auto take = [&](const json::value& rules) {
      if (wrong.empty()) wrong = walk(rules);
    };
    if (what == holds::one_schema) {
      take(content);
    } else if (what == holds::schemas_by_name) {
      if (!content.is_object()) return "schemas by name are no mapping";
      for (const auto& each : content.get_object())
        take(each.value());
    } else if (what == holds::schemas_in_list) {
      if (!content.is_array()) return "a list of schemas is none";
      for (const auto& each : content.get_array())
        take(each);
    }
    return wrong;
  }

  std::string add_pattern(const json::object& rules) {
    const auto* pattern = rules.if_contains("pattern");
    if (!pattern) return "";
    const auto* longest = rules.if_contains("maxLength");
    if (!longest || !longest->is_int64()
        || longest->get_int64() > static_cast<std::int64_t>(pattern_length_max))
      return fmt::format("a pattern needs a maxLength of at most {} beside it", pattern_length_max);
    const std::string text(pattern->get_string());
    try {
      out_.patterns.emplace(text, std::regex(text, std::regex::ECMAScript));
    } catch (const std::regex_error&) {
      return fmt::format("the pattern '{}' cannot be read", text);
    }
    return "";
  }

  loaded& out_;
};

} // namespace

const json::value* loaded::target(std::string_view reference) const {
  constexpr std::string_view prefix = "#/$defs/";
  if (!reference.starts_with(prefix)) return nullptr;
  const auto* defs = root.get_object().if_contains("$defs");
  return defs && defs->is_object() ? defs->get_object().if_contains(reference.substr(prefix.size()))
                                   : nullptr;
}

std::string load(std::string_view text, loaded& out) {
  boost::system::error_code failure;
  out.root = json::parse(text, failure);
  if (failure || !out.root.is_object()) return "it is no JSON object";
  return loader(out).walk(out.root);
}

} // namespace swarm::schema::detail
