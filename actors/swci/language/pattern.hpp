#pragma once

#include "actors/swci/language/holes.hpp"

#include <variant>

/// How a command is written: `CREATE CONTEXT <context> WITH IP <ip> [port]`. Words in capitals are
/// keywords, `<name>` is a hole, `[...]` may be left out and holds keywords, holes (a bare name) or more of
/// the same, and `A|B` is a hole with choices. A hole is of the kind that its name says, or what follows
/// it: `<author:text>`. A keyword with `()` may be followed by what else there is in brackets, as in a
/// call.
namespace swarm::swci {

struct keyword {
  std::string text; ///< in capitals
};
using element = std::variant<keyword, hole>;
/// One way to write a command, with what is optional taken or left out.
using sequence = std::vector<element>;

struct pattern {
  std::string usage; ///< for people
  std::string name;  ///< the keywords at its beginning
  bool callable = false;
  std::vector<hole> holes;
  std::vector<sequence> sequences; ///< the longest first
};

/// Asserts that the text is a pattern: patterns are written by programmers.
pattern parse_pattern(std::string_view text);

} // namespace swarm::swci
