#include "config/schema/detail/checker.hpp"

#include "config/schema/detail/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace swarm::schema::detail {

namespace json = boost::json;

namespace {

bool is_whole(const value& any) {
  return any.is(value_type::integer)
         || (any.is(value_type::number) && std::isfinite(any.number) && std::trunc(any.number) == any.number);
}

bool has_type(const value& any, std::string_view type) {
  switch (any.type) {
  case value_type::null:
    return type == "null";
  case value_type::boolean:
    return type == "boolean";
  case value_type::integer:
  case value_type::number:
    return type == "number" || (type == "integer" && is_whole(any));
  case value_type::text:
    return type == "string";
  case value_type::list:
    return type == "array";
  case value_type::mapping:
    return type == "object";
  }
  return false;
}

bool has_type(const value& any, const json::value& types) {
  if (types.is_string()) return has_type(any, std::string_view(types.get_string()));
  const auto& list = types.get_array();
  return std::any_of(list.begin(), list.end(), [&](const json::value& each) {
    return has_type(any, std::string_view(each.get_string()));
  });
}

/// Of scalars; a schema here has no others in enum and const.
bool is_equal(const value& any, const json::value& constant) {
  if (constant.is_null()) return any.is(value_type::null);
  if (constant.is_bool()) return any.is(value_type::boolean) && (any.text == "True") == constant.get_bool();
  if (constant.is_number())
    return (any.is(value_type::integer) || any.is(value_type::number))
           && any.number == constant.to_number<double>();
  return constant.is_string() && any.is(value_type::text)
         && any.text == std::string_view(constant.get_string());
}

/// In code points, as JSON Schema counts.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

class checker {
public:
  checker(const loaded& from, std::size_t limit) : from_(from), limit_(limit) {}

  findings take() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const finding& a, const finding& b) { return a.line < b.line; });
    return std::move(found_);
  }

  void check(const json::value& rules, const value& any, const std::string& path) {
    if (found_.size() >= limit_) return;
    if (rules.is_bool()) {
      if (!rules.get_bool()) add({any.line, any.column}, path, "false", "nothing may stand here");
      return;
    }
    const auto& object = rules.get_object();
    if (const auto* reference = object.if_contains("$ref"))
      check(*from_.target(std::string_view(reference->get_string())), any, path);
    // One wrong type says enough: the other rules are about what it should have been.
    if (const auto* types = object.if_contains("type"); types && !has_type(any, *types))
      return add({any.line, any.column}, path, "type", wrong_type(any, *types));
    check_constants(object, any, path);
    if (any.is(value_type::text)) check_text(object, any, path);
    if (any.is(value_type::integer) || any.is(value_type::number)) check_number(object, any, path);
    if (any.is(value_type::list)) check_list(object, any, path);
    if (any.is(value_type::mapping)) check_mapping(object, any, path);
    if (const auto* all = object.if_contains("allOf"))
      for (const auto& each : all->get_array())
        check(each, any, path);
    const auto* condition = object.if_contains("if");
    const auto* consequence = object.if_contains("then");
    if (condition && consequence && broken_rules(from_, *condition, any, path, 1).empty())
      check(*consequence, any, path);
  }

