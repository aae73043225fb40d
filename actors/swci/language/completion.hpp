#pragma once

#include "actors/swci/language/holes.hpp"

#include <functional>

namespace swarm::swci {

/// What may stand where a line's cursor is. `line[begin, end)` is to be replaced.
struct completion {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string prefix;                ///< of what stands there, without quotes
  std::vector<std::string> keywords; ///< those that fit, in the letters' case that the operator uses
  std::vector<hole> holes;           ///< what may stand there instead
};

/// The bytes behind `cursor` do not matter. For a line with an error before the cursor everything is empty.
completion complete(std::string_view line, std::size_t cursor);

/// The words that may replace `line[begin, end)`: keywords, choices, and of the names that `names_of` knows
/// for a kind of hole those that begin with the prefix; sorted, each once, in quotes where they need them.
std::vector<std::string> candidates_of(const completion& at,
                                       const std::function<std::vector<std::string>(hole_kind)>& names_of);

} // namespace swarm::swci
