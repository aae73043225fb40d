#include "config/members/read_members.hpp"

#include "config/schema/document.hpp"
#include "config/schema/schemas.hpp"

#include <algorithm>

namespace swarm::members {

using schema::value;

namespace {

constexpr auto numbered = schema::line_numbers::of_file_and_columns;

std::optional<std::string> text_of(const value& from, std::string_view key) {
  const auto* found = from.find(key);
  return found ? std::optional(found->text) : std::nullopt;
}

std::vector<transport::name_part> name_of(const value& from, std::string_view key) {
  std::vector<transport::name_part> out;
  if (const auto* found = from.find(key))
    for (const auto& part : found->members)
      out.push_back({part.key, part.content.text});
  return out;
}

/// The schema has seen to it that there are 64 digits, perhaps with colons between them.
std::optional<hash32> anchor_of(const value& from) {
  auto text = text_of(from, "anchor");
  if (!text) return std::nullopt;
  std::erase(*text, ':');
  const auto out = fixed_from_hex<32>(*text);
  return out ? *out : hash32{}; // that of no certificate
}

role_set roles_in(const value& list) {
  role_set out;
  for (const auto& item : list.items)
    for (const auto each : all_roles)
      if (item.text == to_string(each)) out.add(each);
  return out;
}

rule rule_of(const value& from) {
  const auto& when = *from.find("match");
  rule out;
  out.when = {anchor_of(when),      name_of(when, "issuer"), name_of(when, "subject"), text_of(when, "dns"),
              text_of(when, "uri"), text_of(when, "ip"),     text_of(when, "email")};
  out.organisation = text_of(from, "organisation");
  if (const auto* roles = from.find("roles")) out.roles = roles_in(*roles);
  out.line = from.line;
  return out;
}

members_read refused(members_errc why, const schema::findings& errors, std::string_view name,
                     schema::findings warnings) {
  auto text = schema::told(errors, name, numbered);
  if (errors.size() >= schema::findings_max) text += "\nThere may be more; these are the first.";
  return {fail(why, "{}", text), std::move(warnings)};
}

} // namespace

members_read read_members(std::string_view text, std::string_view name) {
  auto read = schema::read_document(text);
  if (!read) return refused(members_errc::not_a_document, {std::move(read.error())}, name, {});
  const auto& rules = schema::members_schema();
  auto warnings = std::move(read->warnings);
  for (auto& each : rules.tolerate(read->root))
    warnings.push_back(std::move(each));
  if (const auto errors = rules.check(read->root); !errors.empty())
    return refused(members_errc::against_schema, errors, name, std::move(warnings));
  member_rules out;
  out.file = name;
  for (const auto& each : read->root.find("rules")->items)
    out.rules.push_back(rule_of(each));
  return {std::move(out), std::move(warnings)};
}

} // namespace swarm::members
