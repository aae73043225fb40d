#include "config/tasks/detail/fields.hpp"

#include "config/schema/document.hpp"

#include <algorithm>

namespace swarm::tasks::detail {

using schema::value;
using schema::value_type;

void tolerate_and_check(checked_document& document, const schema::json_schema& rules) {
  auto tolerated = rules.tolerate(document.root);
  document.warnings.insert(document.warnings.end(), std::make_move_iterator(tolerated.begin()),
                           std::make_move_iterator(tolerated.end()));
  document.errors = rules.check(document.root);
}

checked_document read_alone(std::string_view text, std::string_view path) {
  checked_document out;
  auto read = schema::read_document(text, path);
  if (!read) {
    out.errors.push_back(std::move(read.error()));
    out.why = tasks_errc::not_a_document;
    return out;
  }
  out.root = std::move(read->root);
  out.warnings = std::move(read->warnings);
  return out;
}

checked_document read_and_check(std::string_view text, const schema::json_schema& rules) {
  auto out = read_alone(text);
  if (out.errors.empty()) tolerate_and_check(out, rules);
  return out;
}

error refused(const checked_document& document, std::string_view name, schema::line_numbers as) {
  auto text = schema::told(document.errors, name, as);
  if (document.errors.size() >= schema::findings_max) text += "\nThere may be more; these are the first.";
  return make_error(document.why, std::move(text));
}

void warn(checked_document& document, const value& at, std::string path, std::string text) {
  document.warnings.push_back({at.line, std::move(path), "", std::move(text)});
}

void warn_if_relative(checked_document& document, const value* at, std::string path) {
  if (at && at->is(value_type::text) && !at->text.starts_with('/'))
    warn(document, *at, std::move(path), "not an absolute path; begin it with '/'");
}

std::optional<std::string> optional_text(const value& from, std::string_view key) {
  const auto* found = from.find(key);
  return found && !found->is(value_type::null) ? std::optional(found->text) : std::nullopt;
}

std::string text_of(const value& from, std::string_view key) {
  return optional_text(from, key).value_or("");
}

std::optional<double> optional_number(const value& from, std::string_view key) {
  const auto* found = from.find(key);
  const bool is = found && (found->is(value_type::integer) || found->is(value_type::number));
  return is ? std::optional(found->number) : std::nullopt;
}

environment environment_of(const value* from) {
  environment out;
  if (!from) return out;
  for (const auto& item : from->items)
    for (const auto& member : item.members) {
      const bool unset = member.content.is(value_type::null);
      out.push_back({member.key, unset ? std::nullopt : std::optional(member.content.text)});
    }
  return out;
}

mount_type mount_type_of(const value& from, std::string_view key) {
  return text_of(from, key) == "VOLUME" ? mount_type::volume : mount_type::bind;
}

} // namespace swarm::tasks::detail
