#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A line as words: blanks part them, and a word that begins with ' or " ends with the same character.
namespace swarm::swci {

inline constexpr std::size_t line_bytes_max = 4096;

/// True when nothing is ordered: a blank line, or one that begins with '#'.
bool is_remark(std::string_view line);

/// Fails when a line is too long, no UTF-8, or has control characters other than tabs.
result<> check_line(std::string_view line);

struct word {
  std::string_view text; ///< without its quotes
  std::size_t begin = 0; ///< where it starts in the line, with its quote
  bool quoted = false;   ///< then it is no keyword
  bool open = false;     ///< its closing quote is missing
};

/// Takes the words off a line, one by one.
class word_scanner {
public:
  explicit word_scanner(std::string_view line) : line_(line) {}

  /// None at the end of the line. Fails when a quote is not closed, or text follows one at once.
  result<std::optional<word>> next();
  /// The same, but an open quote reaches to the end of the line, for a line that is still written.
  std::optional<word> next_unfinished();
  bool at_end() const { return at_ == line_.size(); }
  /// The words that are left, whatever is wrong with them.
  std::vector<std::string> remaining();
  /// What follows the last word and one blank.
  std::string_view rest() const;

private:
  std::optional<word> take();

  std::string_view line_;
  std::size_t at_ = 0;
};

/// Letters of ASCII in capitals.
std::string upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// The text as one word of a line: quoted if it has to be. Text with both kinds of quotes, and blanks,
/// cannot be written as one word and is given in double quotes anyway.
std::string as_word(std::string_view text);
/// At most 60 bytes of a text, for messages; what is cut off is marked by dots.
std::string shortened(std::string_view text);

} // namespace swarm::swci
