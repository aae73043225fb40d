#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace swarm::tasks {

struct environment_variable {
  std::string name;
  std::optional<std::string> value; ///< as Python writes it: "False", "25"; nothing: the variable is unset

  bool operator==(const environment_variable&) const = default;
};

/// In the order of the file; of two with one name the later counts.
using environment = std::vector<environment_variable>;

/// One environment of several, of which a later one wins: each name once, where it stood first.
environment merged(std::initializer_list<std::span<const environment_variable>> of);

} // namespace swarm::tasks
