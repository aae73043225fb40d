#pragma once

#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "actors/swop/managers/process/build/steps/words.hpp"

#include <optional>

namespace swarm::build {

/// The commands of one RUN: what they come to, in a plan's words. An error says which command needs more than that.
struct run_outcome {
  std::vector<action> actions;
  std::vector<std::string> notes;
};
result<run_outcome> read_run(const std::vector<word>& words, std::string_view folder, const variables& known);

} // namespace swarm::build
