#pragma once

#include "base/result.hpp"
#include "config/members/member_rules.hpp"
#include "config/schema/finding.hpp"

namespace swarm::members {

enum class members_errc {
  not_a_document = 1, ///< it is not YAML that is read here
  against_schema,     ///< it breaks rules of config/schema/members.schema.json
};
constexpr std::string_view error_category(members_errc) {
  return "members";
}

/// No file of rules is as large as this.
inline constexpr std::size_t members_bytes_max = 1024 * 1024;

struct members_read {
  /// The rules, or an error whose message has a line for each thing that is wrong: file, line, column, what to do.
  result<member_rules> value;
  schema::findings warnings; ///< what was tolerated
};

/// Reads the text of a --members file, which `name` names in messages.
members_read read_members(std::string_view text, std::string_view name);

} // namespace swarm::members
