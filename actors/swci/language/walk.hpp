#pragma once

#include "actors/swci/language/table.hpp"
#include "actors/swci/language/words.hpp"

/// Walks along a line, word by word, with all commands that it may still become.
namespace swarm::swci {

/// One way to write one command, and how far the line has come on it.
struct candidate {
  const command_spec* spec = nullptr;
  const sequence* way = nullptr;
  std::size_t at = 0;
  std::vector<argument> arguments;

  /// What must, or may, come next; null at the end.
  const element* next() const;
  /// The hole that comes next, if it is one.
  const hole* next_hole() const;
  bool complete() const { return at == way->size(); }
};

std::vector<candidate> all_candidates();

/// Those of `before` that may go on with this word. A word that is a keyword for one of them is an argument
/// for none.
std::vector<candidate> advanced(const std::vector<candidate>& before, const word& with);

/// The hole that takes the line as it stands, if all candidates have come to it.
const hole* verbatim_hole(const std::vector<candidate>& at);

/// `LS(-l)` as `LS -l`, for commands that may be written as calls.
std::string without_brackets(std::string_view line);

} // namespace swarm::swci
