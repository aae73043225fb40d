#pragma once

#include "actors/swci/language/render/answers.hpp"

/// An answer as labels and values, from which both its text and its JSON are made, so that they say the same.
namespace swarm::swci {

/// Null in JSON.
struct absent {
  std::string shown = "-"; ///< in text
};
using value = std::variant<absent, bool, std::uint64_t, double, std::string, moment>;

/// `LABEL : value`, the colons below each other. In JSON a label is a key in small letters with '_'.
struct fields {
  std::vector<std::pair<std::string, value>> all;
};
struct table {
  std::string key; ///< in JSON, where it is a list of objects
  std::vector<std::string> columns;
  std::vector<std::vector<value>> rows;
  bool separated = false; ///< by commas, for programs that read the text
};
struct lines {
  std::string key; ///< in JSON, where they are a list of strings
  std::vector<std::string> all;
  bool numbered = false; ///< "0000: " in front, in text
};
/// For people only, and for programs that read JSON only.
struct remark {
  std::string text;
};
struct hidden {
  std::variant<fields, table> what;
};
using page_part = std::variant<fields, table, lines, remark, hidden>;

struct page {
  std::string kind;       ///< of answer, in JSON
  bool at_prompt = false; ///< its text follows a repeated prompt
  std::vector<page_part> parts;
};

page page_of(const answer& from);

} // namespace swarm::swci