private:
  struct place {
    std::size_t line;
    std::size_t column;
  };

  void add(place at, std::string path, std::string_view keyword, std::string text) {
    // Two branches may say the same of one value.
    const bool known = std::any_of(found_.begin(), found_.end(),
                                   [&](const finding& f) { return f.path == path && f.text == text; });
    if (!known && found_.size() < limit_)
      found_.push_back({at.line, std::move(path), keyword, std::move(text), at.column});
  }

  static std::optional<double> bound(const json::object& rules, std::string_view keyword) {
    const auto* found = rules.if_contains(keyword);
    return found ? std::optional(found->to_number<double>()) : std::nullopt;
  }

  /// Two keywords that bound a count from both sides; false when there is too much.
  bool check_count(const json::object& rules, const value& any, const std::string& path, std::size_t has,
                   std::string_view least_name, std::string_view most_name, std::string_view unit) {
    const auto count = static_cast<double>(has);
    const bool text = any.is(value_type::text);
    if (const auto least = bound(rules, least_name); least && count < *least)
      add({any.line, any.column}, path, least_name,
          beyond(text ? "shorter than" : "fewer than", *least, unit, has));
    const auto most = bound(rules, most_name);
    if (!most || count <= *most) return true;
    add({any.line, any.column}, path, most_name,
        beyond(text ? "longer than" : "more than", *most, unit, has));
    return false;
  }

  void check_constants(const json::object& rules, const value& any, const std::string& path) {
    if (const auto* list = rules.if_contains("enum")) {
      const auto& allowed = list->get_array();
      if (std::none_of(allowed.begin(), allowed.end(),
                       [&](const json::value& each) { return is_equal(any, each); }))
        add({any.line, any.column}, path, "enum", not_in_list(any, allowed));
    }
    if (const auto* constant = rules.if_contains("const"); constant && !is_equal(any, *constant))
      add({any.line, any.column}, path, "const", not_in_list(any, json::array{*constant}));
  }

  void check_text(const json::object& rules, const value& any, const std::string& path) {
    if (!check_count(rules, any, path, length_of(any.text), "minLength", "maxLength", "character")) return;
    const auto* pattern = rules.if_contains("pattern");
    if (!pattern) return;
    const std::string_view form(pattern->get_string());
    if (std::regex_search(any.text, from_.patterns.find(form)->second)) return;
    const auto* title = rules.if_contains("title"); // says the same in words
    add({any.line, any.column}, path, "pattern",
        title ? fmt::format("not {}", std::string_view(title->get_string()))
              : fmt::format("not of the form {}", form));
  }

  void check_number(const json::object& rules, const value& any, const std::string& path) {
    if (const auto least = bound(rules, "minimum"); least && any.number < *least)
      add({any.line, any.column}, path, "minimum", fmt::format("{} is less than {}", any.text, *least));
    if (const auto most = bound(rules, "maximum"); most && any.number > *most)
      add({any.line, any.column}, path, "maximum", fmt::format("{} is more than {}", any.text, *most));
    if (const auto below = bound(rules, "exclusiveMinimum"); below && any.number <= *below)
      add({any.line, any.column}, path, "exclusiveMinimum",
          fmt::format("{} is not more than {}", any.text, *below));
  }

  void check_list(const json::object& rules, const value& any, const std::string& path) {
    // What is too much already is not looked at item by item.
    if (!check_count(rules, any, path, any.items.size(), "minItems", "maxItems", "item")) return;
    if (const auto* unique = rules.if_contains("uniqueItems"); unique && unique->get_bool())
      check_unique(any, path);
    if (const auto* items = rules.if_contains("items"))
      for (std::size_t i = 0; i < any.items.size(); ++i)
        check(*items, any.items[i], path_of(path, i));
  }

  void check_unique(const value& any, const std::string& path) {
    const auto& items = any.items;
    for (auto at = items.begin(); at != items.end(); ++at) {
      const auto first = std::find_if(items.begin(), at, [&](const value& each) { return equal(each, *at); });
      if (first != at)
        add({at->line, at->column}, path_of(path, static_cast<std::size_t>(at - items.begin())),
            "uniqueItems", fmt::format("the same as item {}; keep one of them", first - items.begin()));
    }
  }

  void check_mapping(const json::object& rules, const value& any, const std::string& path) {
    if (!check_count(rules, any, path, any.members.size(), "minProperties", "maxProperties", "key")) return;
    const auto* known = rules.if_contains("properties");
    const auto* properties = known ? &known->get_object() : nullptr;
    if (const auto* required = rules.if_contains("required"))
      for (const auto& name : required->get_array())
        if (!any.find(std::string_view(name.get_string())))
          add({any.line, any.column}, path_of(path, std::string_view(name.get_string())), "required",
              "missing");
    for (const auto& member : any.members) {
      const auto below = path_of(path, member.key);
      if (const auto* names = rules.if_contains("propertyNames")) check_name(*names, member, below);
      if (const auto* own = properties ? properties->if_contains(member.key) : nullptr)
        check(*own, member.content, below);
      else if (const auto* others = rules.if_contains("additionalProperties"))
        check_other(*others, properties, member, below);
    }
  }

  void check_name(const json::value& rules, const value::member& member, const std::string& path) {
    auto name = make_text(member.key);
    name.line = member.line;
    name.column = member.column;
    for (auto& each : broken_rules(from_, rules, name, path, 1))
      add({each.line, each.column}, each.path, "propertyNames", "the name is " + each.text);
  }

  void check_other(const json::value& rules, const json::object* properties, const value::member& member,
                   const std::string& path) {
    if (rules.is_bool() && !rules.get_bool())
      return add({member.line, member.column}, path, "additionalProperties",
                 unknown_key(member.key, properties));
    check(rules, member.content, path);
  }

  const loaded& from_;
  std::size_t limit_;
  findings found_;
};

} // namespace

findings broken_rules(const loaded& from, const json::value& rules, const value& root, std::string_view path,
                      std::size_t limit) {
  checker out(from, limit);
  out.check(rules, root, std::string(path));
  return out.take();
}

} // namespace swarm::schema::detail
