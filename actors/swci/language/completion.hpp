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

/// What one press of Tab does.
struct tab_result {
  std::string text;                 ///< stands for `line[begin, end)` from now on; empty: nothing changes
  std::vector<std::string> choices; ///< to be shown, as none of them is more likely
};
/// Of the candidates at a place: one alone is written, and a blank behind it unless it is a folder; several are written
/// as far as they are the same, and shown when that adds nothing.
tab_result tab(const completion& at, const std::vector<std::string>& candidates);

/// Words as rows of columns, as many as fit into `width` characters, sorted downwards. Each row ends without blanks.
std::vector<std::string> in_columns(const std::vector<std::string>& words, std::size_t width);

} // namespace swarm::swci
