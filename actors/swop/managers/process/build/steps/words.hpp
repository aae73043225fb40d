#pragma once

#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "base/result.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace swarm::build {

inline bool is_one_of(std::string_view text, std::initializer_list<std::string_view> of) {
  return std::ranges::find(of, text) != of.end();
}

struct word {
  std::string text;
  bool is_operator = false; ///< "&&", ";", "||", "|", "&", "(" or ")"
};

/// What a shell makes of a line: quotes, backslashes, $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other}. Without
/// `operators` their characters are ordinary ones. Redirections to /dev/null and &1 are left out. "numpy>=1.2" without
/// quotes is a word, as it is meant, and not the redirection that it is to a shell. An error says what is not
/// supported.
result<std::vector<word>> split_words(std::string_view line, const variables& known, bool operators);

} // namespace swarm::build
