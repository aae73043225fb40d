#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::schema {

/// What is told of one place of a document: a rule that it breaks, or a quirk that was tolerated.
struct finding {
  std::size_t line = 0; ///< from 1; 0: of no line
  std::string path;     ///< "Body.BuildSteps[3]"; empty: of the whole document
  /// The keyword of JSON Schema whose rule is broken, "yaml" for what the reader refuses, "rule" for what a schema
  /// cannot say; empty of what is tolerated.
  std::string_view keyword;
  std::string text;       ///< "longer than 160 characters (it has 171)", with the remedy where there is one
  std::size_t column = 0; ///< from 1; 0: of no column
};

using findings = std::vector<finding>;

/// So many findings of a document are told; more hold no news.
inline constexpr std::size_t findings_max = 50;

/// How lines are numbered: from 1 as in an editor, perhaps with the column, or from 0 with four digits as GET TASK BODY does.
enum class line_numbers { of_file, of_file_and_columns, of_task_body };

/// "build.yaml:14: Body.BuildSteps[3]: longer than 160 characters (it has 171)"
std::string told(const finding& what, std::string_view name, line_numbers as = line_numbers::of_file);
/// A line for each.
std::string told(const findings& all, std::string_view name, line_numbers as = line_numbers::of_file);

/// "Body" and "Name" make "Body.Name"; an empty path makes "Name".
std::string path_of(std::string_view parent, std::string_view key);
std::string path_of(std::string_view parent, std::size_t index);

} // namespace swarm::schema
