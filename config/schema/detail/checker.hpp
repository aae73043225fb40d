#pragma once

#include "config/schema/finding.hpp"
#include "config/schema/value.hpp"

#include <boost/json.hpp>

#include <functional>
#include <map>
#include <regex>
#include <string>

namespace swarm::schema::detail {

/// A schema taken apart as far as its rules need it.
struct loaded {
  boost::json::value root;
  std::map<std::string, std::regex, std::less<>> patterns; ///< by their text

  /// What "#/$defs/name" leads to, or null.
  const boost::json::value* target(std::string_view reference) const;
};

/// The longest text that a pattern is tried on: std::regex takes stack for each character.
inline constexpr std::size_t pattern_length_max = 1024;

/// What keeps a text from being a schema of this kind; empty when nothing does.
std::string load(std::string_view text, loaded& out);

/// The rules of one schema that a value breaks, at most `limit`.
findings broken_rules(const loaded& from, const boost::json::value& rules, const value& root,
                      std::string_view path, std::size_t limit);

} // namespace swarm::schema::detail
