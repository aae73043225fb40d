#pragma once

#include "config/schema/json_schema.hpp"
#include "config/schema/value.hpp"
#include "config/tasks/environment.hpp"
#include "config/tasks/reading.hpp"
#include "config/tasks/task.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What both kinds of files have in common: from text to a value that fits a schema, and from there to fields.
namespace swarm::tasks::detail {

/// A document, or what is wrong with it.
struct checked_document {
  schema::value root;
  schema::findings errors;
  schema::findings warnings;
  tasks_errc why = tasks_errc::against_schema; ///< when there are errors
};

/// Tolerates what is to be tolerated, then asks the schema.
void tolerate_and_check(checked_document& document, const schema::json_schema& rules);
/// Reads only; paths in what is told begin with `path`.
checked_document read_alone(std::string_view text, std::string_view path = "");
checked_document read_and_check(std::string_view text, const schema::json_schema& rules);

/// The error that says all of them.
error refused(const checked_document& document, std::string_view name,
              schema::line_numbers as = schema::line_numbers::of_file);

void warn(checked_document& document, const schema::value& at, std::string path, std::string text);
/// When a path that a program is to see is not absolute.
void warn_if_relative(checked_document& document, const schema::value* at, std::string path);

/// Of a value that fits its schema; what is not there, or null, comes to nothing.
std::optional<std::string> optional_text(const schema::value& from, std::string_view key);
std::string text_of(const schema::value& from, std::string_view key);
std::optional<double> optional_number(const schema::value& from, std::string_view key);
environment environment_of(const schema::value* from);
mount_type mount_type_of(const schema::value& from, std::string_view key);

} // namespace swarm::tasks::detail
