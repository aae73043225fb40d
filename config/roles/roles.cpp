#include "config/roles/role.hpp"
#include "config/roles/shared.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

/// SLs and SWOPs that name no SN take the one of their process, so that the SN comes first.
constexpr const role_spec* all_roles[] = {&sn_role, &sl_role, &swop_role, &swci_role, &ui_role};

setter find_in(std::span<const role_setting> settings, std::string_view key) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const role_setting& setting) { return setting.spec.key == key; });
  return found == settings.end() ? nullptr : found->into;
}

} // namespace

std::span<const role_spec* const> roles() {
  return all_roles;
}

const role_spec* find_role(std::string_view name) {
  for (const auto* role : all_roles)
    if (role->name == name) return role;
  return nullptr;
}

setter find_setter(const role_spec& role, std::string_view key) {
  for (const auto settings : {settings_of_every_role(), role.shared, role.own})
    if (const auto found = find_in(settings, key)) return found;
  return nullptr;
}

std::string role_names(std::string_view last, std::string_view quote) {
  std::string out;
  for (std::size_t i = 0; i < std::size(all_roles); ++i) {
    if (i > 0) out += i + 1 < std::size(all_roles) ? ", " : fmt::format(" {} ", last);
    out += fmt::format("{1}{0}{1}", all_roles[i]->name, quote);
  }
  return out;
}

} // namespace swarm::config
