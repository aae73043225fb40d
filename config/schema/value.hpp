#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::schema {

/// The types of JSON, with whole numbers apart, as JSON Schema has them.
enum class value_type { null, boolean, integer, number, text, list, mapping };

/// One value of a YAML document, with its type and the line where it stands.
struct value {
  struct member;

  value_type type = value_type::null;
  /// Of a scalar. Booleans and numbers are written as Python writes them: "False", "25", "0.1".
  std::string text;
  double number = 0;           ///< of a number
  std::vector<value> items;    ///< of a list
  std::vector<member> members; ///< of a mapping, in the order of the document, each key once
  std::size_t line = 0;        ///< from 1; 0: it stands in no document
  std::size_t column = 0;

  /// The member with this key, or null.
  const value* find(std::string_view key) const;
  bool is(value_type other) const { return type == other; }
};

struct value::member {
  std::string key;
  std::size_t line = 0; ///< of the key
  value content;
  std::size_t column = 0; ///< of the key
};

/// Equal as JSON has it: 1 and 1.0 are, 1 and true are not, the order of members is none.
bool equal(const value& a, const value& b);

/// What a plain scalar means in YAML 1.1, by the rules of PyYAML, which the original's files were written for: `yes` is
/// true, 0x1F is 31, 1_000 is 1000. Numbers of more than 64 bits and times of day with fractions stay text.
value plain_scalar(std::string_view text);

value make_text(std::string text);
value make_mapping(std::vector<value::member> members);

} // namespace swarm::schema
