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
  std::string tag;  ///< "?" of what stands plain, "!" of a quoted scalar, or what the document says
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
/// What a document with aliases may come to once each alias is replaced by what it stands for.
inline constexpr std::size_t yaml_nodes_max = 100'000;
inline constexpr std::size_t yaml_expanded_bytes_max = 4 * yaml_bytes_max;

enum class yaml_aliases { refused, replaced };

/// Why a text is no document that is read here, and where; line and column are 0 when it is wrong as a whole.
struct yaml_problem {
  std::size_t line = 0;
  std::size_t column = 0;
  std::string text;
};

/// Reads one document. Complex keys and further documents are refused, and so are anchors and aliases unless they are
/// to be `replaced`: aliases can make a small file expand enormously, which is why there is a bound then.
tl::expected<yaml_node, yaml_problem> read_yaml(std::string_view text, yaml_aliases aliases);

/// The same, aliases refused. Errors are config_errc::profile_file with "name:line:column: " in front.
result<yaml_node> parse_yaml(std::string_view text, std::string_view name);

/// The text of a file of at most yaml_bytes_max bytes.
result<std::string> read_yaml_file(const std::filesystem::path& file);

} // namespace swarm::config
