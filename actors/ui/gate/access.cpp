#include "actors/ui/gate/access.hpp"

#include <algorithm>

namespace swarm::ui {

namespace {

bool is_named(const members::proved& who, bool is_own_organisation, const std::vector<std::string>& names) {
  const auto names_it = [&](const std::string& name) {
    if (name.starts_with("0x")) return fixed_from_hex<32>(name) == who.certificate.fingerprint;
    const auto common_names = transport::values_of(who.certificate.subject_parts, "CN");
    return is_own_organisation && std::ranges::find(common_names, name) != common_names.end();
  };
  return std::ranges::any_of(names, names_it);
}

} // namespace

std::optional<rights> rights_of(const members::proved& who, bool is_own_organisation,
                                const members::member_rules& members, const access_rules& rules) {
  if (is_named(who, is_own_organisation, rules.operators)) return rights::acts;
  if (is_named(who, is_own_organisation, rules.readers)) return rights::reads;
  if (!rules.readers.empty() || !is_own_organisation) return std::nullopt;
  if (!members::roles_of(who, members).has(members::role::swci)) return std::nullopt;
  return rights::reads;
}

} // namespace swarm::ui
