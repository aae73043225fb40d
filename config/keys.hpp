#pragma once

#include <array>
#include <span>
#include <string_view>

namespace swarm::config {

/// The kind of a setting's value in a profile. A relative path is relative to the profile's folder.
enum class value_kind { text, path, flag, number, list };

/// One setting: its name as a flag (with "--" in front) and as a profile key, its environment variables, its
/// default and its help. The tables of the roles (config/roles) say where its text goes.
struct key_spec {
  std::string_view key;
  value_kind kind;
  std::string_view placeholder;        ///< e.g. "PORT"; of a flag "" or "=false"
  std::string_view fallback;           ///< the default as text; empty: none, or computed
  std::array<std::string_view, 4> env; ///< the first that is set and not empty counts
  std::string_view help;
};

/// A heading of the help text and the settings under it.
struct key_group {
  std::string_view title;
  std::span<const key_spec> keys;
};

/// Every setting there is, in the order of the help text: those that roles share, then each role's own.
std::span<const key_group> key_groups();

/// The setting with this key, or null.
const key_spec* find_key(std::string_view key);

/// A flag that chooses what to do and is no setting: names, placeholder (empty when it takes no value), help.
struct command_flag {
  std::string_view names; ///< e.g. "--version,-V"
  std::string_view placeholder;
  std::string_view help;
};
std::span<const command_flag> command_flags();

/// What the original needed and is accepted here to no effect, with the reason that whoever gives it is told.
struct ignored_flag {
  std::string_view key; ///< of a flag without its dashes
  std::string_view reason;
};
/// Flags of this kind.
std::span<const ignored_flag> ignored_flags();
/// Environment variables of the original that do nothing here, in the same way.
std::span<const ignored_flag> ignored_variables();

} // namespace swarm::config
