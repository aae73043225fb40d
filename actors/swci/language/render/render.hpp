#pragma once

#include "actors/swci/language/render/answers.hpp"

#include <string_view>

/// Answers and errors as operators and programs read them. No text from outside can put a control character
/// into the output, begin a line of its own or look like another column.
namespace swarm::swci {

inline constexpr std::string_view indent = "    ";

/// The lines of an answer without indent. A program gets columns that are parted by ", " and nothing more;
/// for people they are below each other.
std::vector<std::string> text_of(const answer& from, bool for_program = false);
/// The same, each line indented and ended: what a terminal shows.
std::string shown_text(const answer& from);
/// True when the text stands behind a repeated prompt and not below it.
bool is_at_prompt(const answer& from);

/// One line of JSON: {"answer": kind, ...}. Its keys and their types are as stable as the commands.
std::string json_of(const answer& from);

/// "ERROR : text" without indent: in web mode an error is an element that begins with "ERROR ".
std::string error_text_of(std::string_view message);
/// {"error": "..."}
std::string error_json_of(std::string_view message);

/// Text from outside made fit for one line of a terminal: what is no UTF-8 or a control character becomes
/// '?'.
std::string one_line(std::string_view text);

} // namespace swarm::swci
