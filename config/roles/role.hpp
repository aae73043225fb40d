#pragma once

#include "config/keys.hpp"
#include "config/options.hpp"

#include <string>
#include <utility>
#include <vector>

namespace swarm::config {

/// Converts a setting's text and stores it in the options of a role.
using setter = result<> (*)(role_options&, std::string_view);

/// A row of a role's table: a setting, and where its text goes.
struct role_setting {
  key_spec spec;
  setter into;
};

/// Something that two users in one process must not share.
struct claim {
  enum kind { port, pipe, folder };
  kind what;
  std::string name; ///< e.g. "30305", or a path
  std::string bind; ///< of a port: the address on which it is opened
  std::string node;
  std::string_view key; ///< the setting that claims it
};

class rule_context;

/// Everything that config knows of one role. A new role is one of these in a file of its own, a line in
/// roles.cpp, its options and their place in `process_config`, and a section of profile.schema.json.
struct role_spec {
  std::string_view name;    ///< as --role and a profile's section say it, e.g. "sn"
  std::string_view section; ///< how messages call that section, e.g. "an 'sn' section"
  std::string_view plural;  ///< e.g. "SNs"
  std::string_view title;   ///< heading of `own` in the help text
  std::size_t count_max;    ///< of this role in one process

  /// Settings that some other roles have too; those of every role (`settings_of_every_role`) are
  /// not repeated.
  std::span<const role_setting> shared;
  /// Settings of this role alone, in the order of the help text.
  std::span<const role_setting> own;

  /// Adds one more of this role, with its defaults.
  role_options& (*add)(process_config&);
  /// All roles of this kind in a process.
  std::vector<const role_options*> (*all)(const process_config&);
  /// Fills in what follows from roles that were added before; null when nothing does.
  void (*complete)(process_config&, role_options&);
  /// The role's own rules across its settings.
  void (*validate)(const role_options&, const rule_context&);
  /// What it must not share, besides its folder.
  std::vector<claim> (*claims)(const role_options&);
  /// Pairs of given settings of which the first overrules the second.
  std::vector<std::pair<std::string_view, std::string_view>> (*overruled)(const role_options&);
};

/// Every role there is, in the order in which a process starts them.
std::span<const role_spec* const> roles();

/// The role with this name, or null.
const role_spec* find_role(std::string_view name);

/// Where `role` puts the setting `key`, or null if it has no such setting.
setter find_setter(const role_spec& role, std::string_view key);

/// The names of all roles, with `last` before the last one: "sn and sl", or "a, b and c".
std::string role_names(std::string_view last, std::string_view quote = "");

/// Calls `visit` with the options of every role of a process.
template <class Visit>
void each_role(const process_config& config, Visit visit) {
  for (const auto* role : roles())
    for (const auto* options : role->all(config))
      visit(*options);
}

/// The tables.
extern const role_spec sn_role;
extern const role_spec sl_role;
extern const role_spec swop_role;
extern const role_spec swci_role;
extern const role_spec ui_role;

} // namespace swarm::config
