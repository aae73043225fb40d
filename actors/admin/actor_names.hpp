#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::actors {

struct name_match {
  std::string path;                 ///< the one actor that is meant, empty when none or several are
  std::vector<std::string> similar; ///< what else could be meant, the best first, at most 5
};

/// Finds the actor that a person means by a whole path or the end of one ("chain" for "/sn/chain").
name_match match_actor(std::string_view typed, const std::vector<std::string>& paths);

} // namespace swarm::actors
