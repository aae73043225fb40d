#pragma once

#include "actors/swop/managers/manager.hpp"

#include <filesystem>

namespace swarm::managers {

/// What an engine cannot be told about a container, once it is there: why it was ended. A file of one word for each
/// program, which outlives this process.
class program_notes {
public:
  static result<program_notes> open(std::filesystem::path folder);

  /// Written before the program is told to end, so that a SWOP that is killed in between knows. `why`: told or
  /// deadline; what was noted first stays.
  result<> note(const std::string& name, ending_cause why) const;
  std::optional<ending_cause> noted(const std::string& name) const;
  void forget(const std::string& name) const;

private:
  explicit program_notes(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

} // namespace swarm::managers
