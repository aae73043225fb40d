#include "config/tasks/task_policy.hpp"

#include "base/wildcard.hpp"
#include "config/schema/document.hpp"
#include "config/schema/schemas.hpp"

#include <algorithm>

namespace swarm::tasks {

using schema::value;

namespace {

constexpr auto numbered = schema::line_numbers::of_file_and_columns;

/// Names of organisations are the same in any case of the letters A to Z, as on the chain.
std::string in_small_letters(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

task_policy::rule rule_of(const value& from) {
  task_policy::rule out;
  for (const auto& each : from.find("organisations")->items)
    out.organisations.push_back(in_small_letters(each.text));
  if (const auto* types = from.find("types"))
    for (const auto& each : types->items)
      if (const auto type = task_type_of(each.text)) out.types.push_back(*type);
  out.take = from.find("take")->text == "True";
  out.line = from.line;
  return out;
}

policy_read refused(policy_errc why, const schema::findings& errors, std::string_view name,
                    schema::findings warnings) {
  auto text = schema::told(errors, name, numbered);
  if (errors.size() >= schema::findings_max) text += "\nThere may be more; these are the first.";
  return {fail(why, "{}", text), std::move(warnings)};
}

} // namespace

result<> allows(const task_policy& policy, std::string_view organisation, task_type type) {
  const auto key = in_small_letters(organisation);
  const auto whose =
      organisation.empty() ? std::string("of no organisation") : fmt::format("of '{}'", organisation);
  for (const auto& each : policy.rules) {
    const bool is_theirs = std::any_of(each.organisations.begin(), each.organisations.end(),
                                       [&](const auto& pattern) { return fits_wildcard(pattern, key); });
    const bool is_of_type =
        each.types.empty() || std::find(each.types.begin(), each.types.end(), type) != each.types.end();
    if (!is_theirs || !is_of_type) continue;
    if (each.take) return {};
    return fail(policy_errc::not_allowed, "a {} task {} is refused by the rule in line {} of {}",
                name_of(type), whose, each.line, policy.file);
  }
  return fail(policy_errc::not_allowed, "no rule of {} takes a {} task {}: add one to carry such tasks out",
              policy.file, name_of(type), whose);
}

policy_read read_task_policy(std::string_view text, std::string_view name) {
  auto read = schema::read_document(text);
  if (!read) return refused(policy_errc::not_a_document, {std::move(read.error())}, name, {});
  const auto& rules = schema::task_policy_schema();
  auto warnings = std::move(read->warnings);
  for (auto& each : rules.tolerate(read->root))
    warnings.push_back(std::move(each));
  if (const auto errors = rules.check(read->root); !errors.empty())
    return refused(policy_errc::against_schema, errors, name, std::move(warnings));
  task_policy out;
  out.file = name;
  for (const auto& each : read->root.find("rules")->items)
    out.rules.push_back(rule_of(each));
  return {std::move(out), std::move(warnings)};
}

} // namespace swarm::tasks
