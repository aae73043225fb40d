#pragma once

#include "base/result.hpp"
#include "config/schema/finding.hpp"

namespace swarm::tasks {

/// Why a file is no task or profile.
enum class tasks_errc {
  not_a_document = 1, ///< it is not YAML that is read here
  against_schema,     ///< it breaks rules; `reading::errors` has them
};

constexpr std::string_view error_category(tasks_errc) {
  return "tasks";
}

/// What reading a file came to.
template <class T>
struct reading {
  /// The file, or an error whose message has a line for each of `errors`.
  result<T> value;
  schema::findings errors;
  schema::findings warnings; ///< what was tolerated; told whether or not there are errors
};

} // namespace swarm::tasks
