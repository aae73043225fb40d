#include "config/schema/json_schema.hpp"

#include "config/schema/detail/checker.hpp"
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::schema {

namespace json = boost::json;

struct json_schema::impl {
  detail::loaded rules;
  std::vector<remedy> remedies;
  std::vector<spelling> spellings;
};

namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// "nodes[3].slnodedef" as "nodes[].slnodedef".
std::string without_indexes(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) out += c;
    if (c == '[') inside = true;
  }
  return out;
}

/// Goes through a value along its schema and makes it right.
class tolerance {
public:
  tolerance(const detail::loaded& rules, const std::vector<spelling>& spellings)
      : rules_(rules), spellings_(spellings) {}

  void visit(const json::value& rules, value& any, const std::string& path) {
    if (!rules.is_object()) return;
    const auto& object = rules.get_object();
    if (const auto* reference = object.if_contains("$ref"))
      visit(*rules_.target(std::string_view(reference->get_string())), any, path);
    if (const auto* properties = object.if_contains("properties"); properties && any.is(value_type::mapping))
      visit_members(properties->get_object(), any, path);
    if (const auto* items = object.if_contains("items"); items && any.is(value_type::list))
      for (std::size_t i = 0; i < any.items.size(); ++i)
        visit(*items, any.items[i], path_of(path, i));
    if (const auto* all = object.if_contains("allOf"))
      for (const auto& each : all->get_array())
        visit(each, any, path);
    const auto* condition = object.if_contains("if");
    const auto* consequence = object.if_contains("then");
    if (condition && consequence && detail::broken_rules(rules_, *condition, any, path, 1).empty())
      visit(*consequence, any, path);
  }

  findings take() { return std::move(warnings_); }

private:
  void warn(std::size_t line, std::string path, std::string text) {
    if (warnings_.size() < findings_max) warnings_.push_back({line, std::move(path), "", std::move(text)});
  }

  void visit_members(const json::object& properties, value& any, const std::string& path) {
    rename(properties, any, path);
    if (properties.size() == 1) nest(properties.begin()->key(), any, path);
    for (auto& member : any.members)
      if (const auto* own = properties.if_contains(member.key))
        visit(*own, member.content, path_of(path, member.key));
  }

  std::string_view meant_by(const json::object& properties, std::string_view key) const {
    for (const auto& each : properties)
      if (same_ignoring_case(each.key(), key)) return each.key();
    for (const auto& each : spellings_)
      if (same_ignoring_case(each.wrong, key) && properties.contains(each.right)) return each.right;
    return {};
  }

  void rename(const json::object& properties, value& any, const std::string& path) {
    std::vector<value::member> kept;
    for (auto& member : any.members) {
      const bool known = properties.contains(member.key);
      const auto right = known ? std::string_view(member.key) : meant_by(properties, member.key);
      if (!known && !right.empty()) {
        warn(member.line, path_of(path, right), fmt::format("read from '{}'", config::printable(member.key)));
        member.key = right;
      }
      const auto twin =
          right.empty() ? kept.end() : std::find_if(kept.begin(), kept.end(), [&](const auto& other) {
            return other.key == member.key;
          });
      if (twin == kept.end()) {
        kept.push_back(std::move(member));
        continue;
      }
      warn(member.line, path_of(path, member.key),
           fmt::format("given again (first in line {}); the last one counts", twin->line));
      *twin = std::move(member);
    }
    any.members = std::move(kept);
  }

  /// `- slnodedef:` with its content beside it instead of below.
  void nest(std::string_view key, value& any, const std::string& path) {
    if (any.members.size() < 2 || any.members.front().key != key
        || !any.members.front().content.is(value_type::null))
      return;
    auto head = std::move(any.members.front());
    any.members.erase(any.members.begin());
    head.content = make_mapping(std::move(any.members));
    head.content.line = head.content.members.front().line;
    any.members.clear();
    warn(head.line, path_of(path, key),
         "what stands beside it is taken as its content; indent it further than this");
    any.members.push_back(std::move(head));
  }

  const detail::loaded& rules_;
  const std::vector<spelling>& spellings_;
  findings warnings_;
};

} // namespace

json_schema::json_schema(std::unique_ptr<impl> from) : impl_(std::move(from)) {}
json_schema::json_schema(json_schema&&) noexcept = default;
json_schema& json_schema::operator=(json_schema&&) noexcept = default;
json_schema::~json_schema() = default;

result<json_schema> json_schema::make(std::string_view text) {
  auto out = std::make_unique<impl>();
  if (const auto wrong = detail::load(text, out->rules); !wrong.empty())
    return fail(errc::invalid, "a schema cannot be used: {}", wrong);
  return json_schema(std::move(out));
}

void json_schema::set_remedies(std::vector<remedy> remedies) {
  impl_->remedies = std::move(remedies);
}

void json_schema::set_spellings(std::vector<spelling> spellings) {
  impl_->spellings = std::move(spellings);
}

findings json_schema::check(const value& root) const {
  auto out = detail::broken_rules(impl_->rules, impl_->rules.root, root, "", findings_max);
  for (auto& each : out) {
    const auto place = without_indexes(each.path);
    const auto found = std::find_if(impl_->remedies.begin(), impl_->remedies.end(), [&](const remedy& r) {
      return r.path == place && r.keyword == each.keyword;
    });
    if (found != impl_->remedies.end()) each.text += fmt::format("; {}", found->text);
  }
  return out;
}

findings json_schema::tolerate(value& root) const {
  tolerance out(impl_->rules, impl_->spellings);
  out.visit(impl_->rules.root, root, "");
  return out.take();
}

} // namespace swarm::schema
