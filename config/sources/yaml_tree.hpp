#pragma once

#include "config/options.hpp"

#include <string_view>

namespace swarm::config {

enum class yaml_kind { null, scalar, sequence, mapping };

/// One node of a YAML (or JSON) document with the place where it stands. Mappings keep their order and their
/// duplicates, so that the reader can say what to do about them.
struct yaml_node {
  struct entry;

  yaml_kind kind = yaml_kind::null;
  std::string text; ///< of a scalar
  std::size_t line = 0;
  std::size_t column = 0;       ///< both from 1
  std::vector<yaml_node> items; ///< of a sequence
  std::vector<entry> entries;   ///< of a mapping

  /// The last entry with this key, or null.
  const yaml_node* find(std::string_view key) const;
  /// "a list" and so on, for messages.
  std::string_view kind_name() const;
};

struct yaml_node::entry {
  std::string key;
  std::size_t line = 0;
  std::size_t column = 0; ///< of the key
  yaml_node value;
};

inline constexpr std::size_t yaml_bytes_max = 1 << 20;
inline constexpr std::size_t yaml_depth_max = 32;

/// Reads one document. Anchors, aliases, complex keys and further documents are refused: the files that are
/// read here need none, and aliases can make a small file expand enormously. Errors are
/// config_errc::profile_file with "name:line:column: " in front.
result<yaml_node> parse_yaml(std::string_view text, std::string_view name);

/// The text of a file of at most yaml_bytes_max bytes.
result<std::string> read_yaml_file(const std::filesystem::path& file);

} // namespace swarm::config
